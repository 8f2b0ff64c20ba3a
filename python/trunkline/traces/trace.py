"""What a trace tells, and its switch."""

from __future__ import annotations

from datetime import UTC, datetime

from trunkline._dataclasses import asdict, dataclass
from trunkline.errors import InvalidParameterValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from trunkline._core_reports import Trace as CoreTrace
    from trunkline._types import TraceMode

BYTES_MAX = 1 << 32
"""The largest bound of the memory of a trace."""


def rate(mode: TraceMode) -> float:
    """The part of what comes in that a mode follows."""
    if mode == "off":
        return 0.0
    if mode == "on":
        return 1.0
    is_number = isinstance(mode, int | float) and not isinstance(mode, bool)
    if not is_number or not 0 <= mode <= 1:
        raise InvalidParameterValue(
            f"Value {mode!r} for parameter trace is invalid. Reason: Must be 'off', 'on', or the "
            "part of the messages that is followed, from 0 to 1."
        )
    return float(mode)


class _Plain:
    __slots__ = ()

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data, for JSON."""
        return asdict(self)  # type: ignore[call-overload, no-any-return]


@dataclass(frozen=True)
class TraceEntry(_Plain):
    """One thing that happened to a message, an event or a record.

    >>> import trunkline
    >>> engine = trunkline.open(trace="on")
    >>> sent = engine.queue("orders").send("one coffee")
    >>> entry = engine.trace(sent.message_id).entries[0]
    >>> entry.what, entry.kind, entry.name
    ('accepted', 'queue', 'orders')
    """

    id: str
    """The id of what it happened to."""
    at: float
    """When, in seconds since the epoch, on the engine's clock."""
    what: str
    """What happened: accepted, duplicate, matched, unmatched, delivered, received, returned,
    extended, failed, dead_lettered, moved, expired, deleted, read, archived or purged."""
    kind: str
    """The kind of the resource where it happened, such as ``"queue"``."""
    name: str
    """The name of that resource."""
    account: str
    """The account of that resource."""
    region: str
    """The region of that resource."""
    detail: str
    """What else there is to say."""
    cause: str | None
    """The id of what it came from, if it begins here: a message in a queue, of its publish."""

    def __str__(self) -> str:
        moment = datetime.fromtimestamp(self.at, UTC)
        time = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        words = self.what.replace("_", " ")
        detail = f": {self.detail}" if self.detail else ""
        made = f" as {self.id}" if self.cause is not None else ""
        return f"{time}  {words:13} {self.kind} {self.name}{made}{detail}"


@dataclass(frozen=True)
class Trace(_Plain):
    """What happened to one id, as :meth:`Engine.trace` tells it, oldest first.

    >>> import trunkline
    >>> engine = trunkline.open(trace="on")
    >>> sent = engine.queue("orders").send("one coffee")
    >>> [entry.what for entry in engine.trace(sent.message_id)]
    ['accepted']
    """

    id: str
    """What was asked for."""
    entries: tuple[TraceEntry, ...]
    """What happened to it, to what led to it, and to what came from it."""
    left_out: int
    """Entries that the answer leaves out, because it would have more than 10,000."""
    dropped: int
    """Entries, of whatever id, that the engine has dropped so far because the memory was full."""

    def __iter__(self) -> Iterator[TraceEntry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __str__(self) -> str:
        lines = [str(entry) for entry in self.entries] or [f"Nothing is known of {self.id}."]
        if self.left_out:
            lines.append(f"{self.left_out} more entries are left out.")
        if self.dropped:
            lines.append(f"{self.dropped} older entries were dropped; some may be missing here.")
        return "\n".join(lines)


@dataclass(frozen=True)
class TraceStatistics(_Plain):
    """How the trace of an engine stands.

    >>> import trunkline
    >>> trunkline.open(trace="on").tracing.statistics().rate
    1.0
    """

    rate: float
    """The part of what comes in that is followed: 0 when the trace is off, 1 when it is on."""
    entries: int
    """Entries in memory."""
    dropped: int
    """Entries that were dropped, oldest first, because the memory was full."""
    bytes: int
    """The memory that the entries have."""
    max_bytes: int
    """The bound of that memory."""


class Tracing:
    """The switch of an engine's trace, as :attr:`Engine.tracing`.

    The trace is in memory: closing the engine ends it, and a copy of the engine begins with none.
    It has 16 MiB at most, unless :meth:`set` says another bound; the oldest entries are dropped
    first, and counted.

    >>> import trunkline
    >>> engine = trunkline.open()
    >>> engine.tracing.set("on")
    >>> sent = engine.queue("orders").send("one coffee")
    >>> engine.tracing.statistics().entries
    1
    """

    __slots__ = ("_core",)

    def __init__(self, core: CoreTrace) -> None:
        self._core = core

    def set(self, mode: TraceMode, *, max_bytes: int | None = None) -> None:
        """Follow what comes in from now on: ``"on"`` all, ``"off"`` nothing, 0.01 one in a hundred.

        With a part, chance decides about each message, event or record that comes from outside;
        what comes from one that is followed is followed too. `max_bytes` bounds the memory, in
        steps of 64 KiB.

        Raises InvalidParameterValue for any other mode.
        """
        wanted = rate(mode)
        if max_bytes is not None:
            from trunkline import validation

            validation.count(max_bytes, "max_bytes", 1, BYTES_MAX)
            self._core.set_bytes_max(max_bytes)
        self._core.set_rate(wanted)

    def clear(self) -> None:
        """Forget every entry."""
        self._core.clear()

    def statistics(self) -> TraceStatistics:
        """How the trace stands."""
        return TraceStatistics(*self._core.statistics())

    def __repr__(self) -> str:
        now = self.statistics()
        return f"<Tracing: rate {now.rate:g}, {now.entries} entries>"


def read(core: CoreTrace, wanted: str) -> Trace:
    """What happened to one id."""
    if not isinstance(wanted, str):
        raise TypeError(
            f"id must be the text of an id, not {type(wanted).__name__}: that of a message or an "
            "event, or the sequence number of a record"
        )
    entries, left_out, dropped = core.of(wanted)
    made = tuple(
        TraceEntry(id, at / 1000, what, kind, name, account, region, detail, cause)
        for id, at, what, kind, account, region, name, detail, cause in entries
    )
    return Trace(wanted, made, left_out, dropped)
