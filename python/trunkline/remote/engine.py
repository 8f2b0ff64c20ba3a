"""The engine of another process, as far as its server tells it."""

from __future__ import annotations

from trunkline.errors import ServerUnreachable, UnsupportedOperation
from trunkline.limits import Limits
from trunkline.remote.bucket import RemoteBucket
from trunkline.remote.machines import RemoteMachine
from trunkline.remote.noun import Remote
from trunkline.remote.queue import RemoteQueue
from trunkline.remote.routes import (
    RemoteApi,
    RemoteBus,
    RemoteDeliveryStream,
    RemoteEventSource,
    RemoteFunction,
    RemoteSchedule,
    RemoteStream,
    RemoteTopic,
)
from trunkline.remote.transport import Transport

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Self


class RemoteEngine(Remote, kind="engine"):
    """The resources of a server; :func:`trunkline.connect` makes it.

    Safe to use from many threads. A server that proves signatures (``--auth strict``) is for the
    clients of AWS alone. What takes a target takes what this connection gives, a URL, or an ARN.
    """

    __slots__ = ()

    @property
    def name(self) -> str:
        """The address of the server."""
        return self._transport.url

    @property
    def url(self) -> str:
        """The address of the server."""
        return self._transport.url

    @property
    def limits(self) -> Limits:
        """The table of bounds of the server."""
        return Limits(**self._transport.verb("limits")["limits"])

    def queue(self, name: str, *, create: bool = True, **options: Any) -> RemoteQueue:
        """Get the queue `name`, or create it, as :meth:`trunkline.Engine.queue` does."""
        if any(option.startswith("payload_") for option in options):
            raise UnsupportedOperation(
                "payload_store does not work over a connection: Amazon's extended client of SQS "
                "does the same against a server."
            )
        found: RemoteQueue = self._ask("queue", name, create=create, **options)
        return found

    def queues(self, prefix: str = "") -> list[RemoteQueue]:
        """The queues whose name starts with `prefix`, sorted by name."""
        return list(self._ask("queues", prefix))

    def topic(self, name: str, *, create: bool = True, **options: Any) -> RemoteTopic:
        """Get the topic `name`, or create it."""
        found: RemoteTopic = self._ask("topic", name, create=create, **options)
        return found

    def bus(self, name: str = "default", *, create: bool = True) -> RemoteBus:
        """Get the event bus `name`, or create it."""
        found: RemoteBus = self._ask("bus", name, create=create)
        return found

    def stream(self, name: str, *, create: bool = True, **options: Any) -> RemoteStream:
        """Get the stream `name`, or create it."""
        found: RemoteStream = self._ask("stream", name, create=create, **options)
        return found

    def machine(
        self,
        name: str,
        definition: Mapping[str, Any] | str | None = None,
        *,
        functions: Mapping[str, Callable[[Any], object]] | None = None,
    ) -> RemoteMachine:
        """Get the state machine `name`; with a definition, create it or give it that one."""
        found: RemoteMachine = self._ask("machine", name, definition, functions=functions)
        return found

    def schedule(self, name: str, expression: str, target: Any, **options: Any) -> RemoteSchedule:
        """Get the schedule `name`, or create it, as :meth:`trunkline.Engine.schedule` does."""
        found: RemoteSchedule = self._ask("schedule", name, expression, target, **options)
        return found

    def bucket(self, name: str, *, create: bool = True) -> RemoteBucket:
        """Get the bucket `name`, or create it."""
        found: RemoteBucket = self._ask("bucket", name, create=create)
        return found

    def function(
        self, name: str, handler: Callable[[Any, Any], object] | None = None, **options: Any
    ) -> RemoteFunction:
        """The function `name` of the server's process; its code cannot be given from here."""
        found: RemoteFunction = self._ask("function", name, handler, **options)
        return found

    def event_source(self, source: Any, function: Any, **options: Any) -> RemoteEventSource:
        """Let a function of the server have the messages of a queue or the records of a stream."""
        found: RemoteEventSource = self._ask("event_source", source, function, **options)
        return found

    def delivery_stream(
        self, name: str, destination: Any = None, **options: Any
    ) -> RemoteDeliveryStream:
        """Get the delivery stream `name`, or create it."""
        found: RemoteDeliveryStream = self._ask("delivery_stream", name, destination, **options)
        return found

    def api(self, name: str) -> RemoteApi:
        """Get the API `name`, or create it."""
        found: RemoteApi = self._ask("api", name)
        return found

    def stats(self) -> dict[str, Any]:
        """How the engine stands: resources, messages, the journal, the clock."""
        return dict(self._transport.verb("stats"))

    def close(self) -> None:
        """Close the connections that are idle; the next call makes one anew."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<RemoteEngine {self.url}>"


def connect(
    url: str,
    *,
    token: str | None = None,
    account: str = "000000000000",
    region: str = "us-east-1",
) -> RemoteEngine:
    """The engine of another process, which ``trunkline serve`` or a `Server` serves at `url`.

    It has what that engine has, by the same names: queues, topics, buses with their rules and
    archives, streams, state machines, schedules, buckets, functions and APIs. What cannot work over
    a connection, such as a target that is a function of this program, raises UnsupportedOperation.
    Nothing beside the standard library is needed.
    `token` is the server's admin token, if it has one.

    Raises ServerUnreachable if nothing answers there.

    >>> import trunkline, trunkline.server
    >>> with trunkline.server.Server(trunkline.open(), port=0) as server:
    ...     queue = trunkline.connect(server.url).queue("orders")
    ...     sent = queue.send("one coffee")
    ...     [message.text() for message in queue.receive()]
    ['one coffee']
    """
    engine = RemoteEngine(Transport(url, token, account, region))
    # Now, and not at the first message: whether something answers there, and lets us in.
    if "version" not in engine.stats():
        raise ServerUnreachable(f"{engine.url} is no server of Trunkline.")
    return engine
