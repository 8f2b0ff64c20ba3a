"""TestEventPattern: whether a pattern matches an event, without a rule."""

from __future__ import annotations

from trunkline import patterns
from trunkline.aws.events.errors import invalid_parameter
from trunkline.aws.events.registry import operations
from trunkline.aws.json_text import read_object
from trunkline.errors import InvalidEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call

_REQUIRED = ("id", "source", "detail-type", "account", "region", "time")


@operations.add("TestEventPattern")
def test_event_pattern(call: Call, *, event_pattern: str, event: str) -> dict[str, Any]:
    """Whether the pattern matches the event."""
    found = read_object(event)
    if found is None or any(name not in found for name in _REQUIRED):
        raise invalid_parameter("Event")
    pattern = patterns.compile(event_pattern)
    try:
        return {"Result": pattern.matches(event)}
    except InvalidEvent:
        raise invalid_parameter("Event") from None
