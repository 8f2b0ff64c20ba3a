"""Replays of archives: start, describe, list, cancel.

The engine carries a replay out and keeps how it stands; its description and the rules in the
words of its caller lie in a document of its own.
"""

from __future__ import annotations

from trunkline.aws.errors import ServiceError
from trunkline.aws.events.archives import archive_arn, find_archive
from trunkline.aws.events.errors import (
    already_exists,
    invalid_parameter,
    no_such_rule,
    not_found,
    over_limit,
)
from trunkline.aws.events.names import bus_arn, bus_of_arn, read_arn, write_arn
from trunkline.aws.events.pages import page, start
from trunkline.aws.events.registry import operations
from trunkline.aws.events.replay_store import key
from trunkline.errors import NotFound, OverLimit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline._core import Bus
    from trunkline.aws.operation import Call

_RUNNING = "RUNNING"


def _arn(bus: Bus, name: str) -> str:
    return write_arn(bus.account, bus.region, f"replay/{name}")


def _named(call: Call, name: str) -> tuple[Bus, str, dict[str, Any]] | None:
    """The replay of this name, with its bus and the name of its archive."""
    # Of the names that start with it, it is the first.
    found = call.store.replays((call.account, call.region), name, None, 1)
    return found[0] if found and found[0][2]["name"] == name else None


def _find(call: Call, name: str) -> tuple[Bus, str, dict[str, Any]]:
    found = _named(call, name)
    if found is None:
        raise not_found(f"Replay {name} does not exist.")
    return found


@operations.add("StartReplay", writes=True)
def start_replay(
    call: Call,
    *,
    replay_name: str,
    event_source_arn: str,
    event_start_time: float,
    event_end_time: float,
    destination: Mapping[str, Any],
    description: str | None = None,
) -> dict[str, Any]:
    """Starts to put the events of an archive on its bus again."""
    target = bus_of_arn(call, destination["Arn"], "Destination.Arn")
    arn = read_arn(event_source_arn)
    name = "" if arn is None else arn.resource.removeprefix("archive/")
    found = find_archive(call, name)
    if found is None:
        raise invalid_parameter("EventSourceArn", f"Archive {name} does not exist.")
    bus = found[0]
    if event_start_time >= event_end_time:
        raise invalid_parameter("EventEndTime", "EventStartTime must be before EventEndTime.")
    if bus.id != target.id:
        raise invalid_parameter("Destination.Arn", "Cross event bus replay is not permitted.")
    filters = destination.get("FilterArns")
    rules = None if not filters else _rules(bus, filters)
    with call.store.lock:
        if _named(call, replay_name) is not None:
            raise already_exists(f"Replay {replay_name} already exists.")
        span = (int(event_start_time * 1_000), int(event_end_time * 1_000))
        try:
            id = bus.archives().start_replay(name, replay_name, *span, rules)
        except OverLimit:
            raise over_limit() from None
        call.store.put(key(id), {"description": description, "destination": dict(destination)})
        replay = bus.archives().replay(id)
    return {
        "ReplayArn": _arn(bus, replay_name),
        "State": "STARTING",
        "ReplayStartTime": replay["started_at"],
    }


def _rules(bus: Bus, arns: Sequence[str]) -> list[str]:
    """The rules that resource names name; each must be one of the bus."""
    names = []
    for text in arns:
        arn = read_arn(text)
        _, _, name = ("" if arn is None else arn.resource).rpartition("/")
        try:
            bus.rule(name)
        except NotFound:
            raise no_such_rule(name, bus.name) from None
        names.append(name)
    return names


def _summary(bus: Bus, archive: str, replay: dict[str, Any]) -> dict[str, Any]:
    return {
        "ReplayName": replay["name"],
        "EventSourceArn": archive_arn(bus, archive),
        "State": replay["status"],
        "StateReason": replay["failure"],
        "EventStartTime": replay["start"] / 1_000,
        "EventEndTime": replay["end"] / 1_000,
        "EventLastReplayedTime": replay["last_event_at"],
        "ReplayStartTime": replay["started_at"],
        "ReplayEndTime": replay["ended_at"],
    }


@operations.add("DescribeReplay")
def describe_replay(call: Call, *, replay_name: str) -> dict[str, Any]:
    """How a replay stands."""
    bus, archive, replay = _find(call, replay_name)
    kept = call.store.get(key(replay["id"])) or {}
    return _summary(bus, archive, replay) | {
        "ReplayArn": _arn(bus, replay_name),
        "Description": kept.get("description"),
        "Destination": kept.get("destination", {"Arn": bus_arn(bus)}),
    }


@operations.add("ListReplays")
def list_replays(
    call: Call,
    *,
    name_prefix: str = "",
    state: str | None = None,
    event_source_arn: str | None = None,
    next_token: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    """The replays of the caller, sorted by name."""
    archive = None
    if event_source_arn is not None:
        arn = read_arn(event_source_arn)
        # What names no archive of the caller has no replays.
        is_own = arn is not None and arn.owner == (call.account, call.region)
        archive = arn.resource.removeprefix("archive/") if arn is not None and is_own else ""
    owner, span = (call.account, call.region), start(limit, next_token)
    found = call.store.replays(owner, name_prefix, *span, state, archive)
    shown, rest = page(found, lambda one: str(one[2]["name"]), limit, next_token)
    return {"Replays": [_summary(*one) for one in shown]} | rest


@operations.add("CancelReplay", writes=True)
def cancel_replay(call: Call, *, replay_name: str) -> dict[str, Any]:
    """Has a replay put no more events."""
    with call.store.lock:
        bus, _, replay = _find(call, replay_name)
        if replay["status"] != _RUNNING:
            raise ServiceError(
                "IllegalStatusException",
                f"Replay {replay_name} is not in a valid state for this operation.",
            )
        bus.archives().cancel_replay(replay["id"])
    return {"ReplayArn": _arn(bus, replay_name), "State": "CANCELLING"}
