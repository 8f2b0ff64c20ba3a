"""What the verbs of a remote engine return."""

from __future__ import annotations

from dataclasses import asdict, dataclass

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
