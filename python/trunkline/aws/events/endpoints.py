"""Global endpoints: PutEvents with an `EndpointId` goes to the bus of the primary region.

On AWS such an endpoint sends events to the other region while a health check fails. Here one
process serves all regions and no service has health checks, so no region fails alone: the primary
one takes every event, and `HealthCheck` is kept and never asked. Replication takes place.
"""

from __future__ import annotations

from uuid import uuid4

from trunkline.aws.events import replication
from trunkline.aws.events.connection_store import documents, prefix
from trunkline.aws.events.errors import already_exists, not_found
from trunkline.aws.events.names import write_arn
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


def _changed(endpoint: dict[str, Any], state: str) -> dict[str, Any]:
    return {name: endpoint.get(name) for name in ("Name", "Arn", *_CONFIGURED)} | {"State": state}


@operations.add("CreateEndpoint", writes=True)
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
        replication.check(call, endpoint)
        call.store.put(prefix(call, _KIND) + name, endpoint)
        replication.write(call, endpoint)
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


@operations.add("UpdateEndpoint", writes=True)
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
    given = {
        "Description": description,
        "RoutingConfig": routing_config,
        "ReplicationConfig": replication_config,
        "EventBuses": event_buses,
        "RoleArn": role_arn,
    }
    with call.store.lock:
        before = _find(call, name)
        endpoint = before | {member: value for member, value in given.items() if value is not None}
        replication.check(call, endpoint)
        endpoint["LastModifiedTime"] = call.store.now()
        replication.remove(call, before)
        call.store.put(prefix(call, _KIND) + name, endpoint)
        replication.write(call, endpoint)
    members = ("EndpointId", "EndpointUrl")
    return _changed(endpoint, "UPDATING") | {member: endpoint[member] for member in members}


@operations.add("DeleteEndpoint", writes=True)
def delete_endpoint(call: Call, *, name: str) -> dict[str, Any]:
    """Removes an endpoint."""
    with call.store.lock:
        replication.remove(call, _find(call, name))
        call.store.put(prefix(call, _KIND) + name, None)
    return {}
