"""A replay: a subscription gets messages of its topic's archive again."""

from __future__ import annotations

from trunkline import _replays
from trunkline.errors import NotFound, ResourceNotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._types import Seconds
    from trunkline.topics.subscription import Subscription


class TopicReplay:
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

    @property
    def status(self) -> str:
        """``RUNNING``, ``COMPLETED`` or ``FAILED``."""
        status: str = self._read()["status"]
        return status

    @property
    def replayed(self) -> int:
        """How many messages were delivered so far."""
        replayed: int = self._read()["replayed"]
        return replayed

    @property
    def failure(self) -> str | None:
        """Why the replay failed; None if it did not."""
        failure: str | None = self._read()["failure"]
        return failure

    def stop(self) -> None:
        """End the replay; the subscription gets what is published from now on.

        That is how a subscription goes on behind a replay that had an end, too.
        """
        self.subscription.topic._core.archive().stop_replay(self.subscription._id)

    def wait(self, timeout: Seconds | None = None) -> str:
        """Return the status when the replay has ended; raise TimeoutError after `timeout` seconds.

        A virtual clock has to be moved on meanwhile.
        """
        return _replays.wait(lambda: self.status, timeout)

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
