"""Groups of schedules. The group ``default`` is always there."""

from __future__ import annotations

from heapq import merge

from trunkline.aws.arns import partition
from trunkline.aws.scheduler.errors import conflict, invalid, no_such_group
from trunkline.aws.scheduler.pages import page_behind
from trunkline.aws.scheduler.registry import operations
from trunkline.aws.scheduler.tag_list import as_mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from trunkline.aws.operation import Call

DEFAULT = "default"


def arn_of(call: Call, name: str) -> str:
    """The resource name of a group of the caller."""
    return f"arn:{partition(call.region)}:scheduler:{call.region}:{call.account}" + (
        f":schedule-group/{name}"
    )


def _prefix(call: Call) -> str:
    return f"scheduler/{call.region}/{call.account}/groups/"


def read(call: Call, name: str) -> dict[str, Any]:
    """What is kept of a group; raises if there is none of this name."""
    kept = call.store.get(_prefix(call) + name)
    if kept is not None:
        return kept
    if name != DEFAULT:
        raise no_such_group(name)
    return {"name": DEFAULT, "created": 0.0, "modified": 0.0, "tags": {}}


def write(call: Call, group: Mapping[str, Any]) -> None:
    """Keeps a group."""
    call.store.put(_prefix(call) + group["name"], dict(group))


def _shown(call: Call, group: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Arn": arn_of(call, group["name"]),
        "Name": group["name"],
        "State": "ACTIVE",
        "CreationDate": group["created"],
        "LastModificationDate": group["modified"],
    }


@operations.add("CreateScheduleGroup", writes=True)
def create_schedule_group(
    call: Call,
    *,
    name: str,
    tags: Sequence[Mapping[str, str]] = (),
    client_token: str | None = None,
) -> dict[str, Any]:
    """Creates a group; the same call with the same token has the same answer."""
    if name.startswith("aws."):
        raise invalid("Names of schedule groups that start with aws. are reserved.")
    now = call.store.now()
    wanted = {"name": name, "tags": as_mapping(tags), "token": client_token}
    with call.store.lock:
        kept = call.store.get(_prefix(call) + name)
        if name == DEFAULT or (kept and any(kept[key] != wanted[key] for key in wanted)):
            raise conflict("Schedule group", name)
        if kept is None:
            write(call, {**wanted, "created": now, "modified": now})
    return {"ScheduleGroupArn": arn_of(call, name)}


@operations.add("GetScheduleGroup")
def get_schedule_group(call: Call, *, name: str) -> dict[str, Any]:
    """What a group is."""
    return _shown(call, read(call, name))


@operations.add("DeleteScheduleGroup", writes=True)
def delete_schedule_group(call: Call, *, name: str, client_token: str | None = None) -> None:
    """Removes a group with its schedules."""
    if name == DEFAULT:
        raise invalid("Cannot delete the default schedule group.")
    with call.store.lock:
        read(call, name)
        for schedule in call.store.core.schedules().list(call.account, call.region, f"{name}/"):
            schedule.remove()
        call.store.put(_prefix(call) + name, None)


def _every(call: Call, start: str = "", after: str | None = None) -> Iterator[dict[str, Any]]:
    """The groups by name, which starts with `start` and comes behind `after`; kept or not, the
    default group is one of them."""
    kept = call.store.every(_prefix(call), start, after)
    is_wanted = DEFAULT.startswith(start) and (after is None or after < DEFAULT)
    if not is_wanted or call.store.get(_prefix(call) + DEFAULT) is not None:
        return kept
    return merge(kept, [read(call, DEFAULT)], key=_name)


def _name(group: Mapping[str, Any]) -> str:
    return str(group["name"])


def names(call: Call) -> list[str]:
    """The names of all groups, in the order of the full names of their schedules."""
    return sorted(map(_name, _every(call)), key=lambda name: f"{name}/")


@operations.add("ListScheduleGroups")
def list_schedule_groups(
    call: Call,
    *,
    name_prefix: str = "",
    next_token: str | None = None,
    max_results: int | None = None,
) -> dict[str, Any]:
    """The groups whose name starts with a prefix, by name."""

    def behind(after: str | None) -> Iterator[dict[str, Any]]:
        return _every(call, name_prefix, after)

    shown, following = page_behind(behind, _name, max_results, next_token)
    return {"ScheduleGroups": [_shown(call, group) for group in shown], **following}
