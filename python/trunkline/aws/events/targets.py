"""Targets of rules: put, remove, list."""

from __future__ import annotations

from trunkline.aws.arns import partition
from trunkline.aws.events import called_targets, target_settings
from trunkline.aws.events.errors import over_limit
from trunkline.aws.events.names import DEFAULT, find_bus, write_arn
from trunkline.aws.events.pages import page
from trunkline.aws.events.registry import operations
from trunkline.aws.events.rule_store import read_rule
from trunkline.aws.limits import RULE_TARGETS_MAX
from trunkline.aws.targets.kind import Absent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline.aws.events.rule_store import StoredRule
    from trunkline.aws.operation import Call


@operations.add("PutTargets", writes=True)
def put_targets(
    call: Call,
    *,
    rule: str,
    targets: Sequence[Mapping[str, Any]],
    event_bus_name: str = DEFAULT,
) -> dict[str, Any]:
    """Adds targets to a rule, or replaces those of the same ids."""
    for target in targets:
        target_settings.check(target)
    made, failed = [], []
    with call.store.lock:
        found = read_rule(find_bus(call), rule)
        found.check_changeable(force=False)
        ids = {target["id"] for target in found.targets} | {target["Id"] for target in targets}
        if len(ids) > RULE_TARGETS_MAX:
            raise over_limit()
        for target in targets:
            try:
                made.append(target_settings.settings(call, target))
            except Absent as absent:
                failed.append(_failure(target["Id"], absent))
        if made:
            found.bus.put_targets(rule, made)
            called_targets.follow(call.store, found.bus, rule)
    return {"FailedEntryCount": len(failed), "FailedEntries": failed}


def _failure(id: str, error: Absent) -> dict[str, str]:
    return {"TargetId": id, "ErrorCode": error.code, "ErrorMessage": error.message}


@operations.add("RemoveTargets", writes=True)
def remove_targets(
    call: Call,
    *,
    rule: str,
    ids: Sequence[str],
    event_bus_name: str = DEFAULT,
    force: bool = False,
) -> dict[str, Any]:
    """Removes targets from a rule; ids that it lacks do no harm."""
    with call.store.lock:
        found = read_rule(find_bus(call), rule)
        found.check_changeable(force=force)
        found.bus.remove_targets(rule, ids)
    return {"FailedEntryCount": 0, "FailedEntries": []}


@operations.add("ListTargetsByRule")
def list_targets_by_rule(
    call: Call,
    *,
    rule: str,
    event_bus_name: str = DEFAULT,
    next_token: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    """The targets of a rule, sorted by id."""
    found = read_rule(find_bus(call), rule)
    if found.archive is not None:
        return {"Targets": [_archive_target(found, found.archive)]}
    shown, rest = page(found.targets, lambda target: str(target["id"]), limit, next_token)
    targets = [target_settings.described(call, found.bus, target) for target in shown]
    return {"Targets": targets} | rest


def _archive_target(rule: StoredRule, archive: str) -> dict[str, Any]:
    """The target through which an archive gets its events, as AWS tells of it.

    The engine has none: its archives take what the bus is put.
    """
    bus = rule.bus
    template = (
        f'{{"archive-arn": "{write_arn(bus.account, bus.region, f"archive/{archive}")}", '
        '"event": <aws.events.event.json>, '
        '"ingestion-time": <aws.events.event.ingestion-time>}'
    )
    return {
        "Id": rule.name,
        "Arn": f"arn:{partition(bus.region)}:events:{bus.region}:::",
        "InputTransformer": {"InputPathsMap": {}, "InputTemplate": template},
    }
