"""Documentation parts of a REST API, and the versions of its documentation."""

from __future__ import annotations

import json

from trunkline.aws.apigateway.documents import members, new_id, paged, read, read_or, save
from trunkline.aws.apigateway.errors import bad, conflict, missing
from trunkline.aws.apigateway.patching import Rule, check_operations, patched
from trunkline.aws.apigateway.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from trunkline.aws.errors import ServiceError
    from trunkline.aws.operation import Call

PART_RULES = {"/properties": Rule()}
VERSION_RULES = {"/description": Rule(("add", "replace", "remove"))}


def _no_part() -> ServiceError:
    return missing("Invalid Documentation part identifier specified")


def _no_version() -> ServiceError:
    return missing("Invalid Documentation version specified")


def _check_properties(properties: Any) -> None:
    try:
        if not isinstance(json.loads(properties or ""), dict):
            raise ValueError("no object")
    except (ValueError, RecursionError):
        raise bad("Documentation part properties must be non-empty and valid JSON") from None


def add_part(document: dict[str, Any], location: dict[str, Any], properties: str) -> str:
    """Adds a part or replaces the one of its location; its id."""
    for part in document["parts"].values():
        if part["location"] == location:
            part["properties"] = properties
            return str(part["id"])
    part = {"id": new_id(6), "location": location, "properties": properties}
    document["parts"][part["id"]] = part
    return str(part["id"])


@operations.add("CreateDocumentationPart", writes=True)
def create_documentation_part(
    call: Call, *, rest_api_id: str, location: dict[str, Any], properties: str
) -> dict[str, Any]:
    """Adds a documentation part."""
    _check_properties(properties)
    with call.store.lock:
        document = read(call, rest_api_id)
        if any(part["location"] == location for part in document["parts"].values()):
            raise conflict("Documentation part already exists for the specified location")
        part = document["parts"][add_part(document, location, properties)]
        save(call, document)
    told: dict[str, Any] = part
    return told


@operations.add("GetDocumentationPart")
def get_documentation_part(
    call: Call, *, rest_api_id: str, documentation_part_id: str
) -> dict[str, Any]:
    """One documentation part."""
    document = read(call, rest_api_id)
    part: dict[str, Any] | None = document["parts"].get(documentation_part_id)
    if part is None:
        raise _no_part()
    return part


@operations.add("GetDocumentationParts")
def get_documentation_parts(
    call: Call,
    *,
    rest_api_id: str,
    type: str | None = None,
    name_query: str | None = None,
    path: str | None = None,
    position: str | None = None,
    limit: int | None = None,
    location_status: str | None = None,
) -> dict[str, Any]:
    """The documentation parts of an API that are meant."""
    found = [
        part
        for part in read(call, rest_api_id)["parts"].values()
        if type in (None, part["location"]["type"])
        and (path is None or part["location"].get("path") == path)
        and (name_query is None or part["location"].get("name", "").startswith(name_query))
    ]
    return paged(found, limit, position)


@operations.add("UpdateDocumentationPart", writes=True)
def update_documentation_part(
    call: Call,
    *,
    rest_api_id: str,
    documentation_part_id: str,
    patch_operations: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Patches a documentation part."""
    check_operations("updateDocumentationPart", patch_operations)
    with call.store.lock:
        document = read_or(call, rest_api_id, _no_part)
        part = document["parts"].get(documentation_part_id)
        if part is None:
            raise _no_part()
        changed = patched(part, patch_operations, PART_RULES)
        _check_properties(changed.get("properties"))
        document["parts"][documentation_part_id] = changed
        save(call, document)
    return changed


@operations.add("DeleteDocumentationPart", writes=True)
def delete_documentation_part(call: Call, *, rest_api_id: str, documentation_part_id: str) -> None:
    """Deletes a documentation part."""
    with call.store.lock:
        document = read(call, rest_api_id)
        if document["parts"].pop(documentation_part_id, None) is None:
            raise _no_part()
        save(call, document)


@operations.add("CreateDocumentationVersion", writes=True)
def create_documentation_version(
    call: Call,
    *,
    rest_api_id: str,
    documentation_version: str,
    stage_name: str | None = None,
    description: str | None = None,
) -> dict[str, Any]:
    """Takes a version of the documentation."""
    with call.store.lock:
        document = read(call, rest_api_id)
        if documentation_version in document["versions"]:
            raise conflict("Documentation version already exists")
        version = {
            "version": documentation_version,
            "createdDate": call.store.now(),
            **members({"description": description}),
        }
        document["versions"][documentation_version] = version
        if stage_name is not None:
            if stage_name not in document["stages"]:
                raise missing("Invalid stage identifier specified")
            document["stages"][stage_name]["documentationVersion"] = documentation_version
        save(call, document)
    return version


def _version_of(call: Call, api: str, version: str) -> tuple[dict[str, Any], dict[str, Any]]:
    document = read_or(call, api, _no_version)
    found = document["versions"].get(version)
    if found is None:
        raise _no_version()
    return document, found


@operations.add("GetDocumentationVersion")
def get_documentation_version(
    call: Call, *, rest_api_id: str, documentation_version: str
) -> dict[str, Any]:
    """One version of the documentation."""
    return _version_of(call, rest_api_id, documentation_version)[1]


@operations.add("GetDocumentationVersions")
def get_documentation_versions(
    call: Call, *, rest_api_id: str, position: str | None = None, limit: int | None = None
) -> dict[str, Any]:
    """The versions of the documentation."""
    return paged(read(call, rest_api_id)["versions"].values(), limit, position)


@operations.add("UpdateDocumentationVersion", writes=True)
def update_documentation_version(
    call: Call,
    *,
    rest_api_id: str,
    documentation_version: str,
    patch_operations: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Patches a version of the documentation."""
    check_operations("updateDocumentationVersion", patch_operations)
    with call.store.lock:
        document, version = _version_of(call, rest_api_id, documentation_version)
        changed = patched(version, patch_operations, VERSION_RULES)
        document["versions"][documentation_version] = changed
        save(call, document)
    return changed


@operations.add("DeleteDocumentationVersion", writes=True)
def delete_documentation_version(
    call: Call, *, rest_api_id: str, documentation_version: str
) -> None:
    """Deletes a version of the documentation."""
    with call.store.lock:
        document, _ = _version_of(call, rest_api_id, documentation_version)
        del document["versions"][documentation_version]
        save(call, document)
