"""Topics, buses, streams and what else a server has that takes messages, events or records."""

from __future__ import annotations

from trunkline import _replays
from trunkline.remote.noun import Remote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Self

    from trunkline._types import Seconds
    from trunkline.remote.results import RemoteBatch, RemoteRecord

STEP_SECONDS = 20.0
"""The longest wait of one call; a longer one asks again."""


def _bytes(data: bytes | str) -> bytes:
    if isinstance(data, str):
        return data.encode()
    # bytes(5) would be five bytes of zero.
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"the content must be bytes or str, not {type(data).__name__}")
    return bytes(data)


class RemoteTopic(Remote, kind="topic"):
    """A topic of a server; :meth:`RemoteEngine.topic` makes it."""

    __slots__ = ()

    def publish(self, body: bytes | str, **options: Any) -> Any:
        """Publish a message to the subscriptions."""
        return self._ask("publish", _bytes(body), **options)


class RemoteSubscription(Remote, kind="subscription"):
    """A subscription of a topic of a server; :meth:`RemoteTopic.subscribe` makes it."""

    __slots__ = ()

    @property
    def topic(self) -> RemoteTopic:
        """The topic of the subscription."""
        return RemoteTopic(self._transport, self._at[0])

    def __repr__(self) -> str:
        return f"<RemoteSubscription {self._at[1]} of {self._at[0]!r} at {self._transport.url}>"


class _Replaying(Remote):
    """A replay: a wait for its end looks at it again and again."""

    __slots__ = ()

    def wait(self, timeout: Seconds | None = None) -> str:
        """Return the status when the replay has ended; raise TimeoutError after `timeout` seconds.

        A replay that FAILED says why in `failure`.
        """
        return _replays.wait(lambda: str(self._ask("status")), timeout)


class RemoteTopicReplay(_Replaying, kind="topic-replay"):
    """The replay of a subscription; :meth:`RemoteSubscription.replay` starts it."""

    __slots__ = ()

    @property
    def subscription(self) -> RemoteSubscription:
        """The subscription that gets the messages."""
        return RemoteSubscription(self._transport, *self._at)


class RemoteBus(Remote, kind="bus"):
    """An event bus of a server; :meth:`RemoteEngine.bus` makes it."""

    __slots__ = ()


class RemoteRule(Remote, kind="rule"):
    """A rule of an event bus of a server; :meth:`RemoteBus.rule` makes it."""

    __slots__ = ()

    @property
    def bus(self) -> RemoteBus:
        """The bus of the rule."""
        return RemoteBus(self._transport, self._at[0])


class RemoteArchive(Remote, kind="archive"):
    """Events of a bus of a server that are kept; :meth:`RemoteBus.archive` makes it."""

    __slots__ = ()

    @property
    def bus(self) -> RemoteBus:
        """The bus of the archive."""
        return RemoteBus(self._transport, self._at[0])


class RemoteReplay(_Replaying, kind="replay"):
    """A replay of a server; :meth:`RemoteArchive.replay` starts it."""

    __slots__ = ()

    @property
    def archive(self) -> RemoteArchive:
        """The archive of the replay."""
        return RemoteArchive(self._transport, *self._at[:2])


class RemoteStream(Remote, kind="stream"):
    """A stream of a server; :meth:`RemoteEngine.stream` makes it."""

    __slots__ = ()

    def put(self, data: bytes | str, *, key: str, **options: Any) -> Any:
        """Put a record into the shard of its key."""
        return self._ask("put", _bytes(data), key=key, **options)

    def read(
        self,
        shard: str | None = None,
        start: Any = "earliest",
        max: int = 1_000,
        wait: float = 0,
        *,
        after: str | None = None,
    ) -> list[RemoteRecord]:
        """Up to `max` records, those of one shard in their order; wait so long for the first."""
        given = {"shard": shard, "start": start, "max": max, "after": after}
        return list(_stepwise(self, "read", wait, given))


class RemoteReader(Remote, kind="reader"):
    """A member of a reader of a server; :meth:`RemoteStream.reader` joins it.

    The server holds it between the calls. One that is not closed leaves when its lease ends.
    """

    __slots__ = ()

    def fetch(self, max: int = 500, wait: float = 0) -> RemoteBatch:
        """The next records of the shards that this member holds; an empty batch if none comes."""
        batch: RemoteBatch = _stepwise(self, "fetch", wait, {"max": max})
        return batch

    def batches(self, max: int = 500, wait: float = 1) -> Iterator[RemoteBatch]:
        """Batches of up to `max` records, until none comes for `wait` seconds."""
        while batch := self.fetch(max, wait):
            yield batch

    def commit(self, batch: RemoteBatch) -> None:
        """Make durable that everything up to the end of `batch` was worked off."""
        self._ask("commit", batch.number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ask("close")


def _stepwise(on: Remote, verb: str, wait: float, given: dict[str, Any]) -> Any:
    """A call that waits for records, which a server lets wait for 20 seconds at most."""
    left = wait
    while True:
        found = on._ask(verb, **given, wait=min(left, STEP_SECONDS))
        left -= STEP_SECONDS
        if found or left <= 0:
            return found


class RemoteRedriveTask(Remote, kind="redrive-task"):
    """A move of dead letters on a server; :meth:`RemoteQueue.start_redrive` starts it."""

    __slots__ = ()

    def wait(self, timeout: Seconds | None = None) -> str:
        """Return the status when the move has ended; raise TimeoutError after `timeout` seconds."""
        return _replays.wait(lambda: str(self._ask("status")), timeout, "task")


class RemoteSchedule(Remote, kind="schedule"):
    """A schedule of a server; :meth:`RemoteEngine.schedule` makes it."""

    __slots__ = ()


class RemoteFunction(Remote, kind="function"):
    """A function that a server's process has; :meth:`RemoteEngine.function` finds it."""

    __slots__ = ()


class RemoteEventSource(Remote, kind="event-source"):
    """An event source of a server; :meth:`RemoteEngine.event_source` makes it."""

    __slots__ = ()

    @property
    def uuid(self) -> str:
        """The id, by which clients of Lambda name it."""
        return str(self._at[0])


class RemoteDeliveryStream(Remote, kind="delivery-stream"):
    """A delivery stream of a server; :meth:`RemoteEngine.delivery_stream` makes it."""

    __slots__ = ()


class RemoteApi(Remote, kind="api"):
    """An API that a server serves; :meth:`RemoteEngine.api` makes it."""

    __slots__ = ()

    def route(self, route: str, target: Any, **options: Any) -> RemoteApi:
        """Let a method and a path lead to a resource of the server; return the API."""
        self._ask("route", route, target, **options)
        return self

    @property
    def url(self) -> str:
        """Where the API is, without a slash at its end."""
        return f"{self._transport.url}{self._ask('path')}"
