"""A replay of a topic's archive, for asyncio."""

from __future__ import annotations

import asyncio

from trunkline.aio.replays import ReplayTwin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline.aio.topics.subscription import Subscription
    from trunkline.topics.replay import TopicReplay as SyncTopicReplay


class TopicReplay(ReplayTwin):
    """A replay that :meth:`trunkline.aio.Subscription.replay` has started. The twin is `sync`.

    >>> import asyncio, trunkline
    >>> async def main():
    ...     engine = trunkline.aio.open()
    ...     topic = engine.topic("orders.fifo")
    ...     await topic.archive(86_400)
    ...     subscription = await topic.subscribe(engine.queue("late.fifo"))
    ...     replay = await subscription.replay()
    ...     return await replay.wait(timeout=10)
    >>> asyncio.run(main())
    'COMPLETED'
    """

    __slots__ = {
        "subscription": "The subscription that gets the messages.",
        "sync": "The same replay for threads.",
    }

    subscription: Subscription
    sync: SyncTopicReplay

    def __init__(self, subscription: Subscription, replay: SyncTopicReplay) -> None:
        self.subscription = subscription
        self.sync = replay

    async def stop(self) -> None:
        """End the replay; the subscription gets what is published from now on."""
        await asyncio.to_thread(self.sync.stop)
