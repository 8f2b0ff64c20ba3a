"""Schedules: each falls due as the engine's schedules do, and runs an operation."""

from __future__ import annotations

import json
from itertools import chain

from trunkline._core import Timetable
from trunkline.aws.arns import partition
from trunkline.aws.json_text import read_object
from trunkline.aws.limits import SCHEDULE_RETRY, SCHEDULES_PAGE_MAX
from trunkline.aws.scheduler import groups, target_kinds
from trunkline.aws.scheduler.errors import conflict, invalid, no_such_schedule
from trunkline.aws.scheduler.pages import page_behind
from trunkline.aws.scheduler.registry import operations
from trunkline.aws.scheduler.runner import destination_of
from trunkline.errors import TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from trunkline._core import Schedule
    from trunkline.aws.operation import Call

_MINUTE_MS = 60_000


def arn_of(account: str, region: str, name: str) -> str:
    """The resource name of a schedule; `name` is the group's, a slash and its own."""
    return f"arn:{partition(region)}:scheduler:{region}:{account}:schedule/{name}"


@operations.add("CreateSchedule", writes=True)
def create_schedule(
    call: Call,
    *,
    name: str,
    group_name: str = groups.DEFAULT,
    client_token: str | None = None,
    **given: Any,
) -> dict[str, Any]:
    """Creates a schedule; the same call with the same token has the same answer."""
    kept = _kept(given)
    full_name = (call.account, call.region, f"{group_name}/{name}")
    with call.store.lock:
        groups.read(call, group_name)
        existing = call.store.core.schedules().find(full_name)
        if existing is not None:
            earlier = _read(existing) or {}
            if client_token is None or earlier.get("token") != client_token:
                raise conflict("Schedule", name)
            if earlier["definition"] != kept:
                raise conflict("Schedule", name)
        else:
            now = call.store.now()
            document = {"definition": kept, "created": now, "modified": now, "token": client_token}
            call.store.core.schedules().create(full_name, _core(call, full_name, document))
    return {"ScheduleArn": arn_of(*full_name)}


@operations.add("UpdateSchedule", writes=True)
def update_schedule(
    call: Call,
    *,
    name: str,
    group_name: str = groups.DEFAULT,
    client_token: str | None = None,
    **given: Any,
) -> dict[str, Any]:
    """Replaces a schedule as a whole: what is left out gets its default again."""
    kept = _kept(given)
    full_name = (call.account, call.region, f"{group_name}/{name}")
    with call.store.lock:
        schedule = _find(call, group_name, name)
        now = call.store.now()
        created = (_read(schedule) or {}).get("created", now)
        document = {"definition": kept, "created": created, "modified": now, "token": None}
        schedule.replace(_core(call, full_name, document))
    return {"ScheduleArn": arn_of(*full_name)}


@operations.add("GetSchedule")
def get_schedule(call: Call, *, name: str, group_name: str = groups.DEFAULT) -> dict[str, Any]:
    """What a schedule is."""
    document = _read(_find(call, group_name, name))
    if document is None:
        raise no_such_schedule(name)
    return {
        **document["definition"],
        "Arn": arn_of(call.account, call.region, f"{group_name}/{name}"),
        "GroupName": group_name,
        "Name": name,
        "CreationDate": document["created"],
        "LastModificationDate": document["modified"],
    }


@operations.add("DeleteSchedule", writes=True)
def delete_schedule(
    call: Call, *, name: str, group_name: str = groups.DEFAULT, client_token: str | None = None
) -> None:
    """Removes a schedule; what fell due before still runs."""
    with call.store.lock:
        _find(call, group_name, name).remove()


@operations.add("ListSchedules")
def list_schedules(
    call: Call,
    *,
    group_name: str | None = None,
    name_prefix: str = "",
    state: str | None = None,
    next_token: str | None = None,
    max_results: int | None = None,
) -> dict[str, Any]:
    """The schedules of one group or of all, by name."""
    if group_name is not None:
        groups.read(call, group_name)

    if group_name is not None:
        prefixes = [f"{group_name}/{name_prefix}"]
    elif name_prefix:
        prefixes = [f"{group}/{name_prefix}" for group in groups.names(call)]
    else:
        prefixes = [""]

    def behind(after: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
        for schedule in chain.from_iterable(_each(call, prefix, after) for prefix in prefixes):
            # No group holds schedules that EventBridge's rules or programs made.
            document = _read(schedule)
            if document is not None and state in (None, document["definition"]["State"]):
                yield schedule.name, document

    shown, following = page_behind(behind, lambda one: one[0], max_results, next_token)
    return {"Schedules": [_summary(call, *one) for one in shown], **following}


def _each(call: Call, prefix: str, after: str | None) -> Iterator[Schedule]:
    """The schedules whose full name starts with `prefix` and comes behind `after`, in order."""
    schedules, owner = call.store.core.schedules(), (call.account, call.region)
    while found := schedules.page(owner, prefix, after, SCHEDULES_PAGE_MAX + 1):
        yield from found
        after = found[-1].name


def _summary(call: Call, key: str, document: Mapping[str, Any]) -> dict[str, Any]:
    group, _, name = key.partition("/")
    definition = document["definition"]
    return {
        "Arn": arn_of(call.account, call.region, key),
        "Name": name,
        "GroupName": group,
        "State": definition["State"],
        "CreationDate": document["created"],
        "LastModificationDate": document["modified"],
        "Target": {"Arn": definition["Target"]["Arn"]},
    }


def _find(call: Call, group: str, name: str) -> Schedule:
    groups.read(call, group)
    found = call.store.core.schedules().find((call.account, call.region, f"{group}/{name}"))
    if found is None:
        raise no_such_schedule(name)
    return found


def _read(schedule: Schedule) -> dict[str, Any] | None:
    """What this service keeps of a schedule; None for one that a program or a rule made."""
    document = read_object(schedule.definition()["document"].decode()) or {}
    return document.get("scheduler")


_MEMBERS = {
    "schedule_expression": "ScheduleExpression",
    "start_date": "StartDate",
    "end_date": "EndDate",
    "description": "Description",
    "schedule_expression_timezone": "ScheduleExpressionTimezone",
    "state": "State",
    "kms_key_arn": "KmsKeyArn",
    "target": "Target",
    "flexible_time_window": "FlexibleTimeWindow",
    "action_after_completion": "ActionAfterCompletion",
}


def _kept(given: Mapping[str, Any]) -> dict[str, Any]:
    """A definition with AWS's defaults; raises for what may not be."""
    kept = {
        "ScheduleExpressionTimezone": "UTC",
        "State": "ENABLED",
        "ActionAfterCompletion": "NONE",
        **{_MEMBERS[name]: value for name, value in given.items()},
    }
    retry = SCHEDULE_RETRY | kept["Target"].get("RetryPolicy", {})
    kept["Target"] = {**kept["Target"], "RetryPolicy": retry}
    window = kept["FlexibleTimeWindow"]
    if (window["Mode"] == "FLEXIBLE") != ("MaximumWindowInMinutes" in window):
        raise invalid(
            "Invalid FlexibleTimeWindow. MaximumWindowInMinutes is for the mode FLEXIBLE, which "
            "needs it."
        )
    _check_times(kept)
    target_kinds.check(kept["Target"])
    return kept


def _check_times(kept: Mapping[str, Any]) -> None:
    expression, zone = kept["ScheduleExpression"], kept["ScheduleExpressionTimezone"]
    try:
        Timetable(expression, "UTC", 0)
    except TrunklineError:
        raise invalid(f"Invalid Schedule Expression {expression}.") from None
    try:
        Timetable(expression, zone, 0, _milliseconds(kept, "StartDate"))
    except TrunklineError:
        raise invalid(f"Invalid ScheduleExpressionTimezone {zone}.") from None
    start, end = _milliseconds(kept, "StartDate"), _milliseconds(kept, "EndDate")
    if start is not None and end is not None and start >= end:
        raise invalid("Invalid EndDate. It must be after StartDate.")


def _milliseconds(kept: Mapping[str, Any], name: str) -> int | None:
    return None if name not in kept else int(kept[name] * 1_000)


def _core(
    call: Call, full_name: tuple[str, str, str], document: Mapping[str, Any]
) -> dict[str, Any]:
    """A definition in the core's units. Its input is what the runner needs, when it falls due."""
    kept = document["definition"]
    window = kept["FlexibleTimeWindow"].get("MaximumWindowInMinutes")
    target = json.dumps({"arn": arn_of(*full_name), "target": kept["Target"]})
    # The engine replaces tokens; those of the caller's input are left to the runner, which knows
    # the attempt. In JSON the sign may be written as an escape.
    told = target.replace("<", "\\u003c")
    occurrence = (
        '{"scheduled_at":"<aws.scheduler.scheduled-time>",'
        f'"execution_id":"<aws.scheduler.execution-id>",{told[1:]}'
    )
    return {
        "expression": kept["ScheduleExpression"],
        "timezone": kept["ScheduleExpressionTimezone"],
        "start": _milliseconds(kept, "StartDate"),
        "end": _milliseconds(kept, "EndDate"),
        "window": None if window is None else window * _MINUTE_MS,
        "target": ("outbox", destination_of(call.store)),
        "group": None,
        "input": occurrence,
        "dead_letter": None,
        "enabled": kept["State"] == "ENABLED",
        "delete_after_completion": kept["ActionAfterCompletion"] == "DELETE",
        "document": json.dumps(
            {"target": "operation", "url": None, "scheduler": document}
        ).encode(),
    }
