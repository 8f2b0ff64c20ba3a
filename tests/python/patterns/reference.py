"""A reference matcher, written from the semantics: slow, and small enough to check by reading.

A pattern becomes branches (what `$or` multiplies), a branch maps the path of a field to the list of
what it may be. An event becomes leaves: a path, a value, and the place in every array around it. A
branch matches when every field of it can choose a leaf, and the chosen leaves agree about arrays.

Fields choose in the order of their paths, as in AWS's matcher, and that shows: a field that must
not exist looks at the choices of the fields before it alone.

Valid patterns only: what is refused, and how, is told by tests/vectors/patterns.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from math import isinf
from operator import itemgetter
from typing import Any

OPERATORS = ("exactly", "prefix", "suffix", "equals-ignore-case", "wildcard", "numeric", "cidr")
RESERVED = {*OPERATORS, "anything-but", "exists", "regex", "=", "<", "<=", ">", ">="}


class Number(str):
    """A JSON number, as it was written."""

    __slots__ = ()

    @property
    def value(self) -> float | None:
        """The double that stands for the number; None when a double cannot."""
        double = float(self)
        # The shortest digits that give the double back are the number itself, or it was rounded.
        exact = not isinf(double) and Decimal(repr(double)) == Decimal(str(self))
        return double if exact else None


class Object(list[tuple[str, Any]]):
    """A JSON object as its pairs, in the order and the number in which they were written."""


@dataclass(frozen=True)
class Leaf:
    """A scalar of an event, with the index of the object around it in each array around that."""

    path: str
    value: Any
    places: dict[int, int]

    def agrees_with(self, other: Leaf) -> bool:
        """Whether both lie in the same element of every array that both lie in."""
        shared = self.places.keys() & other.places.keys()
        return all(self.places[array] == other.places[array] for array in shared)


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


_DECODER = json.JSONDecoder(
    parse_int=Number,
    parse_float=Number,
    parse_constant=_refuse,
    object_pairs_hook=Object,
)


def _text(text: str | bytes) -> str:
    return text if isinstance(text, str) else text.decode()


def read(text: str | bytes) -> Any:
    """The JSON value of `text`: numbers as written, objects with all of their pairs."""
    return _DECODER.decode(_text(text))


def read_pattern(text: str | bytes) -> Any:
    """The same for a pattern, of which AWS reads nothing behind its closing brace."""
    return _DECODER.raw_decode(_text(text).lstrip())[0]


def matches(pattern: str | bytes, event: str | bytes) -> bool:
    """Whether `event` matches the event pattern, or the filter policy of scope MessageBody."""
    document = read(event)
    if not isinstance(document, Object):
        raise ValueError("an event is an object")
    return _matches(pattern, list(_leaves(document, (), {}, count())))


def matches_attributes(policy: str | bytes, attributes: dict[str, tuple[str, str]]) -> bool:
    """Whether message attributes, as pairs of type and value, pass a filter policy."""
    return _matches(policy, [leaf for item in attributes.items() for leaf in _attribute(*item)])


def _matches(pattern: str | bytes, leaves: list[Leaf]) -> bool:
    branches = branches_of(read_pattern(pattern))
    return any(
        _choose(sorted(branch.items(), key=itemgetter(0)), leaves, []) for branch in branches
    )


def _attribute(name: str, typed: tuple[str, str]) -> Iterator[Leaf]:
    kind, value = typed
    if kind.startswith("String.Array"):
        elements = read(value)
        if not isinstance(elements, list) or isinstance(elements, Object):
            raise ValueError("a String.Array is an array")
        yield from _leaves(elements, (name,), {}, count())
    elif kind.startswith("Number"):
        number = read(value)
        if not isinstance(number, Number):
            raise ValueError("a Number is a number")
        yield Leaf(name, number, {})
    elif kind.startswith("String"):
        yield Leaf(name, value, {})
    else:
        # A Binary is there; nothing but exists looks at it.
        yield Leaf(name, b"", {})


Branch = dict[str, list[Any]]
"""What each field of a pattern may be, with one of the objects chosen in every `$or`."""


def branches_of(pattern: Object) -> list[Branch]:
    """The branches of a pattern that was read."""
    return _extended(pattern, "", [{}])


def _extended(members: Object, prefix: str, branches: list[Branch]) -> list[Branch]:
    """What the members of an object make of the branches before it; the last list wins."""
    for key, value in members:
        path = f"{prefix}{key}"
        if key == "$or" and _is_or(value):
            branches = [
                one
                for option in value
                for one in _extended(option, prefix, [dict(branch) for branch in branches])
            ]
        elif isinstance(value, Object):
            branches = _extended(value, f"{path}.", branches)
        else:
            branches = [{**branch, path: value} for branch in branches]
    return branches


def _is_or(value: Any) -> bool:
    """Whether the value of a `$or` makes it an operator; otherwise it is a field like any other."""

    def is_option(option: Any) -> bool:
        if not isinstance(option, Object) or not option:
            return False
        return all(
            (key == "$or" and _is_or(inner))
            or (key not in RESERVED and (isinstance(inner, list) and is_field(inner)))
            for key, inner in option
        )

    def is_field(inner: list[Any]) -> bool:
        return is_option(inner) if isinstance(inner, Object) else bool(inner)

    return (
        isinstance(value, list)
        and not isinstance(value, Object)
        and len(value) >= 2
        and all(map(is_option, value))
    )


def _leaves(
    value: Any, keys: tuple[str, ...], places: dict[int, int], arrays: count[int]
) -> Iterator[Leaf]:
    if isinstance(value, Object):
        # Of pairs with one key, the last is the value of the object.
        for key, member in dict(value).items():
            yield from _leaves(member, (*keys, key), places, arrays)
    elif isinstance(value, list):
        array = next(arrays)
        for index, element in enumerate(value):
            # A scalar stands for its array: only what lies in elements belongs together.
            nested = isinstance(element, list)
            yield from _leaves(
                element, keys, {**places, array: index} if nested else places, arrays
            )
    else:
        yield Leaf(".".join(keys), value, places)


def _choose(fields: list[tuple[str, list[Any]]], leaves: list[Leaf], chosen: list[Leaf]) -> bool:
    """Whether each field can have a leaf that agrees with those chosen for the others."""
    if not fields:
        return True
    (path, wanted), rest = fields[0], fields[1:]
    open_to_it = [
        leaf
        for leaf in leaves
        if leaf.path == path and all(leaf.agrees_with(other) for other in chosen)
    ]
    if not open_to_it:
        return any(map(_is_absence, wanted)) and _choose(rest, leaves, chosen)
    return any(
        _choose(rest, leaves, [*chosen, leaf])
        for leaf in open_to_it
        if any(accepts(want, leaf.value) for want in wanted)
    )


def _is_absence(want: Any) -> bool:
    return isinstance(want, Object) and want == [("exists", False)]


def accepts(want: Any, value: Any) -> bool:
    """Whether one entry of a field's list accepts one value of the event."""
    if not isinstance(want, Object):
        return _equals(want, value)
    ((operator, operand),) = want
    if operator == "exists":
        return operand is True
    if isinstance(value, bytes):
        return False
    if operator == "anything-but":
        return not _is_excluded(operand, value)
    if operator == "numeric":
        return isinstance(value, Number) and _is_in_range(operand, value.value)
    return _is_text(value) and _accepts_text(operator, operand, value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not isinstance(value, Number)


def _equals(want: Any, value: Any) -> bool:
    """Equal in kind and value; numbers by their doubles, or as they were written."""
    if type(want) is not type(value):
        return False
    if isinstance(want, Number):
        return str(want) == str(value) or (want.value is not None and want.value == value.value)
    return bool(want == value)


def _is_excluded(operand: Any, value: Any) -> bool:
    if isinstance(operand, Object):
        ((operator, wanted),) = operand
        listed = wanted if isinstance(wanted, list) else [wanted]
        return _is_text(value) and any(_accepts_text(operator, one, value) for one in listed)
    listed = operand if isinstance(operand, list) else [operand]
    return any(_equals(one, value) for one in listed)


def _is_in_range(terms: list[Any], value: float | None) -> bool:
    if value is None:
        return False
    compare = {
        "=": lambda bound: value == bound,
        "<": lambda bound: value < bound,
        "<=": lambda bound: value <= bound,
        ">": lambda bound: value > bound,
        ">=": lambda bound: value >= bound,
    }
    return all(compare[op](bound.value) for op, bound in zip(terms[::2], terms[1::2], strict=True))


def _accepts_text(operator: str, operand: Any, text: str) -> bool:
    match operator:
        case "exactly":
            return text == operand
        case "prefix" if isinstance(operand, Object):
            return any(_folds_to(operand[0][1], text[:end]) for end in range(len(text) + 1))
        case "suffix" if isinstance(operand, Object):
            return any(_folds_to(operand[0][1], text[start:]) for start in range(len(text) + 1))
        case "prefix":
            return text.startswith(operand)
        case "suffix":
            return text.endswith(operand)
        case "equals-ignore-case":
            return _folds_to(operand, text)
        case "wildcard":
            return _is_wild(operand, text)
        case "cidr":
            return _is_in_network(operand, text)
    raise ValueError(f"{operator} is no operator")


def _folds_to(want: str, text: str) -> bool:
    """Whether each character of `want`, in one of its cases, is in `text`, one after the other.

    By characters and not by folding both: ß may be SS, and SS may not be ß.
    """
    if not want:
        return not text
    cases = {want[0], want[0].upper(), want[0].lower()}
    return any(text.startswith(case) and _folds_to(want[1:], text[len(case) :]) for case in cases)


def _is_wild(want: str, text: str) -> bool:
    if not want:
        return not text
    if want[0] == "*":
        return any(_is_wild(want[1:], text[start:]) for start in range(len(text) + 1))
    letter, rest = (want[1], want[2:]) if want[0] == "\\" else (want[0], want[1:])
    return text.startswith(letter) and _is_wild(rest, text[1:])


def _is_in_network(network: str, text: str) -> bool:
    base, _, bits = network.partition("/")
    wanted, found = _address(base), _address(text)
    if wanted is None or found is None or len(wanted) != len(found):
        return False
    return wanted[: int(bits)] == found[: int(bits)]


def _address(text: str) -> str | None:
    """The bits of an address, as text of 32 or 128 digits; None for what is none."""
    if ":" not in text:
        parts = text.split(".")
        plain = all(part.isascii() and part.isdigit() and len(part) <= 3 for part in parts)
        if len(parts) != 4 or not plain or any(int(part) > 255 for part in parts):
            return None
        return "".join(f"{int(part):08b}" for part in parts)
    head, gap, tail = text.partition("::")
    groups = [side.split(":") if side else [] for side in (head, tail)]
    missing = 8 - len(groups[0]) - len(groups[1])
    if (missing < 1) if gap else (missing != 0):
        return None
    filled = [*groups[0], *["0"] * missing, *groups[1]]
    hexadecimal = set("0123456789abcdefABCDEF")
    if not all(0 < len(part) <= 4 and set(part) <= hexadecimal for part in filled):
        return None
    return "".join(f"{int(part, 16):016b}" for part in filled)
