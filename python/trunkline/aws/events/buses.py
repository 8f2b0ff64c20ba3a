"""Event buses come and go: create, describe, update, list, delete."""

from __future__ import annotations

from trunkline.aws.events import stored
from trunkline.aws.events.errors import already_exists, invalid, invalid_parameter
from trunkline.aws.events.names import (
    DEFAULT,
    bus_arn,
    existing_bus,
    find_bus,
    read_arn,
)
from trunkline.aws.events.pages import page_behind
from trunkline.aws.events.registry import operations
from trunkline.aws.events.source_store import leave_bus, match_bus
from trunkline.aws.events.tags import as_mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline._core import Bus
    from trunkline.aws.operation import Call

_CONFIGURED = ("Description", "KmsKeyIdentifier", "DeadLetterConfig", "LogConfig")


@operations.add("CreateEventBus", writes=True)
def create_event_bus(
    call: Call,
    *,
    name: str,
    event_source_name: str | None = None,
    description: str | None = None,
    kms_key_identifier: str | None = None,
    dead_letter_config: Mapping[str, str] | None = None,
    log_config: Mapping[str, str] | None = None,
    tags: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """Creates an event bus."""
    if event_source_name is None and "/" in name:
        raise invalid_parameter("Name", f"Only event buses of partners have a / in {name}.")
    _check_dead_letter(call, dead_letter_config)
    configured = {
        "Description": description,
        "KmsKeyIdentifier": kms_key_identifier,
        "DeadLetterConfig": dead_letter_config or None,
        "LogConfig": log_config,
    }
    kept = configured | {"tags": as_mapping(tags) or None}
    full_name = (call.account, call.region, name)
    with call.store.lock:
        if existing_bus(call, full_name) is not None:
            raise already_exists(f"Event bus {name} already exists.")
        match_bus(call, name, event_source_name)
        bus = call.store.core.bus(full_name, True, stored.write(b"", kept))
    assert bus is not None, "a bus that is to be created is there"
    return {"EventBusArn": bus_arn(bus)} | configured


def _check_dead_letter(call: Call, config: Mapping[str, str] | None) -> None:
    text = (config or {}).get("Arn")
    if text is None:
        return
    arn = read_arn(text)
    queue = None
    if arn is not None and arn.service == "sqs":
        queue = call.store.core.find_queue((*arn.owner, arn.resource))
    if queue is None or queue.settings.fifo:
        raise invalid_parameter("DeadLetterConfig.Arn", "It must name a standard SQS queue.")


def _modified(bus: Bus) -> float:
    modified: float = stored.read(bus.document).get("modified", bus.created_at)
    return modified


@operations.add("DescribeEventBus")
def describe_event_bus(call: Call, *, name: str = DEFAULT) -> dict[str, Any]:
    """An event bus with everything that it has."""
    bus = find_bus(call)
    kept = stored.read(bus.document)
    return _summary(bus) | {member: kept.get(member) for member in _CONFIGURED}


def _summary(bus: Bus) -> dict[str, Any]:
    kept = stored.read(bus.document)
    policy = kept.get("Policy")
    return {
        "Name": bus.name,
        "Arn": bus_arn(bus),
        "Description": kept.get("Description"),
        "Policy": None if policy is None else stored.text(policy),
        "CreationTime": bus.created_at,
        "LastModifiedTime": _modified(bus),
    }


@operations.add("UpdateEventBus", writes=True)
def update_event_bus(
    call: Call,
    *,
    name: str = DEFAULT,
    description: str | None = None,
    kms_key_identifier: str | None = None,
    dead_letter_config: Mapping[str, str] | None = None,
    log_config: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Changes what is given of an event bus."""
    _check_dead_letter(call, dead_letter_config)
    given = {
        "Description": description,
        "KmsKeyIdentifier": kms_key_identifier,
        "DeadLetterConfig": dead_letter_config,
        "LogConfig": log_config,
    }
    with call.store.lock:
        bus = find_bus(call)
        kept = stored.read(bus.document)
        kept |= {member: value for member, value in given.items() if value is not None}
        kept["modified"] = call.store.now()
        # An empty description, or a dead-letter queue without a name, takes away what was there.
        stored.change_bus(bus, {member: value for member, value in kept.items() if value})
    return {"Arn": bus_arn(bus), "Name": bus.name} | {
        member: kept.get(member) for member in _CONFIGURED
    }


@operations.add("ListEventBuses")
def list_event_buses(
    call: Call,
    *,
    name_prefix: str = "",
    next_token: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    """The event buses of the caller, sorted by name."""
    existing_bus(call, (call.account, call.region, DEFAULT))
    shown, rest = page_behind(
        lambda after: call.store.buses(call.account, call.region, name_prefix, after),
        lambda bus: bus.name,
        limit,
        next_token,
    )
    return {"EventBuses": [_summary(bus) for bus in shown]} | rest


@operations.add("DeleteEventBus", writes=True)
def delete_event_bus(call: Call, *, name: str) -> None:
    """Removes an event bus that has no rules. One that is gone is a success."""
    if (call.target or ("", "", name))[2] == DEFAULT:
        raise invalid("Cannot delete event bus default.")
    assert call.target is not None, "the name of a bus is required"
    with call.store.lock:
        bus = call.store.core.bus(call.target, False)
        if bus is None:
            return
        if bus.statistics()["rules"]:
            raise invalid(f"Cannot delete event bus {name} since it has rules.")
        bus.remove()
        leave_bus(call, bus.name)
