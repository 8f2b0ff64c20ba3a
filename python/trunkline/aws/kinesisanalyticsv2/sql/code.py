"""The code of an application: in-application streams, and the pumps that write to them."""

from __future__ import annotations

import re

from trunkline._dataclasses import dataclass
from trunkline.aws.kinesisanalyticsv2.errors import bad_code
from trunkline.aws.kinesisanalyticsv2.sql.tokens import closing, joined, split, tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from trunkline.aws.kinesisanalyticsv2.sql.tokens import Token

_TYPES = {
    "BIGINT": "BIGINT",
    "BOOLEAN": "BOOLEAN",
    "CHAR": "VARCHAR",
    "CHARACTER": "VARCHAR",
    "DATE": "DATE",
    "DECIMAL": "DECIMAL",
    "DOUBLE": "DOUBLE",
    "FLOAT": "DOUBLE",
    "INT": "INTEGER",
    "INTEGER": "INTEGER",
    "NUMERIC": "DECIMAL",
    "REAL": "REAL",
    "SMALLINT": "SMALLINT",
    "TIME": "TIME",
    "TIMESTAMP": "TIMESTAMP",
    "TINYINT": "TINYINT",
    "VARCHAR": "VARCHAR",
}
_TYPE = re.compile(r"(\w+)(?:\s+PRECISION|\s+VARYING)?\s*(\([\d\s,]+\))?", re.IGNORECASE)
_DECIMAL = re.compile(r"\(\s*(\d{1,2})\s*(?:,\s*(\d{1,2})\s*)?\)")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an in-application stream."""

    name: str
    type: str
    """Its type in DuckDB."""


@dataclass(frozen=True, slots=True)
class Pump:
    """What writes rows into an in-application stream."""

    name: str
    target: str
    columns: tuple[str, ...]
    """The columns that it names; none stands for all, in order."""
    select: tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """The code of an application, taken apart."""

    streams: dict[str, tuple[Column, ...]]
    pumps: tuple[Pump, ...]


def type_of(text: str) -> str:
    """The type of DuckDB for a type of the dialect.

    >>> [type_of(text) for text in ("VARCHAR(16)", "DECIMAL(8, 2)", "DOUBLE PRECISION")]
    ['VARCHAR', 'DECIMAL(8,2)', 'DOUBLE']
    """
    found = _TYPE.fullmatch(text.strip())
    base = None if found is None else _TYPES.get(found[1].upper())
    if found is None or base is None:
        raise bad_code(f"The type {text} is not served. There are: {', '.join(_TYPES)}.")
    if base == "DECIMAL" and found[2]:
        digits = _DECIMAL.fullmatch(found[2])
        if digits is None:
            raise bad_code(f"The type {text} has no precision and scale.")
        return f"DECIMAL({digits[1]},{digits[2] or 0})"
    return base


def parse(text: str) -> Code:
    """Takes code apart; raises for what is no CREATE STREAM and no CREATE PUMP.

    >>> code = parse('CREATE STREAM out (n INT); CREATE PUMP p AS INSERT INTO out SELECT STREAM 1')
    >>> code.streams["OUT"], code.pumps[0].target
    ((Column(name='N', type='INTEGER'),), 'OUT')
    """
    streams: dict[str, tuple[Column, ...]] = {}
    pumps: list[Pump] = []
    for statement in split(tokens(text), ";"):
        if not statement:
            continue
        rest = _after_create(statement)
        if rest and rest[0].is_word("STREAM"):
            name, columns = _stream(rest[1:])
            if name in streams:
                raise bad_code(f"The stream {name} is created twice.")
            streams[name] = columns
        elif rest and rest[0].is_word("PUMP"):
            pumps.append(_pump(rest[1:]))
        else:
            raise bad_code(
                f"{joined(statement[:4])} ... is not served. There are CREATE [OR REPLACE] STREAM "
                "and CREATE [OR REPLACE] PUMP."
            )
    _check(streams, pumps)
    return Code(streams, tuple(pumps))


def _check(streams: dict[str, tuple[Column, ...]], pumps: list[Pump]) -> None:
    seen = set()
    for pump in pumps:
        if pump.name in seen:
            raise bad_code(f"The pump {pump.name} is created twice.")
        seen.add(pump.name)
        if pump.target not in streams:
            raise bad_code(f"The pump {pump.name} inserts into {pump.target}, which is no stream.")
        known = {column.name for column in streams[pump.target]}
        unknown = next((name for name in pump.columns if name not in known), None)
        if unknown is not None:
            raise bad_code(f"The stream {pump.target} has no column {unknown}.")


def _after_create(statement: Sequence[Token]) -> Sequence[Token]:
    if not statement[0].is_word("CREATE"):
        return ()
    if len(statement) > 2 and statement[1].is_word("OR") and statement[2].is_word("REPLACE"):
        return statement[3:]
    return statement[1:]


def _stream(pieces: Sequence[Token]) -> tuple[str, tuple[Column, ...]]:
    if len(pieces) < 2 or pieces[1].text != "(":
        raise bad_code("CREATE STREAM takes a name and its columns in brackets.")
    end = closing(pieces, 1)
    if end + 1 < len(pieces) and not pieces[end + 1].is_word("DESCRIPTION"):
        raise bad_code(f"{joined(pieces[end + 1 :])} behind CREATE STREAM is not served.")
    name = pieces[0].identifier
    columns = []
    for part in split(pieces[2:end], ","):
        if len(part) < 2:
            raise bad_code(f"A column of the stream {name} has no type.")
        kind = part[1:]
        if len(kind) > 2 and kind[-2].is_word("NOT") and kind[-1].is_word("NULL"):
            kind = kind[:-2]
        columns.append(Column(part[0].identifier, type_of(joined(kind))))
    if len({column.name for column in columns}) < len(columns):
        raise bad_code(f"The stream {name} has two columns of one name.")
    return name, tuple(columns)


def _pump(pieces: Sequence[Token]) -> Pump:
    words = [token.text.upper() for token in pieces]
    at = 2 if words[1:2] in (["STARTED"], ["STOPPED"]) else 1
    if words[1:2] == ["STOPPED"]:
        raise bad_code("A pump that is created STOPPED is not served; ALTER PUMP is not either.")
    if words[at : at + 3] != ["AS", "INSERT", "INTO"] or len(pieces) < at + 5:
        raise bad_code("CREATE PUMP takes a name, AS INSERT INTO, a stream and SELECT STREAM.")
    target = pieces[at + 3].identifier
    rest = pieces[at + 4 :]
    columns: tuple[str, ...] = ()
    if rest[0].text == "(":
        end = closing(rest, 0)
        columns = tuple(part[0].identifier for part in split(rest[1:end], ",") if part)
        rest = rest[end + 1 :]
    if len(rest) < 3 or not rest[0].is_word("SELECT") or not rest[1].is_word("STREAM"):
        raise bad_code(f"The pump {pieces[0].identifier} needs SELECT STREAM.")
    return Pump(pieces[0].identifier, target, columns, tuple(rest))
