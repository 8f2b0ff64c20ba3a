"""A replay: a subscription gets messages of its topic's archive again."""

from __future__ import annotations

from trunkline._replays import ReplayState
from trunkline.errors import NotFound, ResourceNotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.topics.subscription import Subscription


class TopicReplay(ReplayState):
    """The replay of a subscription; :meth:`Subscription.replay` starts it. Reads the truth when
    asked.

    >>> import trunkline
    >>> engine = trunkline.open()
    >>> topic = engine.topic("orders.fifo", content_based_dedup=True)
    >>> topic.archive(86_400)
    >>> sent = topic.publish("one coffee", group="table 7")
    >>> late = engine.queue("late.fifo")
    >>> replay = topic.subscribe(late).replay()
    >>> replay.wait(timeout=10), replay.replayed
    ('COMPLETED', 1)
    >>> late.receive()[0].text()
    'one coffee'
    """

    __slots__ = {"subscription": "The subscription that gets the messages."}

    subscription: Subscription

    def __init__(self, subscription: Subscription) -> None:
        self.subscription = subscription

    def stop(self) -> None:
        """End the replay; the subscription gets what is published from now on.

        That is how a subscription goes on behind a replay that had an end, too.
        """
        self.subscription.topic._core.archive().stop_replay(self.subscription._id)

    def _read(self) -> dict[str, Any]:
        found = self.subscription.topic._core.archive().replay(self.subscription._id)
        if found is None:
            raise ResourceNotFound("The subscription has no replay.")
        return found

    def __repr__(self) -> str:
        try:
            now = self._read()
        except NotFound:
            return "<TopicReplay, stopped>"
        return f"<TopicReplay: {now['status']}, {now['replayed']} messages>"
