"""What a global endpoint has beside its document: what PutEvents looks up, and managed rules.

With replication each of the two buses gets the other's custom events, by a rule that EventBridge
manages, as on AWS. An event names the region that it was put in, so none goes back.
"""

from __future__ import annotations

import json

from trunkline.aws.events import stored, target_settings
from trunkline.aws.events.errors import invalid_parameter
from trunkline.aws.events.names import bus_of, existing_bus, read_arn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from trunkline._core import Bus
    from trunkline.aws.events.names import Arn
    from trunkline.aws.operation import Call

_MANAGER = "events.amazonaws.com"
_BUS = "event-bus/"


def check(call: Call, endpoint: Mapping[str, Any]) -> None:
    """Raises unless an endpoint has two buses of one name, in different regions."""
    arns = [read_arn(bus["EventBusArn"]) for bus in endpoint["EventBuses"]]
    if any(arn is None or not arn.resource.startswith(_BUS) for arn in arns):
        raise invalid_parameter("EventBuses", "Each must name an event bus.")
    found = list(_arns(endpoint))
    if len({arn.region for arn in found}) < len(found):
        raise invalid_parameter("EventBuses", "They must be in different regions.")
    if len({arn.resource for arn in found}) > 1:
        raise invalid_parameter("EventBuses", "Their names must be identical.")
    if any(arn.account != call.account for arn in found):
        raise invalid_parameter("EventBuses", "They must be of the caller's account.")
    secondary = _secondary(endpoint)
    if secondary not in [arn.region for arn in found]:
        raise invalid_parameter("RoutingConfig", f"No event bus is in {secondary}.")
    for arn in found:
        bus_of(call, _name(arn))
    if _replicates(endpoint) and endpoint["RoleArn"] is None:
        raise invalid_parameter("RoleArn", "It is required when event replication is enabled.")


def write(call: Call, endpoint: Mapping[str, Any]) -> None:
    """Has PutEvents find an endpoint, and its buses get each other's events."""
    first, second = _arns(endpoint)
    secondary = _secondary(endpoint)
    primary = second.region if first.region == secondary else first.region
    routed = {
        "primary": primary,
        "secondary": secondary,
        "bus": first.resource.removeprefix(_BUS),
    }
    call.store.put(_routing_key(endpoint), routed)
    if _replicates(endpoint):
        _replicate(call, endpoint, bus_of(call, _name(first)), second)
        _replicate(call, endpoint, bus_of(call, _name(second)), first)


def remove(call: Call, endpoint: Mapping[str, Any]) -> None:
    """Removes what `write` made."""
    call.store.put(_routing_key(endpoint), None)
    for arn in _arns(endpoint):
        bus = existing_bus(call, _name(arn))
        name = _rule(endpoint)
        if bus is not None and any(rule["name"] == name for rule in bus.rule_page(name, None, 1)):
            bus.remove_rule(name)


def _replicate(call: Call, endpoint: Mapping[str, Any], bus: Bus, other: Arn) -> None:
    pattern = {
        "source": [{"anything-but": {"prefix": "aws."}}],
        "account": [bus.account],
        "region": [bus.region],
        "replay-name": [{"exists": False}],
    }
    target = {
        "Id": _rule(endpoint),
        "Arn": next(
            given["EventBusArn"]
            for given in endpoint["EventBuses"]
            if read_arn(given["EventBusArn"]) == other
        ),
        "RoleArn": endpoint["RoleArn"],
    }
    kept = {"managed_by": _MANAGER, "created_by": bus.account}
    settings = [target_settings.settings(call, target)]
    bus.put_rule(_rule(endpoint), json.dumps(pattern), True, settings, stored.write(b"", kept))


def _arns(endpoint: Mapping[str, Any]) -> Iterator[Arn]:
    for bus in endpoint["EventBuses"]:
        arn = read_arn(bus["EventBusArn"])
        if arn is not None:
            yield arn


def _name(arn: Arn) -> tuple[str, str, str]:
    return (*arn.owner, arn.resource.removeprefix(_BUS))


def _secondary(endpoint: Mapping[str, Any]) -> str:
    return str(endpoint["RoutingConfig"]["FailoverConfig"]["Secondary"]["Route"])


def _replicates(endpoint: Mapping[str, Any]) -> bool:
    return bool(endpoint["ReplicationConfig"]["State"] == "ENABLED")


def _rule(endpoint: Mapping[str, Any]) -> str:
    return f"GlobalEndpoint-{endpoint['EndpointId']}"


def _routing_key(endpoint: Mapping[str, Any]) -> str:
    account = str(endpoint["Arn"]).split(":")[4]
    return f"events/global-endpoint/{account}/{endpoint['EndpointId']}"
