"""What the verbs of a remote engine return."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from trunkline.queues.rows import record_row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Plain:
    def as_dict(self) -> dict[str, Any]:
        """The members as plain data."""
        return asdict(self)  # type: ignore[call-overload, no-any-return]


@dataclass(frozen=True)
class Sent(_Plain):
    """A message that was sent."""

    message_id: str
    """Its id."""
    sequence_number: str | None = None
    """FIFO: its place in the order."""


@dataclass(frozen=True)
class Published(_Plain):
    """A message that was published."""

    message_id: str
    """Its id."""


@dataclass(frozen=True)
class Put(_Plain):
    """A record that was put into a stream."""

    shard: str
    """The shard that has it."""
    sequence: str
    """Its place in the shard."""


@dataclass(frozen=True)
class PutEvent(_Plain):
    """An event that was put on a bus."""

    event_id: str
    """Its id."""


@dataclass(frozen=True)
class RemoteStatistics:
    """How a queue of a server stands."""

    visible: int
    """Messages that a receive may deliver."""
    in_flight: int
    """Messages that are leased."""
    delayed: int
    """Messages whose delay has not ended."""
    oldest_age: float | None
    """Seconds since the oldest message was sent; None if there is none."""

    @property
    def total(self) -> int:
        """All messages."""
        return self.visible + self.in_flight + self.delayed

    def as_dict(self) -> dict[str, Any]:
        """The values by name."""
        return {**asdict(self), "total": self.total}


@dataclass(frozen=True)
class RemoteRecord:
    """A record of a stream of a server."""

    sequence: str
    """Its place in the shard: digits that grow from record to record."""
    shard: str
    """The shard that it is in."""
    timestamp: float
    """When it was put, in seconds since the epoch."""
    key: str
    """Its partition key."""
    data: bytes
    """Its data."""

    def text(self) -> str:
        """The data as text."""
        return self.data.decode()

    def json(self) -> Any:
        """The data, read as JSON."""
        return json.loads(self.data)

    def as_dict(self) -> dict[str, Any]:
        """The values by name, to be logged or written as JSON."""
        return record_row(self)
