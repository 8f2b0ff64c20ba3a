"""Which windows a row belongs to, and which of them are over."""

from __future__ import annotations

from typing import Protocol

from trunkline._dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from trunkline.analytics.statement import Statement

_RUNS_MAX = 16
"""Runs of rows of one window that are taken out of a batch as they lie; more are sorted first."""


@dataclass(slots=True)
class Window:
    """A window that is over. Times are microseconds since the epoch."""

    start: int
    end: int
    parts: list[Any]
    """Its rows, as tables."""


class Windows(Protocol):
    """Puts rows into windows."""

    at_once: bool
    """Whether windows are over without waiting for a time."""

    def add(self, table: Any, times: Any, watermark: int) -> tuple[Any, int]:
        """Takes rows with their times; returns a mask of those that are late for all of their
        windows, or None if none is, and a number for :meth:`is_over`."""

    def is_over(self, last: int, watermark: int) -> bool:
        """Whether the windows are over that :meth:`add` told the number of."""

    def close(self, watermark: int) -> list[Window]:
        """The windows that are over, in order."""


class Batches:
    """No windows: rows are worked off as they come."""

    at_once = True

    def __init__(self) -> None:
        self._parts: list[Any] = []
        self._number = 0

    def add(self, table: Any, times: Any, watermark: int) -> tuple[Any, int]:
        """As of :class:`Windows`; no row is late."""
        if table.num_rows:
            self._parts.append(table)
            self._number += 1
        return None, self._number

    def is_over(self, last: int, watermark: int) -> bool:
        """Whether that batch was handed out."""
        return not self._parts

    def close(self, watermark: int) -> list[Window]:
        """What was taken since the last call."""
        parts, self._parts = self._parts, []
        return [Window(self._number, self._number, parts)] if parts else []


class FixedWindows:
    """Windows of one size, which begin at fixed times: tumbling and hopping ones."""

    at_once = False

    def __init__(self, statement: Statement) -> None:
        self._size, self._slide = statement.size, statement.slide
        self._open: dict[int, list[Any]] = {}

    def add(self, table: Any, times: Any, watermark: int) -> tuple[Any, int]:
        """Takes rows with their times; returns a mask of those that are late for all of their
        windows, or None, and the end of the last window that took one."""
        import pyarrow.compute as compute

        only = self._only(times)
        if only is not None and only + self._size > watermark:
            self._open.setdefault(only, []).append(table)
            return None, only + self._size
        first = compute.multiply(compute.divide(times, self._slide), self._slide)
        taken = None
        last = 0
        for step in range(-(-self._size // self._slide)):
            starts = compute.subtract(first, step * self._slide)
            ends = compute.add(starts, self._size)
            fits = compute.and_(compute.greater(ends, times), compute.greater(ends, watermark))
            taken = fits if taken is None else compute.or_(taken, fits)
            last = max(last, self._put(table, starts, fits))
        return compute.invert(taken), last

    def _only(self, times: Any) -> int | None:
        """The start of the one window that all times are in, if there is one. A stream in the order
        of its times is, but for some batches."""
        import pyarrow.compute as compute

        bounds = compute.min_max(times).as_py()
        oldest, newest = bounds["min"], bounds["max"]
        if self._slide != self._size or oldest is None or oldest < 0:
            return None
        start = oldest // self._size * self._size
        return int(start) if newest < start + self._size else None

    def _put(self, table: Any, starts: Any, fits: Any) -> int:
        """Puts the rows that fit into the windows that start then; returns the last one's end."""
        import pyarrow.compute as compute

        if not compute.all(fits).as_py():
            table, starts = table.filter(fits), starts.filter(fits)
        if not table.num_rows:
            return 0
        bounds = compute.min_max(starts)
        first, last = bounds["min"].as_py(), bounds["max"].as_py()
        if first == last:
            self._open.setdefault(first, []).append(table)
            return int(last + self._size)
        for start, rows in _runs(table, starts):
            self._open.setdefault(start, []).append(rows)
        return int(last + self._size)

    def is_over(self, last: int, watermark: int) -> bool:
        """Whether the windows are over that :meth:`add` told the end of."""
        return last <= watermark

    def close(self, watermark: int) -> list[Window]:
        """The windows that are over, in order."""
        over = sorted(start for start in self._open if start + self._size <= watermark)
        return [Window(start, start + self._size, self._open.pop(start)) for start in over]


def _runs(table: Any, starts: Any) -> Iterator[tuple[int, Any]]:
    """The rows of each start, which is not null."""
    import pyarrow.compute as compute

    runs = compute.run_end_encode(starts)
    if len(runs.values) > _RUNS_MAX:
        # Sorted once, each row is copied once, whatever the number of windows.
        order = compute.sort_indices(starts)
        table, runs = table.take(order), compute.run_end_encode(starts.take(order))
    at = 0
    for start, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
        yield start, table.slice(at, end - at)
        at = end


@dataclass(slots=True)
class _Session:
    start: int
    last: int
    parts: list[Any] = field(default_factory=list)


class Sessions:
    """Windows by key that end when nothing came for a while."""

    at_once = False

    def __init__(self, statement: Statement) -> None:
        self._gap = statement.size
        self._column = statement.partition or ""
        self._open: dict[Any, list[_Session]] = {}

    def add(self, table: Any, times: Any, watermark: int) -> tuple[Any, int]:
        """As of :class:`FixedWindows`; the number is the time of the last row that was taken."""
        import pyarrow

        if self._column in table.column_names:
            keys = table.column(self._column).to_pylist()
        else:
            keys = [None] * table.num_rows
        late, last = [], 0
        for place, (key, at) in enumerate(zip(keys, times.to_pylist(), strict=True)):
            known = self._open.setdefault(key, [])
            near = [one for one in known if one.start - self._gap < at < one.last + self._gap]
            is_late = not near and at + self._gap <= watermark
            late.append(is_late)
            if is_late:
                continue
            merged = _Session(at, at, [table.slice(place, 1)])
            for one in near:
                known.remove(one)
                merged.start, merged.last = min(merged.start, one.start), max(merged.last, one.last)
                merged.parts = one.parts + merged.parts
            known.append(merged)
            last = max(last, at)
        return pyarrow.array(late, pyarrow.bool_()), last

    def is_over(self, last: int, watermark: int) -> bool:
        """Whether no open session has a row as old as the last one that :meth:`add` took."""
        starts = (one.start for known in self._open.values() for one in known)
        return last < min(starts, default=last + 1)

    def close(self, watermark: int) -> list[Window]:
        """The sessions that are over, by their ends."""
        over = []
        for key, known in list(self._open.items()):
            over += [one for one in known if one.last + self._gap <= watermark]
            self._open[key] = [one for one in known if one.last + self._gap > watermark]
            if not self._open[key]:
                del self._open[key]
        over.sort(key=lambda one: (one.last, one.start))
        return [Window(one.start, one.last + self._gap, one.parts) for one in over]


def windows_of(statement: Statement) -> FixedWindows | Sessions:
    """The windows of a statement."""
    return Sessions(statement) if statement.kind == "SESSION" else FixedWindows(statement)
