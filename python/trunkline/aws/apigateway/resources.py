"""The tree of resources of a REST API."""

from __future__ import annotations

import re

from trunkline.aws.apigateway.documents import (
    members,
    new_id,
    paged,
    read,
    resource_of,
    save,
)
from trunkline.aws.apigateway.errors import bad, conflict, no_resource
from trunkline.aws.apigateway.methods import shown_method
from trunkline.aws.apigateway.patching import Rule, check_operations, patched
from trunkline.aws.apigateway.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from trunkline.aws.operation import Call

_PART = re.compile(r"[a-zA-Z0-9._:,\-~!$&'()*+;=@%\[\]]+|\{[a-zA-Z0-9._:\-]+\+?\}")
RULES = {"/parentId": Rule(), "/pathPart": Rule()}


def shown(resource: dict[str, Any], embed: Sequence[str] = ()) -> dict[str, Any]:
    """A resource as operations tell of it; its methods in full where they are asked for."""
    known = ("id", "parentId", "pathPart")
    told: dict[str, Any] = {name: resource[name] for name in known if name in resource}
    told["path"] = resource["path"]
    if resource["methods"]:
        in_full = "methods" in embed
        told["resourceMethods"] = {
            verb: shown_method(method) if in_full else {}
            for verb, method in resource["methods"].items()
        }
    return told


def children(document: dict[str, Any], parent: str) -> list[dict[str, Any]]:
    """The resources right below one."""
    return [one for one in document["resources"].values() if one.get("parentId") == parent]


def add(document: dict[str, Any], parent: dict[str, Any], part: str) -> dict[str, Any]:
    """Adds a resource; raises if AWS would not."""
    if parent.get("pathPart", "").endswith("+}"):
        raise bad(
            f"Cannot create a child of a resource with a greedy path variable: {parent['pathPart']}"
        )
    _check_part(document, parent["id"], part)
    resource = {
        "id": new_id(6),
        "parentId": parent["id"],
        "pathPart": part,
        "path": f"{parent['path'].rstrip('/')}/{part}",
        "methods": {},
    }
    document["resources"][resource["id"]] = resource
    return resource


def _check_part(document: dict[str, Any], parent: str, part: str, own: str = "") -> None:
    if not _PART.fullmatch(part):
        raise bad(
            "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and "
            "curly braces at the beginning and the end."
        )
    for sibling in children(document, parent):
        if sibling["id"] == own:
            continue
        if sibling["pathPart"] == part:
            raise conflict(f"Another resource with the same parent already has this name: {part}")
        if part.startswith("{") and sibling["pathPart"].startswith("{"):
            raise bad(
                f"A sibling ({sibling['pathPart']}) of this resource already has a variable path "
                "part -- only one is allowed"
            )


@operations.add("CreateResource", writes=True)
def create_resource(
    call: Call, *, rest_api_id: str, parent_id: str, path_part: str
) -> dict[str, Any]:
    """Adds a resource below another."""
    with call.store.lock:
        document, parent = resource_of(call, rest_api_id, parent_id)
        resource = add(document, parent, path_part)
        save(call, document)
    return shown(resource)


@operations.add("GetResource")
def get_resource(
    call: Call, *, rest_api_id: str, resource_id: str, embed: Sequence[str] = ()
) -> dict[str, Any]:
    """One resource."""
    return shown(resource_of(call, rest_api_id, resource_id)[1], embed)


@operations.add("GetResources")
def get_resources(
    call: Call,
    *,
    rest_api_id: str,
    limit: int | None = None,
    position: str | None = None,
    embed: Sequence[str] = (),
) -> dict[str, Any]:
    """The resources of an API, in the order of their paths."""
    document = read(call, rest_api_id)
    found = sorted(document["resources"].values(), key=lambda one: one["path"])
    return paged([shown(one, embed) for one in found], limit, position)


@operations.add("UpdateResource", writes=True)
def update_resource(
    call: Call,
    *,
    rest_api_id: str,
    resource_id: str,
    patch_operations: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Gives a resource another name or another parent."""
    check_operations("updateResource", patch_operations)
    with call.store.lock:
        document, resource = resource_of(call, rest_api_id, resource_id)
        changed = patched(members(resource), patch_operations, RULES)
        if "parentId" not in resource:
            for name in ("pathPart", "parentId"):
                if name in changed:
                    raise bad(f"Root resource cannot update its {name}.")
            return shown(resource)
        _check_parent(document, resource, changed.get("parentId", ""))
        _check_part(document, changed["parentId"], changed.get("pathPart", ""), resource_id)
        resource |= {"parentId": changed["parentId"], "pathPart": changed["pathPart"]}
        _set_paths(document, resource)
        save(call, document)
    return shown(resource)


def _check_parent(document: dict[str, Any], resource: dict[str, Any], parent: str) -> None:
    if parent not in document["resources"]:
        raise no_resource()
    above: str | None = parent
    while above is not None:
        if above == resource["id"]:
            raise bad("Resources cannot be cyclical.")
        above = document["resources"][above].get("parentId")


def _set_paths(document: dict[str, Any], resource: dict[str, Any]) -> None:
    parent = document["resources"][resource["parentId"]]
    resource["path"] = f"{parent['path'].rstrip('/')}/{resource['pathPart']}"
    for child in children(document, resource["id"]):
        _set_paths(document, child)


@operations.add("DeleteResource", writes=True)
def delete_resource(call: Call, *, rest_api_id: str, resource_id: str) -> None:
    """Deletes a resource and all below it."""
    with call.store.lock:
        document, resource = resource_of(call, rest_api_id, resource_id)
        if "parentId" not in resource:
            raise bad("Root resource cannot be deleted.")
        _delete(document, resource_id)
        save(call, document)


def _delete(document: dict[str, Any], resource: str) -> None:
    for child in children(document, resource):
        _delete(document, child["id"])
    del document["resources"][resource]
