"""Where registries, schemas and versions are kept: documents of the engine."""

from __future__ import annotations

from datetime import UTC, datetime

from trunkline.aws.arns import partition
from trunkline.aws.schemas.errors import not_found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from trunkline.aws.operation import Call

AWS_REGISTRY = "aws.events"
"""The registry of AWS's own schemas, which cannot be changed."""

DISCOVERED_REGISTRY = "discovered-schemas"
"""The registry of what discoverers find."""

DISCOVERERS = "schemas-discoverers"
"""The start of the keys of discoverers, which are all read when an engine is opened. The table of
services names it too."""


def key(call: Call, kind: str, *names: str) -> str:
    """Where a document of the caller lies."""
    folder = DISCOVERERS if kind == "discoverer" else "schemas"
    return "/".join((folder, call.account, call.region, kind, *names))


def arn_of(call: Call, kind: str, *names: str) -> str:
    """The resource name of a registry or a schema of the caller."""
    resource = "/".join((kind, *names))
    return f"arn:{partition(call.region)}:schemas:{call.region}:{call.account}:{resource}"


def every(
    call: Call, kind: str, *names: str, prefix: str = "", after: str | None = None
) -> Iterator[dict[str, Any]]:
    """The documents below `names`, sorted: their last name starts with `prefix` and comes behind
    `after`."""
    return call.store.every(key(call, kind, *names, ""), prefix, after)


def registry_of(call: Call, name: str) -> dict[str, Any]:
    """A registry; AWS's own is always there."""
    found = call.store.get(key(call, "registry", name))
    if found is None and name == AWS_REGISTRY:
        return {"name": AWS_REGISTRY, "description": None, "tags": {}}
    if found is None:
        raise not_found("Registry", name)
    return found


def schema_of(call: Call, registry: str, name: str) -> dict[str, Any]:
    """A schema, without its content."""
    registry_of(call, registry)
    found = call.store.get(key(call, "schema", registry, name))
    if found is None:
        raise not_found("Schema", name)
    return found


def version_key(call: Call, registry: str, schema: str, number: int) -> str:
    """Where a version lies; the keys of versions sort as their numbers do."""
    return key(call, "version", registry, schema, f"{number:010d}")


def time_of(call: Call) -> str:
    """The engine's time, as this service tells it."""
    return datetime.fromtimestamp(int(call.store.now()), UTC).isoformat()
