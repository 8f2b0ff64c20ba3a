"""Topics, buses and streams of a server."""

from __future__ import annotations

from trunkline.admin.forms import bytes_of
from trunkline.queues.rows import content
from trunkline.remote.arguments import mapping, plain_attributes
from trunkline.remote.queue import RemoteQueue
from trunkline.remote.results import Published, Put, PutEvent, RemoteRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.remote.transport import Transport


def _bytes(data: bytes | str) -> bytes:
    if isinstance(data, str):
        return data.encode()
    # bytes(5) would be five bytes of zero.
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"the content must be bytes or str, not {type(data).__name__}")
    return bytes(data)


def _queue_name_of(queue: object) -> str:
    """The name of a queue of a server; raises TypeError for anything else."""
    # The queue of `trunkline.aio.connect` stands for one of these.
    found = getattr(queue, "sync", queue)
    if not isinstance(found, RemoteQueue):
        kind = type(queue).__name__
        raise TypeError(f"queue must be a queue of the same connection, not {kind}")
    return found.name


class Remote:
    """What a server has under a name."""

    __slots__ = ("_transport", "name")

    _kind = ""

    def __init__(self, transport: Transport, name: str) -> None:
        self.name: str = name
        self._transport = transport

    def remove(self) -> None:
        """Remove it with everything in it."""
        self._transport.owned("remove", kind=self._kind, name=self.name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} at {self._transport.url}>"


class RemoteTopic(Remote):
    """A topic of a server; :meth:`RemoteEngine.topic` makes it."""

    __slots__ = ()

    _kind = "topic"

    def publish(
        self,
        body: bytes | str,
        *,
        subject: str | None = None,
        attributes: Mapping[str, Any] | None = None,
        group: str | None = None,
        dedup_id: str | None = None,
    ) -> Published:
        """Publish a message to the subscriptions."""
        told = self._transport.owned(
            "publish",
            topic=self.name,
            subject=subject,
            attributes=plain_attributes(attributes),
            group=group,
            dedup_id=dedup_id,
            **content(_bytes(body)),
        )
        return Published(told["message_id"])

    def subscribe(
        self, queue: RemoteQueue, *, raw: bool = False, filter: Mapping[str, Any] | None = None
    ) -> str:
        """Subscribe a queue of the same server; the ARN of the subscription."""
        policy = None if filter is None else mapping(filter, "filter")
        to = _queue_name_of(queue)
        arguments = {"topic": self.name, "queue": to, "raw": raw, "filter": policy}
        return str(self._transport.owned("subscribe", **arguments)["arn"])

    def subscriptions(self) -> list[dict[str, Any]]:
        """The subscriptions as plain data."""
        told = self._transport.owned("subscriptions", topic=self.name)
        found: list[dict[str, Any]] = told["subscriptions"]
        return found


class RemoteBus(Remote):
    """An event bus of a server; :meth:`RemoteEngine.bus` makes it."""

    __slots__ = ()

    _kind = "bus"

    def put(self, event: Mapping[str, Any], *, trace_header: str | None = None) -> PutEvent:
        """Put an event, with the header of its trace if it has one."""
        told = self._transport.owned(
            "put", bus=self.name, event=mapping(event, "event"), trace_header=trace_header
        )
        return PutEvent(told["event_id"])

    def rules(self) -> list[dict[str, Any]]:
        """The rules as plain data."""
        found: list[dict[str, Any]] = self._transport.owned("rules", bus=self.name)["rules"]
        return found

    def explain(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """For each rule whether the event would match it, and if not, why not."""
        told = self._transport.owned("explain", bus=self.name, event=mapping(event, "event"))
        rules: dict[str, Any] = told["rules"]
        return rules


class RemoteStream(Remote):
    """A stream of a server; :meth:`RemoteEngine.stream` makes it."""

    __slots__ = ()

    _kind = "stream"

    def put(self, data: bytes | str, *, key: str) -> Put:
        """Put a record into the shard of its key."""
        given = content(_bytes(data), "data")
        told = self._transport.owned("put-record", stream=self.name, key=key, **given)
        return Put(told["shard"], told["sequence"])

    def read(
        self,
        shard: str | None = None,
        start: str | float = "earliest",
        max: int = 1_000,
        wait: float = 0,
        *,
        after: str | None = None,
    ) -> list[RemoteRecord]:
        """Up to `max` records, those of one shard in their order."""
        told = self._transport.owned(
            "records",
            stream=self.name,
            shard=shard,
            start=start,
            max=max,
            wait=wait,
            after=after,
        )
        return [_record(one) for one in told["records"]]


def _record(told: dict[str, Any]) -> RemoteRecord:
    data = bytes_of(told.pop("data", None), told.pop("data_base64", None), "data")
    return RemoteRecord(**told, data=data)
