"""What the verbs of a remote engine return."""

from __future__ import annotations

import json

from trunkline._dataclasses import asdict, dataclass
from trunkline.queues.rows import record_row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@dataclass(frozen=True)
class Sent:
    """A message that was sent."""

    message_id: str
    """Its id."""
    sequence_number: str | None = None
    """FIFO: its place in the order."""

    def as_dict(self) -> dict[str, Any]:
        """The members as plain data."""
        return asdict(self)


class Report:
    """A report of the library, with the members that it has in the server's process."""

    __slots__ = ("_kind", "_members", "_text")

    def __init__(self, kind: str, text: str, members: dict[str, Any]) -> None:
        self._kind = kind
        self._text = text
        self._members = members

    def __getattr__(self, name: str) -> Any:
        # A copy that is being made has no members yet.
        if name[:1] == "_" or name not in self._members:
            raise AttributeError(f"'{self._kind}' object has no attribute {name!r}")
        return self._members[name]

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._members})

    def as_dict(self) -> dict[str, Any]:
        """The members by name, as plain data."""
        return {name: _plain(one) for name, one in self._members.items()}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Report):
            return NotImplemented
        return (self._kind, self._members) == (other._kind, other._members)

    def __hash__(self) -> int:
        return hash((self._kind, self._text))

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        members = ", ".join(f"{name}={one!r}" for name, one in self._members.items())
        return f"<{self._kind}: {members}>"


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value.as_dict() if hasattr(value, "as_dict") else value


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


class RemoteBatch(list[RemoteRecord]):
    """Records that a member of a reader fetched; :meth:`RemoteReader.commit` takes it."""

    def __init__(self, number: int, records: list[RemoteRecord]) -> None:
        super().__init__(records)
        self.number: int = number
