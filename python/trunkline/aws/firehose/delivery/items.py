"""Records on their way from the buffer to objects."""

from __future__ import annotations

import base64
import json

from trunkline._dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trunkline._core import Record


@dataclass(slots=True)
class Item:
    """A record, or a part of one that was taken apart."""

    data: bytes
    source: Record
    keys: dict[str, str] = field(default_factory=dict)
    """The partition keys, as ``partitionKeyFromQuery:name``."""

    @property
    def arrived(self) -> float:
        """When the record came, in seconds since the epoch."""
        return self.source.timestamp


@dataclass(slots=True)
class Failure:
    """A record that was given up, and why."""

    kind: str
    """The error-output-type."""
    item: Item
    code: str
    message: str
    attempts: int
    at: float
    details: dict[str, object] = field(default_factory=dict)

    def line(self) -> bytes:
        """What is written of it: a line of JSON."""
        is_conversion = self.kind == "format-conversion-failed"
        last = "last" if is_conversion else ""
        told = {
            "attemptsMade": self.attempts,
            "arrivalTimestamp": int(self.item.arrived * 1_000),
            f"{last}ErrorCode" if last else "errorCode": self.code,
            f"{last}ErrorMessage" if last else "errorMessage": self.message,
            "attemptEndingTimestamp": int(self.at * 1_000),
            "rawData": base64.b64encode(self.item.data).decode(),
            **self.details,
        }
        return json.dumps(told, separators=(",", ":")).encode() + b"\n"


def groups(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Items in groups that hold `size` bytes, or just more."""
    group: list[Item] = []
    held = 0
    for item in items:
        group.append(item)
        held += len(item.data)
        if held >= size:
            yield group
            group, held = [], 0
    if group:
        yield group
