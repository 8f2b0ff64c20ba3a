"""Hive's type of a row, ``struct<id:bigint,name:string>``: parsed, and as types of Arrow."""

from __future__ import annotations

import re

from trunkline._dataclasses import dataclass
from trunkline.aws.limits import HIVE_DECIMAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_WORD = re.compile(r"[^\s<>,:()]+")
_PLAIN = {
    "tinyint": "int8",
    "smallint": "int16",
    "int": "int32",
    "integer": "int32",
    "bigint": "int64",
    "float": "float32",
    "double": "float64",
    "boolean": "bool_",
    "string": "string",
    "varchar": "string",
    "char": "string",
    "binary": "binary",
    "date": "date32",
}
_DEPTH_MAX = 32
_DECIMAL_MAX = 38


@dataclass(frozen=True, slots=True)
class HiveType:
    """A type: its name, and the types in it."""

    name: str
    parts: tuple[HiveType, ...] = ()
    fields: tuple[str, ...] = ()
    """The names of a struct's members."""
    numbers: tuple[int, ...] = ()
    """Of a decimal: how many digits, and how many behind the point."""

    def arrow(self) -> Any:
        """The type in Arrow."""
        import pyarrow

        if self.name == "struct":
            return pyarrow.struct(list(zip(self.fields, self._arrow_parts(), strict=True)))
        if self.name == "array":
            return pyarrow.list_(self._arrow_parts()[0])
        if self.name == "map":
            return pyarrow.map_(*self._arrow_parts())
        if self.name == "timestamp":
            return pyarrow.timestamp("ms")
        if self.name == "decimal":
            return pyarrow.decimal128(*self.numbers)
        return getattr(pyarrow, _PLAIN[self.name])()

    def _arrow_parts(self) -> list[Any]:
        return [part.arrow() for part in self.parts]


def parse_row(text: str) -> HiveType:
    """The type of a row; raises ValueError for a text that is none.

    >>> row = parse_row("struct<id:bigint,tags:array<string>>")
    >>> row.fields, [part.name for part in row.parts]
    (('id', 'tags'), ['bigint', 'array'])
    """
    parser = _Parser(text)
    found = parser.type(0)
    if parser.at != len(text) or found.name != "struct":
        raise ValueError("it is not struct<name:type,...>")
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def _word(self) -> str:
        found = _WORD.match(self.text, self.at)
        if found is None:
            raise ValueError(f"a name is missing at {self.at}")
        self.at = found.end()
        return found[0]

    def _is_next(self, letter: str) -> bool:
        is_next = self.text[self.at : self.at + 1] == letter
        self.at += is_next
        return is_next

    def _expect(self, letter: str) -> None:
        if not self._is_next(letter):
            raise ValueError(f"{letter} is missing at {self.at}")

    def type(self, depth: int) -> HiveType:
        if depth > _DEPTH_MAX:
            raise ValueError("it is nested too deeply")
        name = self._word().lower()
        if name == "struct":
            return self._struct(depth)
        if name in ("array", "map"):
            self._expect("<")
            parts = [self.type(depth + 1)]
            if name == "map":
                self._expect(",")
                parts.append(self.type(depth + 1))
            self._expect(">")
            return HiveType(name, tuple(parts))
        numbers = self._numbers()
        if name == "decimal":
            digits, scale = (*numbers, *HIVE_DECIMAL[len(numbers) :])[:2]
            if not 1 <= digits <= _DECIMAL_MAX or not 0 <= scale <= digits:
                raise ValueError(f"decimal({digits},{scale}) is no type")
            return HiveType(name, numbers=(digits, scale))
        if name not in _PLAIN and name != "timestamp":
            raise ValueError(f"{name} is no type")
        return HiveType(name)

    def _struct(self, depth: int) -> HiveType:
        self._expect("<")
        fields, parts = [], []
        while True:
            fields.append(self._word())
            self._expect(":")
            parts.append(self.type(depth + 1))
            if not self._is_next(","):
                break
        self._expect(">")
        if len(set(fields)) < len(fields):
            raise ValueError("two members have the same name")
        return HiveType("struct", tuple(parts), tuple(fields))

    def _numbers(self) -> tuple[int, ...]:
        if not self._is_next("("):
            return ()
        found = []
        while True:
            word = self._word()
            if not (word.isascii() and word.isdecimal() and len(word) < 4):
                raise ValueError(f"{word} is no length")
            found.append(int(word))
            if not self._is_next(","):
                break
        self._expect(")")
        return tuple(found)


def row_of(schema: Any) -> str:
    """Hive's type of the rows of an Arrow schema; raises ValueError for a type that it lacks.

    >>> import pyarrow
    >>> row_of(pyarrow.schema([("id", pyarrow.int64()), ("at", pyarrow.timestamp("ms"))]))
    'struct<id:bigint,at:timestamp>'
    """
    members = ",".join(f"{field.name}:{_hive(field.type)}" for field in schema)
    return f"struct<{members}>"


def _hive(type: Any) -> str:
    import pyarrow.types as types

    if types.is_struct(type):
        return row_of(type)
    if types.is_map(type):
        return f"map<{_hive(type.key_type)},{_hive(type.item_type)}>"
    if types.is_list(type) or types.is_large_list(type):
        return f"array<{_hive(type.value_type)}>"
    if types.is_timestamp(type):
        return "timestamp"
    if types.is_decimal(type):
        return f"decimal({type.precision},{type.scale})"
    if types.is_large_string(type):
        return "string"
    names = {"bool": "boolean", "float": "float", "double": "double", "date32[day]": "date"}
    integers = {"int8": "tinyint", "int16": "smallint", "int32": "int", "int64": "bigint"}
    name = {**names, **integers, "string": "string", "binary": "binary"}.get(str(type))
    if name is None:
        raise ValueError(f"Hive has no type for {type}")
    return name
