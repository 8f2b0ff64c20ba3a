"""Registries: the folders of schemas."""

from __future__ import annotations

import re
from heapq import merge

from trunkline.aws.schemas.documents import AWS_REGISTRY, arn_of, every, key, registry_of
from trunkline.aws.schemas.errors import conflict, forbidden, invalid
from trunkline.aws.schemas.pages import page_behind
from trunkline.aws.schemas.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from trunkline.aws.operation import Call

_NAME = re.compile(r"[0-9A-Za-z_.-]{1,64}")


def check_writable(name: str) -> None:
    """Raises for AWS's own registry."""
    if name == AWS_REGISTRY or name.lower().startswith("aws."):
        raise forbidden(f"Registry {name} cannot be changed: it belongs to AWS.")


def _told(call: Call, registry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Description": registry["description"],
        "RegistryArn": arn_of(call, "registry", registry["name"]),
        "RegistryName": registry["name"],
        "Tags": registry["tags"],
    }


def create(call: Call, name: str, description: str | None, tags: Mapping[str, str]) -> Any:
    """Creates a registry; raises if there is one of this name."""
    where = key(call, "registry", name)
    if call.store.get(where) is not None:
        raise conflict("Registry", name)
    made = {"name": name, "description": description, "tags": dict(tags)}
    call.store.put(where, made)
    return made


@operations.add("CreateRegistry", writes=True)
def create_registry(
    call: Call,
    *,
    registry_name: str,
    description: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Creates a registry."""
    check_writable(registry_name)
    if _NAME.fullmatch(registry_name) is None:
        raise invalid(
            "RegistryName may have up to 64 letters, digits, dots, hyphens and underscores."
        )
    with call.store.lock:
        return _told(call, create(call, registry_name, description, tags or {}))


@operations.add("DescribeRegistry")
def describe_registry(call: Call, *, registry_name: str) -> dict[str, Any]:
    """What a registry is."""
    return _told(call, registry_of(call, registry_name))


@operations.add("UpdateRegistry", writes=True)
def update_registry(
    call: Call, *, registry_name: str, description: str | None = None
) -> dict[str, Any]:
    """Changes the description of a registry."""
    check_writable(registry_name)
    with call.store.lock:
        changed = {**registry_of(call, registry_name), "description": description}
        call.store.put(key(call, "registry", registry_name), changed)
    return _told(call, changed)


@operations.add("DeleteRegistry", writes=True)
def delete_registry(call: Call, *, registry_name: str) -> None:
    """Removes a registry that has no schemas."""
    check_writable(registry_name)
    with call.store.lock:
        registry_of(call, registry_name)
        if next(every(call, "schema", registry_name), None) is not None:
            raise invalid(f"Registry {registry_name} has schemas. Delete them first.")
        call.store.put(key(call, "policy", registry_name), None)
        call.store.put(key(call, "registry", registry_name), None)


@operations.add("ListRegistries")
def list_registries(
    call: Call,
    *,
    registry_name_prefix: str = "",
    scope: str | None = None,
    limit: int | None = None,
    next_token: str | None = None,
) -> dict[str, Any]:
    """The registries of the caller (``LOCAL``), and AWS's own (``AWS``)."""

    def behind(after: str | None) -> Iterable[dict[str, Any]]:
        found: list[Iterable[dict[str, Any]]] = []
        if scope != "AWS":
            found.append(every(call, "registry", prefix=registry_name_prefix, after=after))
        if scope != "LOCAL" and AWS_REGISTRY.startswith(registry_name_prefix):
            shared = [registry_of(call, AWS_REGISTRY)]
            found.append(shared if (after or "") < AWS_REGISTRY else [])
        return merge(*found, key=name_of)

    def name_of(registry: Mapping[str, Any]) -> str:
        return str(registry["name"])

    shown, rest = page_behind(behind, name_of, limit, next_token)
    names = ("RegistryArn", "RegistryName", "Tags")
    told = [_told(call, one) for one in shown]
    return {"Registries": [{name: one[name] for name in names} for one in told], **rest}
