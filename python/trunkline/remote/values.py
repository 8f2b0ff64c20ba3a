"""Values as JSON that both ends of a connection read alike.

JSON has neither bytes nor times nor resources: those are objects with one member, whose name begins
with ``$``. An object of the caller's own with such a name travels as its pairs.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import datetime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Told = dict[str, Any]


def encode(value: Any, other: Callable[[Any], Any]) -> Any:
    """A value as JSON; `other` says what becomes of a value that is none of Python's own.

    >>> encode({"at": (1, b"x")}, repr)
    {'at': {'$tuple': [1, {'$bytes': 'eA=='}]}}
    """
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"$bytes": b64encode(value).decode()}
    if isinstance(value, datetime):
        return {"$time": value.isoformat()}
    if isinstance(value, dict):
        pairs = [(name, encode(one, other)) for name, one in value.items()]
        if all(isinstance(name, str) and name[:1] != "$" for name, _ in pairs):
            return dict(pairs)
        return {"$pairs": [[encode(name, other), one] for name, one in pairs]}
    if isinstance(value, tuple):
        return {"$tuple": [encode(one, other) for one in value]}
    if isinstance(value, (list, set, frozenset)):
        return [encode(one, other) for one in value]
    return other(value)


def decode(told: Any, other: Callable[[Told], Any]) -> Any:
    """The value of what :func:`encode` made; `other` makes what its namesake took apart.

    >>> decode(encode({"$a": [(1, b"x")]}, repr), repr)
    {'$a': [(1, b'x')]}
    """
    if isinstance(told, list):
        return [decode(one, other) for one in told]
    if not isinstance(told, dict):
        return told
    if not any(name[:1] == "$" for name in told):
        return {name: decode(one, other) for name, one in told.items()}
    if "$bytes" in told:
        return b64decode(told["$bytes"], validate=True)
    if "$time" in told:
        return datetime.fromisoformat(told["$time"])
    if "$tuple" in told:
        return tuple(decode(one, other) for one in told["$tuple"])
    if "$pairs" in told:
        return {decode(name, other): decode(one, other) for name, one in told["$pairs"]}
    return other(told)
