"""The engine of another process, as far as its server tells it."""

from __future__ import annotations

from trunkline.errors import ServerUnreachable, UnsupportedOperation
from trunkline.remote.machines import RemoteMachine
from trunkline.remote.queue import RemoteQueue
from trunkline.remote.routes import RemoteBus, RemoteStream, RemoteTopic
from trunkline.remote.transport import Transport

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, NoReturn, Self


class RemoteEngine:
    """The resources of a server; :func:`trunkline.connect` makes it.

    Safe to use from many threads. A server that proves signatures (``--auth strict``) is for the
    clients of AWS alone.
    """

    def __init__(self, url: str, *, token: str | None = None, account: str, region: str) -> None:
        self._transport = Transport(url, token, account, region)

    @property
    def url(self) -> str:
        """The address of the server."""
        return self._transport.url

    def queue(self, name: str, *, create: bool = True, **options: Any) -> RemoteQueue:
        """Get the queue `name`, or create it, as :meth:`Engine.queue` does.

        A `dead_letter` is the name of its queue.
        """
        if create:
            self._create("queue", name, options)
        else:
            self._transport.owned("settings", queue=name)
        return RemoteQueue(self._transport, name)

    def queues(self, prefix: str = "") -> list[RemoteQueue]:
        """The queues whose name starts with `prefix`, sorted by name."""
        found: list[RemoteQueue] = []
        after = None
        while True:
            told = self._transport.owned("queues", prefix=prefix, after=after, limit=1_000)
            found += [RemoteQueue(self._transport, row["name"]) for row in told["items"]]
            after = told.get("next")
            if after is None:
                return found

    def topic(self, name: str, *, create: bool = True, **options: Any) -> RemoteTopic:
        """Get the topic `name`, or create it."""
        self._create("topic", name, options, create)
        return RemoteTopic(self._transport, name)

    def bus(self, name: str = "default", *, create: bool = True) -> RemoteBus:
        """Get the event bus `name`, or create it."""
        self._create("bus", name, {}, create)
        return RemoteBus(self._transport, name)

    def stream(self, name: str, *, create: bool = True, **options: Any) -> RemoteStream:
        """Get the stream `name`, or create it."""
        self._create("stream", name, options, create)
        return RemoteStream(self._transport, name)

    def machine(
        self, name: str, definition: Mapping[str, Any] | str | None = None
    ) -> RemoteMachine:
        """Get the state machine `name`; with a definition, create it or give it that one."""
        options = {} if definition is None else {"definition": definition}
        self._create("machine", name, options)
        return RemoteMachine(self._transport, name)

    def stats(self) -> dict[str, Any]:
        """How the engine stands: resources, messages, the journal, the clock."""
        return dict(self._transport.verb("stats"))

    def close(self) -> None:
        """Close the connections that are idle; the next call makes one anew."""
        self._transport.close()

    def _create(self, kind: str, name: str, options: dict[str, Any], create: bool = True) -> None:
        given = dict(options) if create else {**options, "create": False}
        self._transport.owned("create", kind=kind, name=name, options=given)

    def __getattr__(self, name: str) -> NoReturn:
        from trunkline.engine import Engine

        if name[:1] != "_" and hasattr(Engine, name):
            raise UnsupportedOperation(
                f"{name} of an engine does not work over a connection; there are queue, queues, "
                "topic, bus, stream, machine and stats. Use a client of AWS, or open the folder."
            )
        raise AttributeError(f"'RemoteEngine' object has no attribute {name!r}")

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

    It has the queues, topics, buses, streams and state machines of that engine; what does not work
    over a connection raises UnsupportedOperation. Nothing beside the standard library is needed.
    `token` is the server's admin token, if it has one.

    Raises ServerUnreachable if nothing answers there.

    >>> import trunkline, trunkline.server
    >>> with trunkline.server.Server(trunkline.open(), port=0) as server:
    ...     queue = trunkline.connect(server.url).queue("orders")
    ...     sent = queue.send("one coffee")
    ...     [message.text() for message in queue.receive()]
    ['one coffee']
    """
    engine = RemoteEngine(url, token=token, account=account, region=region)
    # Now, and not at the first message: whether something answers there, and lets us in.
    if "version" not in engine.stats():
        raise ServerUnreachable(f"{engine.url} is no server of Trunkline.")
    return engine
