"""A pump's SELECT in DuckDB's words, and the window that it names.

Served are rows as they come, tumbling windows (``GROUP BY`` with ``STEP`` or ``FLOOR`` of
``ROWTIME``) and stagger windows. What else the dialect has is refused by name.
"""

from __future__ import annotations

import re

from trunkline._dataclasses import dataclass
from trunkline.aws.kinesisanalyticsv2.errors import bad_code
from trunkline.aws.kinesisanalyticsv2.sql.tokens import closing, joined, split, tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from trunkline.aws.kinesisanalyticsv2.sql.tokens import Token

ROWTIME = "ROWTIME"
PSEUDO = (ROWTIME, "APPROXIMATE_ARRIVAL_TIME", "PARTITION_KEY", "SHARD_ID", "SEQUENCE_NUMBER")
"""The columns that every in-application stream has, and that ``*`` leaves out."""

_SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 60 * 60, "DAY": 24 * 60 * 60}
_REFUSED = {
    "OVER": "Sliding windows (OVER) are",
    "WINDOW": "Sliding windows (WINDOW) are",
    "UNION": "UNION is",
    "EXCEPT": "EXCEPT is",
    "INTERSECT": "INTERSECT is",
    "WITH": "WITH is",
    "CURSOR": "Functions over cursors, such as RANDOM_CUT_FOREST, are",
}
_GROUP_ENDS = ("HAVING", "ORDER", "LIMIT", "WINDOWED")
_DIGITS = re.compile(r"'\s*(\d{1,9})\s*'")


@dataclass(frozen=True, slots=True)
class Window:
    """The window of a pump, in microseconds."""

    kind: str
    """``TUMBLE``, ``STAGGER``, or ``EACH``: no window, rows as they come."""
    size: int = 0
    partition: tuple[str, ...] = ()
    """The expressions that tell stagger windows apart."""


def translate(select: Sequence[Token]) -> tuple[str, Window]:
    """The SELECT for DuckDB, with its window.

    >>> found, window = translate(tokens("SELECT STREAM a, COUNT(*) FROM s GROUP BY a, "
    ...     "STEP(s.ROWTIME BY INTERVAL '60' SECOND)"))
    >>> window.kind, window.size
    ('TUMBLE', 60000000)
    """
    _refuse(select)
    body, stagger = _without_stagger(select)
    at = _top_level(body, "GROUP")
    group = [] if at is None else _group(body[at + 2 :])
    sizes = {_step_size(part) for part in group} - {None}
    if len(sizes) > 1:
        raise bad_code("Windows of two sizes over ROWTIME in one GROUP BY are not served.")
    text = joined(_translated([*body[:1], *body[2:]]))
    if stagger is not None:
        if sizes:
            raise bad_code("A stagger window with a tumbling window in one pump is not served.")
        if at is None:
            text += f" GROUP BY {', '.join(stagger.partition)}"
        return text, stagger
    size = next(iter(sizes), None)
    if size is not None:
        return text, Window("TUMBLE", size)
    if at is not None:
        raise bad_code(
            "GROUP BY needs a window: STEP(stream.ROWTIME BY INTERVAL '60' SECOND), "
            "FLOOR(stream.ROWTIME TO MINUTE), or WINDOWED BY STAGGER."
        )
    return text, Window("EACH")


def _refuse(select: Sequence[Token]) -> None:
    for token in select:
        if token.kind == "word" and token.text.upper() in _REFUSED:
            raise bad_code(f"{_REFUSED[token.text.upper()]} not served.")
    if sum(token.is_word("SELECT") for token in select) > 1:
        raise bad_code("A SELECT within a SELECT is not served: chain two pumps by a stream.")


def _top_level(pieces: Sequence[Token], *words: str) -> int | None:
    """The place of a word outside of brackets."""
    depth = 0
    for place, token in enumerate(pieces):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth == 0 and token.is_word(*words):
            return place
    return None


def _group(pieces: Sequence[Token]) -> list[list[Token]]:
    end = _top_level(pieces, *_GROUP_ENDS)
    return split(pieces if end is None else pieces[:end], ",")


def _without_stagger(pieces: Sequence[Token]) -> tuple[Sequence[Token], Window | None]:
    """The pieces before ``WINDOWED BY STAGGER (PARTITION BY ... RANGE INTERVAL ...)``, and it."""
    at = _top_level(pieces, "WINDOWED")
    if at is None:
        return pieces, None
    words = [token.text.upper() for token in pieces[at : at + 6]]
    if words != ["WINDOWED", "BY", "STAGGER", "(", "PARTITION", "BY"]:
        raise bad_code("WINDOWED BY takes STAGGER (PARTITION BY ... RANGE INTERVAL ...).")
    end = closing(pieces, at + 3)
    inner = pieces[at + 6 : end]
    mid = _top_level(inner, "RANGE")
    if mid is None or end + 1 != len(pieces):
        raise bad_code("A stagger window needs RANGE INTERVAL, and ends its statement.")
    keys = tuple(joined(_translated(_plain(part))) for part in split(inner[:mid], ","))
    return pieces[:at], Window("STAGGER", _interval(inner[mid + 1 :]), keys)


def _plain(pieces: Sequence[Token]) -> list[Token]:
    """The pieces without the names of streams before columns: there is one stream."""
    return [
        token
        for place, token in enumerate(pieces)
        if token.text != "." and (place + 1 == len(pieces) or pieces[place + 1].text != ".")
    ]


def _interval(pieces: Sequence[Token]) -> int:
    """The microseconds of ``INTERVAL '60' SECOND``."""
    found = None
    if len(pieces) >= 3 and pieces[0].is_word("INTERVAL"):
        found = _DIGITS.fullmatch(pieces[1].text)
    unit = pieces[2].text.upper().removesuffix("S") if found else ""
    # Behind the unit a precision may stand, as in SECOND(2).
    if found is None or unit not in _SECONDS or int(found[1]) == 0:
        raise bad_code(f"{joined(pieces)} is no interval such as INTERVAL '60' SECOND.")
    return int(found[1]) * _SECONDS[unit] * 1_000_000


def _call(pieces: Sequence[Token], at: int, name: str) -> tuple[int, Sequence[Token]] | None:
    """Where a call of a function ends, and what its brackets hold."""
    if not pieces[at].is_word(name) or at + 1 >= len(pieces) or pieces[at + 1].text != "(":
        return None
    end = closing(pieces, at + 1)
    return end, pieces[at + 2 : end]


def _step(inner: Sequence[Token]) -> tuple[Sequence[Token], Sequence[Token]] | None:
    by = _top_level(inner, "BY")
    return None if by is None else (inner[:by], inner[by + 1 :])


def _floor(inner: Sequence[Token]) -> tuple[Sequence[Token], str] | None:
    to = _top_level(inner, "TO")
    if to is None or to + 2 != len(inner):
        return None
    return inner[:to], inner[to + 1].text.upper()


def _step_size(part: Sequence[Token]) -> int | None:
    """The size of the window that a part of GROUP BY makes; None for one that makes none."""
    if not part:
        return None
    if (call := _call(part, 0, "STEP")) and call[0] == len(part) - 1 and (step := _step(call[1])):
        return _interval(step[1]) if step[0] and step[0][-1].is_word(ROWTIME) else None
    if (call := _call(part, 0, "FLOOR")) and call[0] == len(part) - 1 and (to := _floor(call[1])):
        if not to[0] or not to[0][-1].is_word(ROWTIME):
            return None
        if to[1] not in _SECONDS:
            raise bad_code(f"FLOOR(ROWTIME TO {to[1]}) is no window; there are SECOND to DAY.")
        return _SECONDS[to[1]] * 1_000_000
    return None


def _translated(pieces: Sequence[Token]) -> list[Token]:
    """The pieces with the functions of the dialect in DuckDB's words."""
    found: list[Token] = []
    at = 0
    while at < len(pieces):
        token = pieces[at]
        if (call := _call(pieces, at, "STEP")) and (step := _step(call[1])):
            span = _interval(step[1]) // 1_000_000
            head = f"time_bucket(INTERVAL '{span}' SECOND,"
            found += [*tokens(head), *_translated(step[0]), *tokens(", TIMESTAMP '1970-01-01')")]
            at = call[0]
        elif (call := _call(pieces, at, "FLOOR")) and (to := _floor(call[1])):
            head = f"date_trunc('{to[1].lower()}',"
            found += [*tokens(head), *_translated(to[0]), *tokens(")")]
            at = call[0]
        elif token.text == "*" and _is_all(pieces, at):
            found += [token, *tokens(f"EXCLUDE ({', '.join(PSEUDO)})")]
        else:
            found.append(token)
        at += 1
    return found


def _is_all(pieces: Sequence[Token], at: int) -> bool:
    """Whether a star stands for all columns."""
    before = pieces[at - 1] if at else None
    return before is None or before.is_word("SELECT", "STREAM") or before.text in (".", ",")
