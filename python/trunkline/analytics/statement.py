"""The one part of a statement that is not DuckDB's: where results go, and the window over a stream.

``INSERT INTO target SELECT ... FROM TUMBLE(TABLE stream, DESCRIPTOR(time), INTERVAL '1' MINUTE)``:
the table functions are those that Flink and others took from SQL's proposal for streams.
"""

from __future__ import annotations

import re

from trunkline._dataclasses import dataclass
from trunkline.errors import InvalidParameterValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = "window_rows"
"""What DuckDB knows the rows of a window by."""

ARRIVED = "arrived"
"""The column with the time of a record."""

_INSERT = re.compile(r'\s*INSERT\s+INTO\s+("[^"]+"|[\w.-]+)\s+', re.IGNORECASE)
_WINDOW = re.compile(r"\b(TUMBLE|HOP|SESSION)\s*\(", re.IGNORECASE)
_STREAM = re.compile(
    r'(?:TABLE\s+)?("[^"]+"|[\w.-]+)(?:\s+PARTITION\s+BY\s+("[^"]+"|\w+))?', re.IGNORECASE
)
_DESCRIPTOR = re.compile(r'DESCRIPTOR\s*\(\s*("[^"]+"|\w+)\s*\)', re.IGNORECASE)
_INTERVAL = re.compile(
    r"INTERVAL\s+(?:'\s*(\d+(?:\.\d+)?)\s*'\s*(\w+)|'\s*(\d+(?:\.\d+)?)\s*(\w+)\s*'|(\d+)\s+(\w+))",
    re.IGNORECASE,
)
_SECONDS = {"MILLISECOND": 0.001, "SECOND": 1, "MINUTE": 60, "HOUR": 3_600, "DAY": 86_400}
_ARGUMENTS = {"TUMBLE": 3, "HOP": 4, "SESSION": 3}


def refused(why: str) -> InvalidParameterValue:
    """A statement that is none."""
    return InvalidParameterValue(f"Value for parameter sql is invalid. Reason: {why}")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, taken apart. Times are microseconds."""

    target: str | None
    stream: str
    kind: str
    time: str
    size: int
    """How long a window is; of sessions, the gap that ends one."""
    slide: int
    """How far apart windows begin."""
    partition: str | None
    """The column that tells sessions apart."""
    select: str
    """The query over the rows of one window."""


def parse(sql: str) -> Statement:
    """A statement with one window.

    >>> found = parse("SELECT count(*) n FROM TUMBLE(TABLE s, DESCRIPTOR(at), INTERVAL '1' MINUTE)")
    >>> found.stream, found.time, found.size, found.select
    ('s', 'at', 60000000, 'SELECT count(*) n FROM window_rows')
    """
    insert = _INSERT.match(sql)
    rest = sql if insert is None else sql[insert.end() :]
    plain = _without_texts(rest)
    found = list(_WINDOW.finditer(plain))
    if len(found) != 1:
        raise refused(f"It needs one of TUMBLE, HOP or SESSION, once; it has {len(found)}.")
    end = _closing(plain, found[0].end())
    kind = found[0][1].upper()
    given = list(_split(rest[found[0].end() : end], plain[found[0].end() : end]))
    if len(given) != _ARGUMENTS[kind]:
        raise refused(f"{kind} takes {_ARGUMENTS[kind]} arguments, not {len(given)}.")
    stream, descriptor = _STREAM.fullmatch(given[0]), _DESCRIPTOR.fullmatch(given[1])
    if stream is None or descriptor is None:
        raise refused(f"{kind} takes TABLE name, DESCRIPTOR(column) and intervals.")
    spans = [_interval(text) for text in given[2:]]
    if kind == "SESSION" and stream[2] is None:
        raise refused("SESSION needs TABLE name PARTITION BY column.")
    if spans[0] > spans[-1]:
        raise refused("HOP takes the slide and then the size, which is not smaller.")
    return Statement(
        None if insert is None else _name(insert[1]),
        _name(stream[1]),
        kind,
        _name(descriptor[1]),
        spans[-1],
        spans[0],
        None if stream[2] is None else _name(stream[2]),
        (rest[: found[0].start()] + ROWS + rest[end + 1 :]).strip().rstrip(";"),
    )


def _name(text: str) -> str:
    return text.strip('"')


def _without_texts(sql: str) -> str:
    """The statement with blanks for what is in quotes and in comments."""
    pattern = r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/"
    return re.sub(pattern, lambda found: " " * len(found[0]), sql, flags=re.DOTALL)


def _closing(plain: str, at: int) -> int:
    depth = 1
    for place in range(at, len(plain)):
        depth += {"(": 1, ")": -1}.get(plain[place], 0)
        if depth == 0:
            return place
    raise refused("A bracket is not closed.")


def _split(text: str, plain: str) -> Iterator[str]:
    depth = start = 0
    for place, letter in enumerate(plain):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            yield text[start:place].strip()
            start = place + 1
    yield text[start:].strip()


def _interval(text: str) -> int:
    found = _INTERVAL.fullmatch(text)
    words = [] if found is None else [word for word in found.groups() if word is not None]
    unit = words[1].upper().removesuffix("S") if words else ""
    if unit not in _SECONDS or float(words[0]) <= 0:
        raise refused(f"{text!r} is no interval such as INTERVAL '1' MINUTE.")
    return round(float(words[0]) * _SECONDS[unit] * 1_000_000)
