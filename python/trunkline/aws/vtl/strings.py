"""The methods of Java's `String`. Patterns are matched in linear time by the core."""

from __future__ import annotations

import re
from functools import lru_cache

from trunkline.aws.vtl.budget import CHARS_A_STEP, TemplateError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from trunkline._core import WireRegularExpression
    from trunkline.aws.vtl.budget import Budget

_PATTERNS_CACHED = 200
_REPLACEMENT = re.compile(r"\\(.)|\$([0-9])|\$\{([A-Za-z0-9]+)\}|(\$)", re.DOTALL)


@lru_cache(_PATTERNS_CACHED)
def _compiled(pattern: str) -> WireRegularExpression:
    from trunkline import _core

    try:
        return _core.WireRegularExpression(pattern)
    except ValueError as error:
        raise TemplateError(f"the pattern {pattern!r} is not supported: {error}") from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TemplateError("a text is needed")
    return value


def _replacement(text: str) -> str:
    """A replacement as the core writes it: `${1}` a group, `$$` a dollar."""

    def piece(found: re.Match[str]) -> str:
        escaped, digit, name, dollar = found.groups()
        if escaped is not None:
            return "$$" if escaped == "$" else escaped
        return "$$" if dollar else f"${{{digit or name}}}"

    return _REPLACEMENT.sub(piece, text)


def _replaced(budget: Budget, text: str, pattern: Any, by: Any, only_first: bool) -> str:
    replacement = _replacement(_text(by))
    budget.step(len(text) // CHARS_A_STEP * (1 + len(replacement)))
    return _compiled(_text(pattern)).replace(text, replacement, only_first)


def _replace_all(budget: Budget, text: str, pattern: Any, by: Any) -> str:
    return _replaced(budget, text, pattern, by, False)


def _replace_first(budget: Budget, text: str, pattern: Any, by: Any) -> str:
    return _replaced(budget, text, pattern, by, True)


def _replace(budget: Budget, text: str, old: Any, new: Any) -> str:
    old, new = _text(old), _text(new)
    budget.step(text.count(old) * len(new) // CHARS_A_STEP)
    return text.replace(old, new)


def _split(budget: Budget, text: str, pattern: Any, limit: int = 0) -> list[str]:
    budget.step(len(text))
    parts = _compiled(_text(pattern)).split(text, max(limit, 0))
    if len(parts) > 1 and parts[0] == "" and _compiled(pattern).matches(""):
        # Java gives no empty part for a match without length at the start.
        parts.pop(0)
    while limit == 0 and len(parts) > 1 and parts[-1] == "":
        parts.pop()
    return parts


def _matches(budget: Budget, text: str, pattern: Any) -> bool:
    budget.step(len(text) // CHARS_A_STEP)
    return _compiled(_text(pattern)).matches(text)


def _substring(budget: Budget, text: str, first: int, last: int | None = None) -> str:
    end = len(text) if last is None else last
    if not 0 <= first <= end <= len(text):
        raise TemplateError(f"begin {first}, end {end}, length {len(text)}")
    return text[first:end]


def _char_at(budget: Budget, text: str, index: int) -> str:
    if not 0 <= index < len(text):
        raise TemplateError(f"index {index} is out of bounds for length {len(text)}")
    return text[index]


def _equals_ignore_case(budget: Budget, text: str, other: Any) -> bool:
    return isinstance(other, str) and text.lower() == other.lower()


def _compare_to(budget: Budget, text: str, other: Any) -> int:
    for left, right in zip(text, _text(other), strict=False):
        if left != right:
            return ord(left) - ord(right)
    return len(text) - len(other)


def _hash_code(budget: Budget, text: str) -> int:
    budget.step(len(text))
    total = 0
    for letter in text:
        total = (31 * total + ord(letter)) & 0xFFFFFFFF
    return total - (1 << 32) if total >> 31 else total


STRING_METHODS: dict[str, Callable[..., Any]] = {
    "length": lambda budget, text: len(text),
    "isEmpty": lambda budget, text: not text,
    "isBlank": lambda budget, text: not text.strip(),
    "toString": lambda budget, text: text,
    "equals": lambda budget, text, other: isinstance(other, str) and text == other,
    "equalsIgnoreCase": _equals_ignore_case,
    "contains": lambda budget, text, part: _text(part) in text,
    "startsWith": lambda budget, text, part: text.startswith(_text(part)),
    "endsWith": lambda budget, text, part: text.endswith(_text(part)),
    "indexOf": lambda budget, text, part, first=0: text.find(_text(part), max(first, 0)),
    "lastIndexOf": lambda budget, text, part: text.rfind(_text(part)),
    "substring": _substring,
    "charAt": _char_at,
    "replace": _replace,
    "replaceAll": _replace_all,
    "replaceFirst": _replace_first,
    "split": _split,
    "matches": _matches,
    "concat": lambda budget, text, other: text + _text(other),
    "toUpperCase": lambda budget, text: text.upper(),
    "toLowerCase": lambda budget, text: text.lower(),
    "trim": lambda budget, text: text.strip(),
    "strip": lambda budget, text: text.strip(),
    "compareTo": _compare_to,
    "hashCode": _hash_code,
}
