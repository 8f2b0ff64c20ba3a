"""Where connections and API destinations lie: documents of the engine, by account and region."""

from __future__ import annotations

from trunkline.aws.events.errors import not_found
from trunkline.aws.limits import DOCUMENTS_PAGE_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from trunkline.aws.operation import Call

API_DESTINATION = "api-destination"
"""The kind of the documents of API destinations."""


def prefix(call: Call, kind: str) -> str:
    """Where the documents of the caller lie."""
    return f"events/{kind}/{call.account}/{call.region}/"


def documents(call: Call, kind: str, start: str = "") -> Iterator[dict[str, Any]]:
    """The documents of the caller whose name starts with `start`, sorted by name."""
    after = None
    while True:
        found, after = call.store.page(
            prefix(call, kind) + start, after=after, limit=DOCUMENTS_PAGE_MAX
        )
        yield from found
        if after is None:
            return


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
    name = arn.split("/")[1] if arn.count("/") == 2 else ""
    found = call.store.get(prefix(call, "connection") + name)
    if found is None or found["ConnectionArn"] != arn:
        raise not_found(f"Connection '{arn}' does not exist.")
    return found
