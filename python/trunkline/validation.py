"""Validation of names, ids, counts, flags and JSON values.

Pure functions that return the value in the engine's unit or raise an error that names the field,
the problem and the remedy. Limits are the engine's, and so are the rules of names and ids.
``_core.milliseconds`` validates times.
"""

from __future__ import annotations

from trunkline._core import check_id, check_queue_name
from trunkline.errors import InvalidParameterValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn

    from trunkline.limits import Limits

_HINTS = {
    "ack": "delete(message), or use the message as a context manager",
    "acknowledge": "delete(message), or use the message as a context manager",
    "count": "statistics().total",
    "dequeue": "receive()",
    "empty": "statistics().visible == 0",
    "enqueue": "send()",
    "get": "receive()",
    "get_nowait": "receive(wait=0)",
    "nack": "message.release()",
    "pop": "receive()",
    "publish": "send()",
    "push": "send()",
    "put": "send()",
    "put_nowait": "send_nowait()",
    "qsize": "statistics().visible",
    "stats": "statistics()",
    "task_done": "delete(message)",
}

COUNT_MAX = 2**31 - 1
"""The most messages one call may ask for: what still fits every list."""


def queue_name(name: str, limits: Limits) -> bool:
    """Whether `name`, which must be a queue name, is a FIFO queue's.

    >>> from trunkline.limits import Limits
    >>> queue_name("orders.fifo", Limits()), queue_name("orders", Limits())
    (True, False)
    """
    return check_queue_name(name, "name", limits.name_chars_max)


def message_id_text(value: str, field: str, limits: Limits) -> str:
    """A group, deduplication or attempt id.

    >>> from trunkline.limits import Limits
    >>> message_id_text("tenant-7", "group", Limits())
    'tenant-7'
    """
    check_id(value, field, limits.id_chars_max)
    return value


def text(value: str, field: str) -> str:
    """A text; anything else is a mistake that would otherwise count as a name.

    >>> text("us-east-1", "region")
    'us-east-1'
    """
    if isinstance(value, str):
        return value
    raise TypeError(f"{field} must be a str, not {type(value).__name__}")


def owner(
    own: tuple[str, str], account: str | None = None, region: str | None = None
) -> tuple[str, str]:
    """Account and region of a resource: those that are given, or the engine's own.

    >>> owner(("000000000000", "us-east-1"), region="eu-west-1")
    ('000000000000', 'eu-west-1')
    """
    for value, field in ((account, "account"), (region, "region")):
        if value is not None:
            text(value, field)
    return account or own[0], region or own[1]


def count(value: int, field: str, low: int, high: int) -> int:
    """A whole number in its range.

    >>> count(5, "max_receive_count", 1, 1000)
    5
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{field} must be an int, not {type(value).__name__}")
    if low <= value <= high:
        return value
    shown = str(value) if abs(value) < 10**20 else "so large"
    raise InvalidParameterValue(
        f"Value {shown} for parameter {field} is invalid. "
        f"Reason: Must be between {low} and {high} both inclusive."
    )


def flag(value: bool, field: str) -> bool:
    """A truth value; anything else is a mistake that would otherwise count as true.

    >>> flag(True, "content_based_dedup")
    True
    """
    if value is True or value is False:
        return value
    raise TypeError(f"{field} must be True or False, not {type(value).__name__}")


class _Hint:
    """A verb of another queue: the attribute is not there, and the error names ours.

    Not `__getattr__`, which would make every look-up of an attribute slower.
    """

    __slots__ = ("_name", "_ours")

    def __init__(self, name: str, ours: str) -> None:
        self._name = name
        self._ours = ours

    def __get__(self, instance: object, owner: type | None = None) -> NoReturn:
        kind = "Queue" if owner is None else owner.__name__
        raise AttributeError(f"'{kind}' object has no attribute {self._name!r}; use {self._ours}")


def add_hints(queue: type) -> None:
    """Let the class of a queue say which verb is meant by one that it does not have.

    >>> import trunkline
    >>> trunkline.open().queue("orders").put("one coffee")
    Traceback (most recent call last):
    AttributeError: 'Queue' object has no attribute 'put'; use send()
    """
    for name, ours in _HINTS.items():
        setattr(queue, name, _Hint(name, ours))


def unknown(name: str, known: Sequence[str]) -> str:
    """An unknown name and what may have been meant, for the end of a sentence.

    >>> unknown("dely", ["delay", "group"])
    "'dely'; did you mean 'delay'?"
    """
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"the options are {', '.join(known)}"
    return f"{name!r}; {hint}"


def json_text(value: Any, field: str) -> str:
    """`value` as JSON; raises InvalidParameterValue, with the name of `field`, if it is none."""
    import json

    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidParameterValue(
            f"Value for parameter {field} is invalid. Reason: It is no JSON: {error}. "
            "Give a mapping, a list or a plain value."
        ) from error
