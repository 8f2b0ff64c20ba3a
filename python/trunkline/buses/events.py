"""Events as Python writes them, to the text that a bus takes."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from trunkline.errors import InvalidParameterValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline._core import LeasedDelivery
    from trunkline._types import Body, Event


def to_text(event: Event) -> Body:
    """The event as JSON text. A mapping is written as JSON; bytes and str are JSON already.

    >>> to_text({"source": "shop", "detail-type": "Paid", "detail": {"n": 1}})
    '{"source":"shop","detail-type":"Paid","detail":{"n":1}}'
    """
    if isinstance(event, bytes | str | bytearray | memoryview):
        return event
    items = getattr(event, "items", None)
    if items is None:
        kind = type(event).__name__
        raise TypeError(f"event must be a mapping, bytes or str, not {kind}")
    return write({name: _plain(name, value) for name, value in items()}, "event")


def write(value: object, field: str) -> str:
    """A value as JSON text."""
    try:
        return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as problem:
        raise InvalidParameterValue(
            f"Value for parameter {field} is invalid. Reason: It cannot be written as JSON: "
            f"{problem}."
        ) from None


def delivered(delivery: LeasedDelivery) -> Any:
    """What a function is called with for a delivery."""
    return read(delivery.body)


def read(body: bytes) -> Any:
    """What a handler is called with: the JSON value, or the text of an input that is none."""
    text = body.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except ValueError:
        return text


def _plain(name: str, value: object) -> object:
    """A time may be a datetime; everything else is as JSON has it."""
    if name == "time" and isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidParameterValue(
                "Value for parameter time is invalid. Reason: The datetime has no time zone; give "
                "it one, such as datetime.UTC."
            )
        try:
            utc = value.astimezone(UTC)
        except OverflowError:
            raise InvalidParameterValue(
                "Value for parameter time is invalid. Reason: In UTC the datetime lies outside the "
                "years 1 to 9999. Give a time within them."
            ) from None
        return utc.isoformat(timespec="seconds").replace("+00:00", "Z")
    return value


def pattern_text(pattern: str | Mapping[str, Any]) -> str:
    """A pattern as JSON text, checked as :func:`trunkline.patterns.compile` checks it."""
    from trunkline import patterns

    text = pattern if isinstance(pattern, str) else write(pattern, "pattern")
    patterns.compile(text)
    return text
