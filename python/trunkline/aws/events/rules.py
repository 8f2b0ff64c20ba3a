"""Rules: put, describe, list, enable, disable, delete."""

from __future__ import annotations

from trunkline import patterns
from trunkline.aws.events.errors import invalid
from trunkline.aws.events.names import DEFAULT, find_bus
from trunkline.aws.events.pages import page, start
from trunkline.aws.events.registry import operations
from trunkline.aws.events.rule_schedules import check_expression
from trunkline.aws.events.rule_store import (
    StoredRule,
    archive_rules,
    find_rule,
    forget_rule,
    of_plain,
    read_rule,
)
from trunkline.aws.events.tags import as_mapping
from trunkline.aws.events.target_settings import resource_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline.aws.operation import Call


@operations.add("PutRule", writes=True)
def put_rule(
    call: Call,
    *,
    name: str,
    schedule_expression: str | None = None,
    event_pattern: str | None = None,
    state: str = "ENABLED",
    description: str | None = None,
    role_arn: str | None = None,
    tags: Sequence[Mapping[str, str]] = (),
    event_bus_name: str = DEFAULT,
) -> dict[str, Any]:
    """Creates a rule, or replaces everything of it but its targets and its tags."""
    if not schedule_expression and not event_pattern:
        raise invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
    if event_pattern:
        patterns.compile(event_pattern)
    given_tags = as_mapping(tags)
    with call.store.lock:
        bus = find_bus(call)
        if schedule_expression:
            if bus.name != DEFAULT:
                raise invalid("ScheduleExpression is supported only on the default event bus.")
            check_expression(schedule_expression)
        old = find_rule(bus, name)
        if old is not None:
            old.check_changeable(force=False)
        rule = old or StoredRule(bus, name, {"created_by": call.account})
        rule.pattern, rule.enabled = event_pattern or None, state != "DISABLED"
        rule.kept |= {
            "schedule": schedule_expression or None,
            "pattern": event_pattern if schedule_expression else None,
            "description": description,
            "role_arn": role_arn,
            "state": None if state in ("ENABLED", "DISABLED") else state,
        }
        # Tags of a rule that exists are changed by TagResource alone, as on AWS.
        if old is None:
            rule.kept["tags"] = given_tags or None
        rule.write(call)
    return {"RuleArn": rule.arn}


@operations.add("DescribeRule")
def describe_rule(call: Call, *, name: str, event_bus_name: str = DEFAULT) -> dict[str, Any]:
    """A rule with everything that it has but its targets."""
    rule = read_rule(find_bus(call), name)
    return _summary(rule) | {"CreatedBy": rule.kept.get("created_by", rule.bus.account)}


def _summary(rule: StoredRule) -> dict[str, Any]:
    kept = rule.kept
    return {
        "Name": rule.name,
        "Arn": rule.arn,
        "EventPattern": rule.pattern,
        "State": rule.state,
        "Description": kept.get("description"),
        "ScheduleExpression": rule.schedule,
        "RoleArn": kept.get("role_arn"),
        "ManagedBy": kept.get("managed_by"),
        "EventBusName": rule.bus.name,
    }


@operations.add("ListRules")
def list_rules(
    call: Call,
    *,
    name_prefix: str = "",
    event_bus_name: str = DEFAULT,
    next_token: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    """The rules of a bus, sorted by name."""
    bus = find_bus(call)
    span = start(limit, next_token)
    managed = {rule.name: rule for rule in archive_rules(call, bus, name_prefix, *span)}
    plain = {rule["name"]: rule for rule in bus.rule_page(name_prefix, *span)}
    shown, rest = page(managed | plain, str, limit, next_token)
    rules = (of_plain(bus, plain[name]) if name in plain else managed[name] for name in shown)
    return {"Rules": [_summary(rule) for rule in rules]} | rest


@operations.add("EnableRule", writes=True)
def enable_rule(call: Call, *, name: str, event_bus_name: str = DEFAULT) -> None:
    """Has events matched against a rule again."""
    _set_enabled(call, name, enabled=True)


@operations.add("DisableRule", writes=True)
def disable_rule(call: Call, *, name: str, event_bus_name: str = DEFAULT) -> None:
    """Has no events matched against a rule."""
    _set_enabled(call, name, enabled=False)


def _set_enabled(call: Call, name: str, *, enabled: bool) -> None:
    with call.store.lock:
        rule = read_rule(find_bus(call), name)
        rule.check_changeable(force=False)
        rule.enabled = enabled
        rule.write(call)


@operations.add("DeleteRule", writes=True)
def delete_rule(
    call: Call, *, name: str, event_bus_name: str = DEFAULT, force: bool = False
) -> None:
    """Removes a rule that has no targets. One that is gone is a success."""
    with call.store.lock:
        bus = find_bus(call)
        rule = find_rule(bus, name)
        if rule is None:
            return
        rule.check_changeable(force=force)
        if rule.targets:
            raise invalid("Rule can't be deleted since it has targets.")
        forget_rule(call, bus, name)
        bus.remove_rule(name)


@operations.add("ListRuleNamesByTarget")
def list_rule_names_by_target(
    call: Call,
    *,
    target_arn: str,
    event_bus_name: str = DEFAULT,
    next_token: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    """The rules of a bus that have a target of this resource name, sorted by name."""
    bus = find_bus(call)
    resource, span = resource_of(call, target_arn), start(limit, next_token)
    names = set(bus.rule_names_of(target_arn, None, *span))
    if resource is not None:
        names.update(bus.rule_names_of(target_arn, resource, *span))
    shown, rest = page(names, str, limit, next_token)
    return {"RuleNames": shown} | rest
