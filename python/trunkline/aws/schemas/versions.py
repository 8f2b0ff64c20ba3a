"""Versions of schemas: listed, removed, searched and exported."""

from __future__ import annotations

import json

from trunkline.aws.schemas.documents import arn_of, every, key, registry_of, schema_of
from trunkline.aws.schemas.errors import invalid
from trunkline.aws.schemas.exports import as_draft_4
from trunkline.aws.schemas.pages import page_behind
from trunkline.aws.schemas.registries import check_writable
from trunkline.aws.schemas.registry import operations
from trunkline.aws.schemas.schemas import DRAFT_4, forget_version, version_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from trunkline.aws.operation import Call


@operations.add("ListSchemaVersions")
def list_schema_versions(
    call: Call,
    *,
    registry_name: str,
    schema_name: str,
    limit: int | None = None,
    next_token: str | None = None,
) -> dict[str, Any]:
    """The versions of a schema, the oldest first."""
    schema_of(call, registry_name, schema_name)

    def behind(after: str | None) -> Iterator[dict[str, Any]]:
        return every(call, "version", registry_name, schema_name, after=after)

    shown, rest = page_behind(behind, lambda one: f"{one['number']:010d}", limit, next_token)
    arn = arn_of(call, "schema", registry_name, schema_name)
    told = [
        {
            "SchemaArn": arn,
            "SchemaName": schema_name,
            "SchemaVersion": str(one["number"]),
            "Type": one["type"],
        }
        for one in shown
    ]
    return {"SchemaVersions": told, **rest}


@operations.add("DeleteSchemaVersion", writes=True)
def delete_schema_version(
    call: Call, *, registry_name: str, schema_name: str, schema_version: str
) -> None:
    """Removes one version; the last one goes with its schema."""
    check_writable(registry_name)
    with call.store.lock:
        schema = schema_of(call, registry_name, schema_name)
        number = version_of(call, schema, schema_version)["number"]
        left = [one for one in schema["versions"] if one != number]
        if not left:
            raise invalid("The only version of a schema cannot be deleted. Delete the schema.")
        forget_version(call, registry_name, schema_name, number)
        changed = {**schema, "versions": left}
        call.store.put(key(call, "schema", registry_name, schema_name), changed)


@operations.add("SearchSchemas")
def search_schemas(
    call: Call,
    *,
    registry_name: str,
    keywords: str,
    limit: int | None = None,
    next_token: str | None = None,
) -> dict[str, Any]:
    """The schemas whose name or content has all keywords, with the versions that have them."""
    registry_of(call, registry_name)
    words = keywords.lower().split()

    def behind(after: str | None) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        for schema in every(call, "schema", registry_name, after=after):
            versions = [
                one
                for one in every(call, "version", registry_name, schema["name"])
                if all(word in f"{schema['name']} {one['content']}".lower() for word in words)
            ]
            if versions:
                yield schema, versions

    shown, rest = page_behind(behind, lambda one: str(one[0]["name"]), limit, next_token)
    return {"Schemas": [_hit(call, *one) for one in shown], **rest}


def _hit(call: Call, schema: Mapping[str, Any], versions: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "RegistryName": schema["registry"],
        "SchemaArn": arn_of(call, "schema", schema["registry"], schema["name"]),
        "SchemaName": schema["name"],
        "SchemaVersions": [
            {
                "CreatedDate": one["created"],
                "SchemaVersion": str(one["number"]),
                "Type": one["type"],
            }
            for one in versions
        ],
    }


@operations.add("ExportSchema")
def export_schema(
    call: Call,
    *,
    registry_name: str,
    schema_name: str,
    type: str,
    schema_version: str | None = None,
) -> dict[str, Any]:
    """A version of a schema as JSON Schema, whatever it is kept as."""
    if type != DRAFT_4:
        raise invalid(f"Type {type} cannot be exported. There is: {DRAFT_4}.")
    schema = schema_of(call, registry_name, schema_name)
    version = version_of(call, schema, schema_version)
    content = version["content"]
    if version["type"] != DRAFT_4:
        content = json.dumps(as_draft_4(json.loads(content)), separators=(",", ":"))
    return {
        "Content": content,
        "SchemaArn": arn_of(call, "schema", registry_name, schema_name),
        "SchemaName": schema_name,
        "SchemaVersion": str(version["number"]),
        "Type": DRAFT_4,
    }
