"""The keywords of JSON schemas whose checks jsonschema does not bound.

Its patterns are matched by backtracking, and elements are compared with each other: a body could
occupy a thread. Here patterns are matched in linear time, and each element is looked at once.
"""

from __future__ import annotations

import json

from trunkline.aws.execute_api.expressions import expression

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def _is_in(pattern: str, text: str) -> bool:
    """Whether a part of `text` matches; raises ValueError for a pattern that is not supported."""
    expression(pattern)
    return expression(f".*(?:{pattern}).*").matches(text)


def _error(message: str) -> Exception:
    from jsonschema.exceptions import ValidationError

    error: Exception = ValidationError(message)
    return error


def _pattern(validator: Any, pattern: str, value: Any, schema: Any) -> Iterator[Exception]:
    if isinstance(value, str) and not _is_in(pattern, value):
        yield _error(f"{value!r} does not match {pattern!r}")


def _pattern_properties(
    validator: Any, patterns: dict[str, Any], value: Any, schema: Any
) -> Iterator[Exception]:
    if not isinstance(value, dict):
        return
    for pattern, below in patterns.items():
        for name, one in value.items():
            if _is_in(pattern, name):
                yield from validator.descend(one, below, path=name, schema_path=pattern)


def _additional_properties(
    validator: Any, allowed: Any, value: Any, schema: dict[str, Any]
) -> Iterator[Exception]:
    if not isinstance(value, dict):
        return
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name, one in value.items():
        if name in known or any(_is_in(pattern, name) for pattern in patterns):
            continue
        if isinstance(allowed, dict):
            yield from validator.descend(one, allowed, path=name)
        elif not allowed:
            yield _error(f"Additional properties are not allowed ({name!r} was unexpected)")


def _unique_items(validator: Any, wanted: Any, value: Any, schema: Any) -> Iterator[Exception]:
    if wanted and isinstance(value, list):
        seen = {json.dumps(_plain(item), sort_keys=True) for item in value}
        if len(seen) < len(value):
            yield _error("the array has non-unique elements")


def _plain(item: Any) -> Any:
    # 1.0 and 1 are the same number.
    return int(item) if isinstance(item, float) and item.is_integer() else item


KEYWORDS: dict[str, Any] = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "uniqueItems": _unique_items,
}
"""Checks by keyword, as jsonschema calls them."""
