"""Messages of a server: those that are received, and those that are looked at."""

from __future__ import annotations

import json
from base64 import b64decode

from trunkline.admin.forms import attributes_of, bytes_of
from trunkline.queues.rows import message_row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Any, Self

    from trunkline.remote.queue import RemoteQueue


class RemotePeekedMessage:
    """A message of a server that is looked at: :meth:`RemoteQueue.peek` returns them."""

    __slots__ = ("_row", "attributes", "body", "queue_name")

    def __init__(self, queue_name: str, row: dict[str, Any]) -> None:
        self._row = row
        self.queue_name: str = queue_name
        self.body: bytes = bytes_of(row.get("body"), row.get("body_base64"))
        self.attributes: dict[str, Any] = attributes_of(row.get("attributes")) or {}

    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)

    def as_dict(self) -> dict[str, Any]:
        """The values by name, to be logged or written as JSON."""
        return dict(self._row)

    @property
    def message_id(self) -> str:
        """Its id, the same in every delivery."""
        return str(self._row["message_id"])

    @property
    def receive_count(self) -> int:
        """How often it was received."""
        return int(self._row["receive_count"])

    @property
    def sent_at(self) -> float:
        """When it was sent, in seconds since the epoch."""
        return float(self._row["sent_at"])

    @property
    def first_received_at(self) -> float | None:
        """When it was received for the first time, in seconds since the epoch."""
        return self._row.get("first_received_at")

    @property
    def group(self) -> str | None:
        """Its message group."""
        return self._row.get("group")

    @property
    def dedup_id(self) -> str | None:
        """FIFO: its deduplication id."""
        return self._row.get("dedup_id")

    @property
    def sequence_number(self) -> str | None:
        """FIFO: its place in the order."""
        return self._row.get("sequence_number")

    @property
    def trace_header(self) -> str | None:
        """What traces it, as AWS X-Ray writes it (``AWSTraceHeader``)."""
        return self._row.get("trace_header")

    @property
    def dead_letter_source(self) -> str | None:
        """The queue that gave it up, if it is a dead letter."""
        return self._row.get("dead_letter_source")

    def __repr__(self) -> str:
        return f"<RemotePeekedMessage {self.message_id} of {self.queue_name!r}>"


class RemoteMessage:
    """A message that was received from a server: as a context manager it is deleted at the end,
    and given back if an exception ends the block."""

    __slots__ = ("_outcome", "_queue", "_system", "attributes", "body", "message_id", "receipt")

    def __init__(self, queue: RemoteQueue, told: Mapping[str, Any]) -> None:
        self._queue = queue
        self._outcome: str | None = None
        self._system: dict[str, str] = told.get("Attributes", {})
        self.body: bytes = str(told["Body"]).encode()
        self.message_id: str = str(told["MessageId"])
        self.receipt: str = str(told["ReceiptHandle"])
        attributes = told.get("MessageAttributes", {})
        self.attributes: dict[str, Any] = {
            name: _attribute(one) for name, one in attributes.items()
        }

    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)

    def as_dict(self) -> dict[str, Any]:
        """The values by name, to be logged or written as JSON."""
        return message_row(self)

    @property
    def receive_count(self) -> int:
        """How often it was received."""
        return int(self._system["ApproximateReceiveCount"])

    @property
    def sent_at(self) -> float:
        """When it was sent, in seconds since the epoch."""
        return int(self._system["SentTimestamp"]) / 1_000

    @property
    def group(self) -> str | None:
        """Its message group."""
        return self._system.get("MessageGroupId")

    @property
    def dedup_id(self) -> str | None:
        """FIFO: its deduplication id."""
        return self._system.get("MessageDeduplicationId")

    @property
    def sequence_number(self) -> str | None:
        """FIFO: its place in the order."""
        return self._system.get("SequenceNumber")

    @property
    def first_received_at(self) -> float | None:
        """When it was received for the first time, in seconds since the epoch."""
        return int(self._system["ApproximateFirstReceiveTimestamp"]) / 1_000 or None

    @property
    def dead_letter_source(self) -> str | None:
        """The queue that gave it up, if it is a dead letter."""
        arn = self._system.get("DeadLetterQueueSourceArn")
        return None if arn is None else arn.rpartition(":")[2]

    @property
    def trace_header(self) -> str | None:
        """What traces it, as AWS X-Ray writes it (``AWSTraceHeader``)."""
        return self._system.get("AWSTraceHeader")

    @property
    def queue_name(self) -> str:
        """The queue that it was received from."""
        return self._queue.name

    def delete(self) -> None:
        """Delete it: it is done."""
        self._queue.delete(self)

    def extend(self, visibility_timeout: float) -> None:
        """Let the lease end so many seconds from now."""
        self._queue.extend(self, visibility_timeout)

    def release(self, delay: float = 0) -> None:
        """Give it back, to be received again after `delay` seconds."""
        self._queue.extend(self, delay)
        self._outcome = "released"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._outcome is not None:
            return
        if kind is None:
            self.delete()
        else:
            self.release()

    def __repr__(self) -> str:
        return f"<RemoteMessage {self.message_id} of {self.queue_name!r}>"


def _attribute(told: Mapping[str, Any]) -> Any:
    """An attribute as a queue in the process gives it."""
    kind: str = told["DataType"]
    if kind == "Number":
        text = told["StringValue"]
        try:
            return int(text)
        except ValueError:
            return float(text)
    value = b64decode(told["BinaryValue"]) if kind.startswith("Binary") else told["StringValue"]
    return value if kind in ("String", "Binary") else (kind, value)
