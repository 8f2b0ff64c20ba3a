"""Discoverers: each writes schemas of the events that pass a bus."""

from __future__ import annotations

import json

from trunkline._core import TargetSettings
from trunkline.aws.events import stored
from trunkline.aws.events.names import existing_bus, read_arn
from trunkline.aws.schemas.documents import DISCOVERED_REGISTRY, arn_of, every, key
from trunkline.aws.schemas.errors import conflict, invalid, not_found
from trunkline.aws.schemas.learning import rule_name, work
from trunkline.aws.schemas.pages import page_behind
from trunkline.aws.schemas.registries import create
from trunkline.aws.schemas.registry import operations
from trunkline.buses.targets import AGE_MS_MAX, LEASE_MS, RETRIES_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from trunkline._core import Bus
    from trunkline.aws.operation import Call

_MANAGER = "schemas.amazonaws.com"
_BUS = "event-bus/"
STARTED, STOPPED = "STARTED", "STOPPED"


def _told(call: Call, discoverer: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Description": discoverer["description"],
        "DiscovererArn": arn_of(call, "discoverer", discoverer["id"]),
        "DiscovererId": discoverer["id"],
        "SourceArn": discoverer["source"],
        "State": discoverer["state"],
        "CrossAccount": discoverer["cross_account"],
        "Tags": discoverer["tags"],
    }


def _read(call: Call, id: str) -> dict[str, Any]:
    found = call.store.get(key(call, "discoverer", id))
    if found is None:
        raise not_found("Discoverer", id)
    return found


def _bus(call: Call, discoverer: Mapping[str, Any]) -> Bus:
    bus = existing_bus(call, (call.account, call.region, discoverer["bus"]))
    if bus is None:
        raise not_found("Event bus", discoverer["bus"])
    return bus


def _put_rule(call: Call, discoverer: Mapping[str, Any], *, is_new: bool = False) -> None:
    """Has the bus deliver, or not, what the discoverer learns from. Replays tell nothing new."""
    pattern: dict[str, Any] = {"replay-name": [{"exists": False}]}
    if not discoverer["cross_account"]:
        pattern["account"] = [call.account]
    kept = {"managed_by": _MANAGER, "created_by": call.account}
    target = {"Id": "schemas", "Arn": arn_of(call, "discoverer", discoverer["id"])}
    settings = TargetSettings(
        target["Id"],
        lease=LEASE_MS,
        retries_max=RETRIES_MAX,
        age_max=AGE_MS_MAX,
        address=target["Arn"],
        document=stored.write(b"", target),
    )
    _bus(call, discoverer).put_rule(
        rule_name(discoverer["id"]),
        json.dumps(pattern),
        discoverer["state"] == STARTED,
        [settings] if is_new else None,
        stored.write(b"", kept),
    )


@operations.add("CreateDiscoverer", writes=True)
def create_discoverer(
    call: Call,
    *,
    source_arn: str,
    description: str | None = None,
    cross_account: bool = True,
    tags: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Creates a discoverer, which starts at once."""
    arn = read_arn(source_arn)
    if arn is None or arn.service != "events" or not arn.resource.startswith(_BUS):
        raise invalid("SourceArn is not the resource name of an event bus.")
    bus = arn.resource.removeprefix(_BUS)
    id = f"events-event-bus-{bus}"
    made = {
        "id": id,
        "account": call.account,
        "region": call.region,
        "bus": bus,
        "source": source_arn,
        "description": description,
        "cross_account": cross_account,
        "state": STARTED,
        "tags": dict(tags or {}),
    }
    if arn.owner != (call.account, call.region):
        raise invalid("SourceArn is of another account or region.")
    with call.store.lock:
        if call.store.get(key(call, "discoverer", id)) is not None:
            raise conflict("Discoverer", id)
        if call.store.get(key(call, "registry", DISCOVERED_REGISTRY)) is None:
            create(call, DISCOVERED_REGISTRY, None, {})
        _put_rule(call, made, is_new=True)
        call.store.put(key(call, "discoverer", id), made)
        work(call.store, made)
    return _told(call, made)


def _change(call: Call, id: str, **changed: Any) -> dict[str, Any]:
    with call.store.lock:
        made = {**_read(call, id), **changed}
        _put_rule(call, made)
        call.store.put(key(call, "discoverer", id), made)
    return _told(call, made)


@operations.add("UpdateDiscoverer", writes=True)
def update_discoverer(
    call: Call,
    *,
    discoverer_id: str,
    description: str | None = None,
    cross_account: bool | None = None,
) -> dict[str, Any]:
    """Changes what is given of a discoverer."""
    given = {"description": description, "cross_account": cross_account}
    changed = {name: value for name, value in given.items() if value is not None}
    return _change(call, discoverer_id, **changed)


@operations.add("StartDiscoverer", writes=True)
def start_discoverer(call: Call, *, discoverer_id: str) -> dict[str, Any]:
    """Lets a discoverer learn from what passes its bus."""
    told = _change(call, discoverer_id, state=STARTED)
    return {name: told[name] for name in ("DiscovererId", "State")}


@operations.add("StopDiscoverer", writes=True)
def stop_discoverer(call: Call, *, discoverer_id: str) -> dict[str, Any]:
    """Stops a discoverer; what passed its bus before is still learned from."""
    told = _change(call, discoverer_id, state=STOPPED)
    return {name: told[name] for name in ("DiscovererId", "State")}


@operations.add("DescribeDiscoverer")
def describe_discoverer(call: Call, *, discoverer_id: str) -> dict[str, Any]:
    """What a discoverer is."""
    return _told(call, _read(call, discoverer_id))


@operations.add("DeleteDiscoverer", writes=True)
def delete_discoverer(call: Call, *, discoverer_id: str) -> None:
    """Removes a discoverer; the schemas that it wrote stay."""
    with call.store.lock:
        discoverer = _read(call, discoverer_id)
        bus = existing_bus(call, (call.account, call.region, discoverer["bus"]))
        name = rule_name(discoverer_id)
        if bus is not None and any(rule["name"] == name for rule in bus.rules()):
            bus.remove_rule(name)
        call.store.put(key(call, "discoverer", discoverer_id), None)


@operations.add("ListDiscoverers")
def list_discoverers(
    call: Call,
    *,
    discoverer_id_prefix: str = "",
    source_arn_prefix: str = "",
    limit: int | None = None,
    next_token: str | None = None,
) -> dict[str, Any]:
    """The discoverers of the caller, sorted by id."""

    def behind(after: str | None) -> Iterator[dict[str, Any]]:
        kept = every(call, "discoverer", prefix=discoverer_id_prefix, after=after)
        return (one for one in kept if one["source"].startswith(source_arn_prefix))

    shown, rest = page_behind(behind, lambda one: str(one["id"]), limit, next_token)
    told = [_told(call, one) for one in shown]
    for one in told:
        one.pop("Description")
    return {"Discoverers": told, **rest}
