"""Stagger windows: one for each key, which begins with the key's first row."""

from __future__ import annotations

from trunkline._dataclasses import dataclass
from trunkline.analytics.windows import Window
from trunkline.aws.kinesisanalyticsv2.sql.schema import RAW

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@dataclass(slots=True)
class _Open:
    start: int
    parts: list[Any]


class Staggers:
    """The windows of a pump with ``WINDOWED BY STAGGER``."""

    at_once = False

    def __init__(self, connection: Any, keys: str, size: int) -> None:
        self._connection = connection
        self._keys = keys
        self._size = size
        self._open: dict[tuple[Any, ...], _Open] = {}
        self._over: list[_Open] = []

    def add(self, table: Any, times: Any, watermark: int) -> tuple[Any, int]:
        """As of :class:`trunkline.analytics.windows.Windows`; the number is the newest time."""
        import pyarrow

        self._connection.register(RAW, table)
        try:
            keys = self._connection.execute(self._keys).fetchall()
        finally:
            self._connection.unregister(RAW)
        late, last = [], 0
        for place, (key, at) in enumerate(zip(keys, times.to_pylist(), strict=True)):
            known = self._open.get(key)
            if known is not None and at >= known.start + self._size:
                self._over.append(self._open.pop(key))
                known = None
            is_late = known is None and at + self._size <= watermark
            late.append(is_late)
            if is_late:
                continue
            if known is None:
                known = self._open[key] = _Open(at, [])
            known.parts.append(table.slice(place, 1))
            last = max(last, at)
        return pyarrow.array(late, pyarrow.bool_()), last

    def is_over(self, last: int, watermark: int) -> bool:
        """Whether no open window has a row as old as the last one that :meth:`add` took."""
        left = [one.start for one in (*self._open.values(), *self._over)]
        return last < min(left, default=last + 1)

    def close(self, watermark: int) -> list[Window]:
        """The windows that are over, by their ends."""
        for key, one in list(self._open.items()):
            if one.start + self._size <= watermark:
                self._over.append(self._open.pop(key))
        over, self._over = sorted(self._over, key=lambda one: one.start), []
        return [Window(one.start, one.start + self._size, one.parts) for one in over]
