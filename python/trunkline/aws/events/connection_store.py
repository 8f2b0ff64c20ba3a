"""Where connections and API destinations lie: documents of the engine, by account and region."""

from __future__ import annotations

from trunkline.aws.events.errors import not_found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from trunkline.aws.operation import Call

BACKGROUND = "events-background/"
"""The start of the keys of documents that say that something works in the background; the table of
services names it too."""

API_DESTINATION = "api-destination"
"""The kind of the documents of API destinations."""


def prefix(call: Call, kind: str) -> str:
    """Where the documents of the caller lie."""
    return f"events/{kind}/{call.account}/{call.region}/"


def documents(
    call: Call, kind: str, start: str = "", after: str | None = None
) -> Iterator[dict[str, Any]]:
    """The documents of the caller, sorted by name: it starts with `start` and comes behind
    `after`."""
    return call.store.every(prefix(call, kind), start, after)


def find_connection(call: Call, name: str) -> dict[str, Any]:
    """The connection of this name, secrets included."""
    found = call.store.get(prefix(call, "connection") + name)
    if found is None:
        raise not_found(
            f"Failed to describe the connection(s). Connection '{name}' does not exist."
        )
    return found


def connection_of(call: Call, arn: str) -> dict[str, Any]:
    """The connection of a resource name."""
    found = find_named(call, "connection", arn, "ConnectionArn")
    if found is None:
        raise not_found(f"Connection '{arn}' does not exist.")
    return found


def destination_of(call: Call, arn: str) -> dict[str, Any] | None:
    """The API destination of a resource name, if there is one."""
    return find_named(call, API_DESTINATION, arn, "ApiDestinationArn")


def destinations_of(call: Call, arn: str) -> Iterator[dict[str, Any]]:
    """The API destinations that use a connection."""
    return (one for one in documents(call, API_DESTINATION) if one["ConnectionArn"] == arn)


def usable_connection(call: Call, destination: Mapping[str, Any]) -> dict[str, Any] | str:
    """The connection of an API destination, or why nothing can be sent with it."""
    arn = destination["ConnectionArn"]
    found = find_named(call, "connection", arn, "ConnectionArn")
    if found is None:
        return f"The connection of the API destination {destination['Name']} was deleted."
    if found.get("SecretsRemoved"):
        return f"The connection {found['Name']} is deauthorized."
    return found


def find_named(call: Call, kind: str, arn: str, member: str) -> dict[str, Any] | None:
    """The document of this kind and resource name, if there is one."""
    parts = arn.split("/")
    found = call.store.get(prefix(call, kind) + parts[1]) if len(parts) == 3 else None
    # One that was made again under the same name is another.
    return None if found is None or found[member] != arn else found
