"""API destinations: HTTP endpoints as targets of rules, called as their connections say."""

from __future__ import annotations

from uuid import uuid4

from trunkline.aws.events.connection_store import (
    API_DESTINATION,
    connection_of,
    documents,
    prefix,
    usable_connection,
)
from trunkline.aws.events.emitting import emit_destination
from trunkline.aws.events.errors import already_exists, invalid_parameter, not_found
from trunkline.aws.events.names import write_arn
from trunkline.aws.events.pages import page_behind
from trunkline.aws.events.refresh import refresh_destination
from trunkline.aws.events.registry import operations
from trunkline.aws.limits import INVOCATION_RATE_DEFAULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from trunkline.aws.operation import Call

_SHOWN = (
    "ApiDestinationArn",
    "Name",
    "ApiDestinationState",
    "ConnectionArn",
    "InvocationEndpoint",
    "HttpMethod",
    "InvocationRateLimitPerSecond",
    "CreationTime",
    "LastModifiedTime",
)


def _find(call: Call, name: str) -> dict[str, Any]:
    found = call.store.get(prefix(call, API_DESTINATION) + name)
    if found is None:
        raise not_found(
            "Failed to describe the api-destination(s). An api-destination "
            f"'{name}' does not exist."
        )
    return found


def _check_endpoint(endpoint: str) -> None:
    if not endpoint.startswith(("https://", "http://")):
        raise invalid_parameter("InvocationEndpoint", "It must be a URL that starts with https://.")


def _shown(call: Call, destination: dict[str, Any], *names: str) -> dict[str, Any]:
    """Members of a destination, which is as active as its connection is usable."""
    connection = usable_connection(call, destination)
    is_active = not isinstance(connection, str) and connection["ConnectionState"] == "AUTHORIZED"
    state = {"ApiDestinationState": "ACTIVE" if is_active else "INACTIVE"}
    return {name: (destination | state).get(name) for name in names}


def _made(call: Call, destination: dict[str, Any]) -> dict[str, Any]:
    names = ("ApiDestinationArn", "ApiDestinationState", "CreationTime", "LastModifiedTime")
    return _shown(call, destination, *names)


@operations.add("CreateApiDestination", writes=True)
def create_api_destination(
    call: Call,
    *,
    name: str,
    connection_arn: str,
    invocation_endpoint: str,
    http_method: str,
    description: str | None = None,
    invocation_rate_limit_per_second: int = INVOCATION_RATE_DEFAULT,
) -> dict[str, Any]:
    """Creates an API destination."""
    _check_endpoint(invocation_endpoint)
    now = call.store.now()
    destination = {
        "Name": name,
        "ApiDestinationArn": write_arn(
            call.account, call.region, f"{API_DESTINATION}/{name}/{uuid4()}"
        ),
        "Description": description,
        "ConnectionArn": connection_arn,
        "InvocationEndpoint": invocation_endpoint,
        "HttpMethod": http_method,
        "InvocationRateLimitPerSecond": invocation_rate_limit_per_second,
        "CreationTime": now,
        "LastModifiedTime": now,
    }
    with call.store.lock:
        connection_of(call, connection_arn)
        if call.store.get(prefix(call, API_DESTINATION) + name) is not None:
            raise already_exists(f"An api-destination '{name}' already exists.")
        call.store.put(prefix(call, API_DESTINATION) + name, destination)
    made = _made(call, destination)
    if made["ApiDestinationState"] == "ACTIVE":
        emit_destination(call, destination, "Activated")
    return made


@operations.add("DescribeApiDestination")
def describe_api_destination(call: Call, *, name: str) -> dict[str, Any]:
    """An API destination with everything that it has."""
    return _shown(call, _find(call, name), *_SHOWN, "Description")


@operations.add("ListApiDestinations")
def list_api_destinations(
    call: Call,
    *,
    name_prefix: str = "",
    connection_arn: str | None = None,
    next_token: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    """The API destinations of the caller, sorted by name."""

    def behind(after: str | None) -> Iterator[dict[str, Any]]:
        for destination in documents(call, API_DESTINATION, name_prefix, after):
            if connection_arn in (None, destination["ConnectionArn"]):
                yield destination

    shown, rest = page_behind(behind, lambda one: str(one["Name"]), limit, next_token)
    return {"ApiDestinations": [_shown(call, one, *_SHOWN) for one in shown]} | rest


@operations.add("UpdateApiDestination", writes=True)
def update_api_destination(
    call: Call,
    *,
    name: str,
    description: str | None = None,
    connection_arn: str | None = None,
    invocation_endpoint: str | None = None,
    http_method: str | None = None,
    invocation_rate_limit_per_second: int | None = None,
) -> dict[str, Any]:
    """Changes what is given of an API destination, also for the targets that use it."""
    given = {
        "Description": description,
        "ConnectionArn": connection_arn,
        "InvocationEndpoint": invocation_endpoint,
        "HttpMethod": http_method,
        "InvocationRateLimitPerSecond": invocation_rate_limit_per_second,
    }
    if invocation_endpoint is not None:
        _check_endpoint(invocation_endpoint)
    with call.store.lock:
        old = _find(call, name)
        destination = old | {member: value for member, value in given.items() if value is not None}
        connection_of(call, destination["ConnectionArn"])
        destination["LastModifiedTime"] = call.store.now()
        call.store.put(prefix(call, API_DESTINATION) + name, destination)
        try:
            refresh_destination(call, destination["ApiDestinationArn"])
        except Exception:
            # A target that cannot be called so keeps the whole destination as it was.
            call.store.put(prefix(call, API_DESTINATION) + name, old)
            raise
    return _made(call, destination)


@operations.add("DeleteApiDestination", writes=True)
def delete_api_destination(call: Call, *, name: str) -> dict[str, Any]:
    """Removes an API destination. Events for targets that name it become dead letters."""
    with call.store.lock:
        arn = _find(call, name)["ApiDestinationArn"]
        refresh_destination(call, arn, f"The API destination {name} was deleted.")
        call.store.put(prefix(call, API_DESTINATION) + name, None)
    return {}
