"""What values of a template are: their text as Java writes it, equality, truth.

Values are None, bool, int, float, str, list, dict, Entry, and objects with methods of their own.
"""

from __future__ import annotations

import json
from decimal import Decimal
from math import isfinite

from trunkline._dataclasses import dataclass
from trunkline.aws.vtl.budget import CHARS_A_STEP, TemplateError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar

    from trunkline.aws.vtl.budget import Budget

_PLAIN_FLOATS = (1e-3, 1e7)
"""From the first to below the second, Java writes a double without an exponent."""


class JsonList(list["Any"]):
    """A list that was read from JSON text. As text it is JSON again; other lists are `[a, b]`."""


@dataclass(slots=True)
class Entry:
    """An entry of a map."""

    key: Any
    value: Any


class Object:
    """Something with methods that templates may call, and properties that they may read."""

    methods: ClassVar[dict[str, Callable[..., Any]]]

    def property(self, name: str, budget: Budget) -> Any:
        """The value of a property; None when there is none."""
        return None


def from_json(value: Any) -> Any:
    """A parsed JSON value as a value of templates."""
    if isinstance(value, list):
        return JsonList(from_json(item) for item in value)
    if isinstance(value, dict):
        return {key: from_json(item) for key, item in value.items()}
    return value


def parse_json(text: str) -> Any:
    """The value of a JSON text; raises ValueError."""
    try:
        return from_json(json.loads(text))
    except RecursionError:
        raise ValueError("the JSON text is nested too deeply") from None


def number_text(value: float) -> str:
    """A number as Java writes it.

    >>> [number_text(number) for number in (3, 2.5, 1e10, 1.5e-5)]
    ['3', '2.5', '1.0E10', '1.5E-5']
    """
    if isinstance(value, int):
        try:
            return str(value)
        except ValueError:
            raise TemplateError("a number has too many digits") from None
    if not isfinite(value):
        return "NaN" if value != value else ("Infinity" if value > 0 else "-Infinity")
    size = abs(value)
    if size == 0 or _PLAIN_FLOATS[0] <= size < _PLAIN_FLOATS[1]:
        return f"{value!r}"
    sign, digits, _ = (number := Decimal(repr(value))).as_tuple()
    mantissa = "".join(map(str, digits)).rstrip("0").ljust(2, "0")
    return f"{'-' * sign}{mantissa[0]}.{mantissa[1:]}E{number.adjusted()}"


def text_of(value: Any, budget: Budget) -> str:
    """The text that a value is rendered as; nothing for None."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    parts: list[str] = []
    _write(value, parts, budget)
    return budget.text("".join(parts))


def _write(value: Any, out: list[str], budget: Budget) -> None:
    budget.step()
    if value is None:
        out.append("null")
    elif isinstance(value, bool):
        out.append("true" if value else "false")
    elif isinstance(value, str):
        out.append(budget.text(value))
    elif isinstance(value, (int, float)):
        out.append(number_text(value))
    elif isinstance(value, JsonList):
        write_json(value, out, budget)
    elif isinstance(value, list):
        _joined(value, "[]", out, budget, lambda item: _write(item, out, budget))
    elif isinstance(value, dict):

        def member(key: Any) -> None:
            out.append(f"{key}=")
            _write(value[key], out, budget)

        _joined(value, "{}", out, budget, member)
    elif isinstance(value, Entry):
        out.append(f"{value.key}=")
        _write(value.value, out, budget)


def write_json(value: Any, out: list[str], budget: Budget) -> None:
    """Appends a value as JSON text."""
    budget.step()
    if isinstance(value, list):
        _joined(value, "[]", out, budget, lambda item: write_json(item, out, budget), ",")
    elif isinstance(value, dict):

        def member(key: Any) -> None:
            out.append(json.dumps(str(key), ensure_ascii=False) + ":")
            write_json(value[key], out, budget)

        _joined(value, "{}", out, budget, member, ",")
    elif isinstance(value, (str, bool)) or value is None:
        out.append(budget.text(json.dumps(value, ensure_ascii=False)))
    elif isinstance(value, (int, float)):
        out.append(number_text(value))
    else:
        out.append(json.dumps(text_of(value, budget), ensure_ascii=False))


def _joined(
    items: Any,
    brackets: str,
    out: list[str],
    budget: Budget,
    write: Callable[[Any], None],
    comma: str = ", ",
) -> None:
    budget.enter()
    out.append(brackets[0])
    for index, item in enumerate(items):
        if index:
            out.append(comma)
        write(item)
    out.append(brackets[1])
    budget.leave()


def is_true(value: Any) -> bool:
    """A condition holds unless it is false or there is no value: an empty text is a value."""
    return value is not None and value is not False


def is_number(value: Any) -> bool:
    """Whether it is a number and no boolean."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def are_equal(left: Any, right: Any, budget: Budget) -> bool:
    """The operator `==`: numbers by value, other values of two kinds by their texts."""
    budget.step()
    if left is None or right is None:
        return left is None and right is None
    if is_number(left) and is_number(right):
        return bool(left == right)
    if isinstance(left, list) and isinstance(right, list):
        return _all_equal(left, right, budget)
    if isinstance(left, dict) and isinstance(right, dict):
        if left.keys() != right.keys():
            return False
        return _all_equal(list(left.values()), [right[key] for key in left], budget)
    texts = text_of(left, budget), text_of(right, budget)
    budget.step(len(texts[0]) // CHARS_A_STEP)
    return texts[0] == texts[1]


def _all_equal(left: list[Any], right: list[Any], budget: Budget) -> bool:
    if len(left) != len(right):
        return False
    budget.enter()
    equal = all(are_equal(*pair, budget) for pair in zip(left, right, strict=True))
    budget.leave()
    return equal
