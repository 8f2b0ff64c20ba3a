"""Rules with a schedule: a schedule of the engine puts an event on the bus that this rule matches.

The event names the rule as its resource, so no other rule gets it by accident; callers of PutEvents
cannot write it, because its source is one of AWS.
"""

from __future__ import annotations

import json

from trunkline._core import Timetable
from trunkline.aws.events.errors import invalid_parameter
from trunkline.aws.events.names import rule_arn
from trunkline.errors import ValidationException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Bus
    from trunkline.aws.events.rule_store import StoredRule
    from trunkline.aws.operation import Call

GROUP = "aws.events.rules"
"""The group of the schedules of rules. Callers of EventBridge Scheduler do not see it."""

_SOURCE, _DETAIL_TYPE = "aws.events", "Scheduled Event"


def check_expression(expression: str) -> None:
    """Raises for what is no schedule of a rule."""
    try:
        Timetable(expression, "UTC", 0, rule=True)
    except ValidationException:
        raise invalid_parameter("ScheduleExpression") from None


def trigger_pattern(rule: StoredRule) -> str:
    """The pattern that the engine matches: that of the caller, or the event of the schedule."""
    if rule.schedule is None:
        assert rule.pattern is not None, "a rule without a schedule has a pattern"
        return rule.pattern
    scheduled = {"source": [_SOURCE], "detail-type": [_DETAIL_TYPE], "resources": [rule.arn]}
    if rule.pattern is None:
        return json.dumps(scheduled)
    return json.dumps({"$or": [scheduled, json.loads(rule.pattern)]})


def plan_schedule(call: Call, rule: StoredRule) -> None:
    """Has the engine's schedule be as the rule is; the caller holds the lock of the service."""
    bus, expression = rule.bus, rule.schedule
    if expression is None:
        remove_schedule(call, bus, rule.name)
        return
    event = {
        "source": _SOURCE,
        "detail-type": _DETAIL_TYPE,
        "time": "<aws.scheduler.scheduled-time>",
        "resources": [rule_arn(bus, rule.name)],
        "detail": {},
    }
    wanted: dict[str, Any] = {
        "expression": expression,
        "timezone": "UTC",
        "start": None,
        "end": None,
        "window": None,
        "target": ("bus", bus.id),
        "group": None,
        "input": json.dumps(event, separators=(",", ":")),
        "dead_letter": None,
        "enabled": rule.enabled,
        "delete_after_completion": False,
        "document": b"",
    }
    schedules = call.store.core.schedules()
    name = (bus.account, bus.region, f"{GROUP}/{rule.name}")
    found = schedules.find(name)
    if found is None:
        schedules.create(name, wanted)
        return
    now = found.definition()
    if now["expression"] != expression:
        found.replace(wanted)
    elif now["enabled"] != rule.enabled:
        found.set_enabled(rule.enabled)


def remove_schedule(call: Call, bus: Bus, rule: str) -> None:
    """Removes the schedule of a rule, if it has one."""
    found = call.store.core.schedules().find((bus.account, bus.region, f"{GROUP}/{rule}"))
    if found is not None:
        found.remove()
