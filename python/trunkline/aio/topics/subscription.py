"""A subscription whose waiting verbs are coroutines."""

from __future__ import annotations

import asyncio
import functools

from trunkline.aio.topics.replay import TopicReplay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    from trunkline._types import FilterScope, RetryPolicy
    from trunkline.aio.queues.queue import Queue as AsyncQueue
    from trunkline.queues.queue import Queue
    from trunkline.topics.subscription import Subscription as SyncSubscription


class Subscription:
    """A subscription; :meth:`trunkline.aio.Topic.subscribe` makes it. The twin is `sync`.

    >>> import asyncio, trunkline
    >>> async def main():
    ...     engine = trunkline.aio.open()
    ...     subscription = await engine.topic("orders").subscribe(engine.queue("kitchen"))
    ...     await subscription.configure(raw=False)
    ...     return subscription.sync.raw
    >>> asyncio.run(main())
    False
    """

    __slots__ = {"sync": "The same subscription for threads, which reads the truth when asked."}

    sync: SyncSubscription

    def __init__(self, subscription: SyncSubscription) -> None:
        self.sync = subscription

    async def configure(
        self,
        *,
        filter: str | Mapping[str, Any] | None = None,
        filter_scope: FilterScope | None = None,
        raw: bool | None = None,
        dead_letter: Queue | AsyncQueue | None = None,
        retry: RetryPolicy | None = None,
    ) -> None:
        """Change what is given, from the next message on; the rest stays as it is."""
        configure = functools.partial(
            self.sync.configure,
            filter=filter,
            filter_scope=filter_scope,
            raw=raw,
            dead_letter=dead_letter,
            retry=retry,
        )
        await asyncio.to_thread(configure)

    async def replay(
        self, start: datetime | float | None = None, end: datetime | float | None = None
    ) -> TopicReplay:
        """Get messages of the archive again. See :meth:`trunkline.Subscription.replay`."""
        return TopicReplay(self, await asyncio.to_thread(self.sync.replay, start, end))

    @property
    def current_replay(self) -> TopicReplay | None:
        """The replay that runs, or the last one; None if there was none, or it was stopped."""
        replay = self.sync.current_replay
        return None if replay is None else TopicReplay(self, replay)

    async def remove(self) -> None:
        """Remove the subscription, and what waits for a URL or a function."""
        await asyncio.to_thread(self.sync.remove)

    def __repr__(self) -> str:
        return f"<aio {self.sync!r}>"
