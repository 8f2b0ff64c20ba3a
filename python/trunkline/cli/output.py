"""What the verbs print: tables for people, JSON lines for programs."""

from __future__ import annotations

import json
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

PATIENCE = 2.0
"""Seconds after which progress is shown."""

LAST_MIN = 40
"""The least width of a last column that is cut: a body that shows nothing helps less than a line
that goes on."""

PAUSE = 0.2
"""Seconds between two looks of progress."""


def is_json(options: argparse.Namespace) -> bool:
    """Whether to print JSON: as told, and otherwise where no terminal reads."""
    return bool(options.json or not (options.table or sys.stdout.isatty()))


def rows(
    options: argparse.Namespace, found: Iterable[Mapping[str, Any]], columns: Sequence[str]
) -> None:
    """Prints rows: all of their members as JSON lines, or `columns` as a table."""
    if is_json(options):
        for row in found:
            line(row)
        return
    found = list(found)
    if not found:
        print("none")
        return
    table([[_cell(name, row.get(name)) for name in columns] for row in found], columns)


def line(row: object) -> None:
    """Prints one JSON line at once, for whatever reads it."""
    print(json.dumps(row, ensure_ascii=False, separators=(",", ":")), flush=True)


def table(cells: Sequence[Sequence[str]], columns: Sequence[str]) -> None:
    """Prints a table with a heading; on a terminal the last column has what is left of a line."""
    heading = [name.replace("_", " ") for name in columns]
    widths = [max(map(len, column)) for column in zip(heading, *cells, strict=True)]
    if sys.stdout.isatty():
        left = os.get_terminal_size(sys.stdout.fileno()).columns - sum(widths[:-1])
        widths[-1] = min(widths[-1], max(left - 2 * len(widths[:-1]), LAST_MIN))
    for row in (heading, *cells):
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        *others, last = padded
        shown = last if len(last) <= widths[-1] else f"{last[: widths[-1] - 1]}…"
        print("  ".join([*others, shown]).rstrip())


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name.endswith("_at"):
        return utc(value)
    if name.endswith("_age"):
        return age(value)
    if name == "bytes" and isinstance(value, int):
        return size(value)
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False) if value else "-"
    return str(value).replace("\n", "\\n")


def utc(seconds: float, to: str = "seconds") -> str:
    """A time for people, to the second or in milliseconds.

    >>> utc(0), utc(1.5, "milliseconds")
    ('1970-01-01 00:00:00Z', '1970-01-01 00:00:01.500Z')
    """
    millis = round(seconds * 1_000)
    text = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(millis // 1_000))
    return f"{text}.{millis % 1_000:03}Z" if to == "milliseconds" else f"{text}Z"


def age(seconds: float) -> str:
    """A span for people.

    >>> age(0.25), age(75), age(7_300), age(200_000)
    ('0.2s', '1m15s', '2h1m', '2d7h')
    """
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes}m{rest}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m" if hours < 24 else f"{hours // 24}d{hours % 24}h"


def size(number: int) -> str:
    """A number of bytes for people.

    >>> size(129_638)
    '126.6 KiB'
    """
    if number < 1_024:
        return f"{number} B"
    units = ("KiB", "MiB", "GiB", "TiB")
    power = min((number.bit_length() - 1) // 10, len(units))
    return f"{number / 1_024**power:.1f} {units[power - 1]}"


class Progress:
    """A line on a terminal that tells how far long work is, and goes away at its end."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._is_shown = sys.stderr.isatty()
        self._next = time.monotonic() + PATIENCE
        self._width = 0

    def __call__(self, done: int, total: int | None = None) -> None:
        """Tells how much is done."""
        now = time.monotonic()
        if not self._is_shown or now < self._next:
            return
        self._next = now + PAUSE
        self.show(f"{done:,}" + (f" of {total:,}" if total else ""))

    def show(self, told: str) -> None:
        """Shows how far it is, in words."""
        text = f"{self._label}: {told}"
        self._width = max(self._width, len(text))
        print(f"\r{text.ljust(self._width)}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Wipes the line."""
        if self._width:
            print("\r" + " " * self._width + "\r", end="", file=sys.stderr, flush=True)
