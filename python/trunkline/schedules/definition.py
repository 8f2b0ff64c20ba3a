"""The definition of a schedule: from arguments to the core's units, and back for people."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from trunkline._core import milliseconds
from trunkline.errors import ValidationException
from trunkline.schedules.occurrence import input_for_functions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from trunkline._types import Moment, ScheduleDefinition, ScheduleInput, Seconds

WINDOW_MS = (60_000, 86_400_000)
"""The shortest and the longest flexible window: AWS's."""

TIME_MS_MAX = 7_258_118_400_000
"""The end of the years that an expression knows: 2200."""


def text(value: Any, field: str) -> str:
    """A str that UTF-8 can write.

    >>> text("\\ud800", "group")
    Traceback (most recent call last):
    trunkline.errors.ValidationException: group: it holds a lone surrogate, which is no character. \
Leave it out.
    """
    if not isinstance(value, str):
        raise TypeError(f"{field} must be a str, not {type(value).__name__}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValidationException(
            f"{field}: it holds a lone surrogate, which is no character. Leave it out."
        ) from None
    return value


def window(value: Seconds | None) -> int | None:
    """A flexible window in milliseconds.

    >>> window(900), window(None)
    (900000, None)
    """
    return None if value is None else milliseconds(value, "window", *WINDOW_MS)


def moment(value: Moment | None, field: str) -> int | None:
    """A moment in milliseconds since the epoch.

    >>> moment(datetime(2030, 1, 1, tzinfo=UTC), "start")
    1893456000000
    >>> moment(datetime(2030, 1, 1), "start")
    Traceback (most recent call last):
    trunkline.errors.ValidationException: start: the datetime has no time zone. Give it one, such \
as datetime.now(UTC), or give seconds since the epoch.
    """
    if value is None:
        return None
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValidationException(
                f"{field}: the datetime has no time zone. Give it one, such as "
                "datetime.now(UTC), or give seconds since the epoch."
            )
        value = (value - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    return milliseconds(value, field, 0, TIME_MS_MAX)


def input_text(value: ScheduleInput) -> str | None:
    """The input as text: a str as it is, anything else as JSON.

    >>> input_text("plain"), input_text({"a": [1]}), input_text(None)
    ('plain', '{"a": [1]}', None)
    """
    if value is None:
        return None
    if isinstance(value, str):
        return text(value, "input")
    try:
        return text(json.dumps(value, allow_nan=False, ensure_ascii=False), "input")
    except (TypeError, ValueError, RecursionError) as error:
        raise ValidationException(
            f"input: it cannot be written as JSON: {error}. Give a str, or lists and dicts of "
            "plain values."
        ) from error


def document(kind: str, url: str | None = None) -> bytes:
    """What is kept with a schedule: which sort of target it has."""
    return json.dumps({"target": kind, "url": url}).encode()


def kind_of(core: ScheduleDefinition | dict[str, Any]) -> str:
    """Which sort of target a schedule has: queue, function or url."""
    kind: str = json.loads(core["document"])["target"]
    return kind


def url_of(document: bytes) -> str | None:
    """The URL of a target that is an endpoint."""
    url: str | None = json.loads(document)["url"]
    return url


def changes(name: str, core: ScheduleDefinition, **given: Any) -> dict[str, Any]:
    """The part of a definition that may be changed, with what is given."""
    units: dict[str, Callable[[Any], Any]] = {
        "expression": lambda value: text(value, "expression"),
        "timezone": lambda value: text(value, "timezone"),
        "window": window,
        "input": lambda value: stored_input(name, kind_of(core), input_text(value)),
        "start": lambda value: moment(value, "start"),
        "end": lambda value: moment(value, "end"),
    }
    now: dict[str, Any] = dict(core)
    return {
        field: now[field] if given[field] is None else unit(given[field])
        for field, unit in units.items()
    }


def stored_input(name: str, kind: str, given: str | None) -> str | None:
    """The input as the engine keeps it: a function is told of the occurrence too."""
    return input_for_functions(name, given) if kind == "function" else given


def shown(core: ScheduleDefinition) -> dict[str, Any]:
    """A definition for people."""
    kind = kind_of(core)
    url = url_of(core["document"])
    given = core["input"]
    if kind == "function" and given is not None:
        given = json.loads(given)["input"]
    target = f"{kind} {core['target'][3]}"
    if kind in ("outbox", "machine"):
        noun = "function" if kind == "outbox" else kind
        target = f"{noun} {core['target'][3].rpartition('/')[2]}"
    if kind in ("url", "function"):
        target = url or kind
    seconds = {
        field: None if value is None else value / 1_000
        for field, value in (
            ("window", core["window"]),
            ("start", core["start"]),
            ("end", core["end"]),
        )
    }
    return {
        "expression": core["expression"],
        "timezone": core["timezone"],
        **seconds,
        "target": target,
        "group": core["group"],
        "input": given,
        "dead_letter": None if core["dead_letter"] is None else core["dead_letter"][3],
        "enabled": core["enabled"],
    }
