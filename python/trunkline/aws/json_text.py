"""JSON that callers send inside strings: policies, handles, tokens."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def read_object(text: str) -> dict[str, Any] | None:
    """The object in `text`; None for everything else, however it is built.

    >>> read_object('{"a": 1}')
    {'a': 1}
    >>> read_object("[" * 100_000) is read_object('{"a": "\\\\ud800"}') is read_object("1e400")
    True
    """
    try:
        value = json.loads(text)
        # Half of a surrogate pair has no UTF-8, so nothing can store it or find it.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def write_object(value: dict[str, Any]) -> str:
    """The text of an object, without spaces, as AWS writes it."""
    return json.dumps(value, separators=(",", ":"))
