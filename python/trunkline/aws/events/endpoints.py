"""Global endpoints: they are kept, and lead nowhere.

On AWS such an endpoint sends events to another region while a health check fails. Here one process
serves all regions, so no region fails alone; and PutEvents that names an endpoint goes to the
caller's own region. SDKs sign it for AWS's host of the endpoint, which nothing here answers for.
"""

from __future__ import annotations

from uuid import uuid4

from trunkline.aws.events.connection_store import documents, prefix
from trunkline.aws.events.errors import already_exists, invalid_parameter, not_found
from trunkline.aws.events.names import read_arn, write_arn
from trunkline.aws.events.pages import page_behind
from trunkline.aws.events.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from trunkline.aws.operation import Call

_KIND = "endpoint"
_CONFIGURED = ("RoutingConfig", "ReplicationConfig", "EventBuses", "RoleArn")


def _find(call: Call, name: str) -> dict[str, Any]:
    found = call.store.get(prefix(call, _KIND) + name)
    if found is None:
        raise not_found(f"Endpoint {name} does not exist.")
    return found


def _check_buses(buses: Sequence[Mapping[str, str]]) -> None:
    regions = set()
    for bus in buses:
        arn = read_arn(bus["EventBusArn"])
        if arn is None or not arn.resource.startswith("event-bus/"):
            raise invalid_parameter("EventBuses", "Each must name an event bus.")
        regions.add(arn.region)
    if len(regions) < len(buses):
        raise invalid_parameter("EventBuses", "They must be in different regions.")


def _changed(endpoint: dict[str, Any], state: str) -> dict[str, Any]:
    return {name: endpoint.get(name) for name in ("Name", "Arn", *_CONFIGURED)} | {"State": state}


@operations.add("CreateEndpoint", writes=True, stored_only=True)
def create_endpoint(
    call: Call,
    *,
    name: str,
    routing_config: Mapping[str, Any],
    event_buses: Sequence[Mapping[str, str]],
    description: str | None = None,
    replication_config: Mapping[str, Any] | None = None,
    role_arn: str | None = None,
) -> dict[str, Any]:
    """Creates an endpoint for two buses."""
    _check_buses(event_buses)
    now, id = call.store.now(), f"{uuid4().hex[:9]}.{uuid4().hex[:3]}"
    endpoint = {
        "Name": name,
        "Description": description,
        "Arn": write_arn(call.account, call.region, f"endpoint/{name}"),
        "RoutingConfig": dict(routing_config),
        "ReplicationConfig": dict(replication_config or {"State": "ENABLED"}),
        "EventBuses": [dict(bus) for bus in event_buses],
        "RoleArn": role_arn,
        "EndpointId": id,
        "EndpointUrl": f"https://{id}.endpoint.events.amazonaws.com",
        "State": "ACTIVE",
        "CreationTime": now,
        "LastModifiedTime": now,
    }
    with call.store.lock:
        if call.store.get(prefix(call, _KIND) + name) is not None:
            raise already_exists(f"Endpoint {name} already exists.")
        call.store.put(prefix(call, _KIND) + name, endpoint)
    return _changed(endpoint, "CREATING")


@operations.add("DescribeEndpoint")
def describe_endpoint(call: Call, *, name: str, home_region: str | None = None) -> dict[str, Any]:
    """An endpoint with everything that it has."""
    return _find(call, name)


@operations.add("ListEndpoints")
def list_endpoints(
    call: Call,
    *,
    name_prefix: str = "",
    home_region: str | None = None,
    next_token: str | None = None,
    max_results: int | None = None,
) -> dict[str, Any]:
    """The endpoints of the caller, sorted by name."""

    def behind(after: str | None) -> Iterator[dict[str, Any]]:
        return documents(call, _KIND, name_prefix, after)

    shown, rest = page_behind(behind, lambda one: str(one["Name"]), max_results, next_token)
    return {"Endpoints": shown} | rest


@operations.add("UpdateEndpoint", writes=True, stored_only=True)
def update_endpoint(
    call: Call,
    *,
    name: str,
    description: str | None = None,
    routing_config: Mapping[str, Any] | None = None,
    replication_config: Mapping[str, Any] | None = None,
    event_buses: Sequence[Mapping[str, str]] | None = None,
    role_arn: str | None = None,
) -> dict[str, Any]:
    """Changes what is given of an endpoint."""
    if event_buses is not None:
        _check_buses(event_buses)
    given = {
        "Description": description,
        "RoutingConfig": routing_config,
        "ReplicationConfig": replication_config,
        "EventBuses": event_buses,
        "RoleArn": role_arn,
    }
    with call.store.lock:
        endpoint = _find(call, name)
        endpoint |= {member: value for member, value in given.items() if value is not None}
        endpoint["LastModifiedTime"] = call.store.now()
        call.store.put(prefix(call, _KIND) + name, endpoint)
    members = ("EndpointId", "EndpointUrl")
    return _changed(endpoint, "UPDATING") | {member: endpoint[member] for member in members}


@operations.add("DeleteEndpoint", writes=True)
def delete_endpoint(call: Call, *, name: str) -> dict[str, Any]:
    """Removes an endpoint."""
    with call.store.lock:
        _find(call, name)
        call.store.put(prefix(call, _KIND) + name, None)
    return {}
