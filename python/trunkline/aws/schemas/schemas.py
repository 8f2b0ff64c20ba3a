"""Schemas: texts in a registry, which change version by version."""

from __future__ import annotations

import re

from trunkline.aws.json_text import read_object
from trunkline.aws.schemas.documents import (
    arn_of,
    every,
    key,
    registry_of,
    schema_of,
    time_of,
    version_key,
)
from trunkline.aws.schemas.emitting import emit_version_created
from trunkline.aws.schemas.errors import conflict, invalid, not_found
from trunkline.aws.schemas.pages import page_behind
from trunkline.aws.schemas.registries import check_writable
from trunkline.aws.schemas.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from trunkline.aws.operation import Call

_NAME = re.compile(r"[0-9A-Za-z_.@-]{1,385}")
OPEN_API, DRAFT_4 = "OpenApi3", "JSONSchemaDraft4"


def check_content(content: str, kind: str) -> None:
    """Raises for a text that is no schema of its type."""
    value = read_object(content)
    if value is None:
        raise invalid("Content is not a JSON object.")
    if kind == OPEN_API:
        version = value.get("openapi")
        if not isinstance(version, str) or not version.startswith("3."):
            raise invalid("Content of an OpenApi3 schema needs openapi, a version that begins 3.")
        for member in ("info", "paths"):
            if not isinstance(value.get(member), dict):
                raise invalid(f"Content of an OpenApi3 schema needs {member}, an object.")


def add_version(call: Call, schema: dict[str, Any], kind: str, content: str) -> dict[str, Any]:
    """Keeps a further version of a schema; returns the schema with it."""
    number, now = schema["last"] + 1, time_of(call)
    registry, name = schema["registry"], schema["name"]
    version = {"number": number, "type": kind, "content": content, "created": now}
    call.store.put(version_key(call, registry, name, number), version)
    changed = {
        **schema,
        "last": number,
        "versions": [*schema["versions"], number],
        "modified": now,
        "type": kind,
    }
    call.store.put(key(call, "schema", registry, name), changed)
    emit_version_created(call, changed)
    return changed


def forget_version(call: Call, registry: str, name: str, number: int) -> None:
    """Removes what is kept of a version."""
    call.store.put(version_key(call, registry, name, number), None)
    call.store.put(key(call, "binding", registry, name, f"{number:010d}"), None)


def version_of(call: Call, schema: Mapping[str, Any], number: str | None) -> dict[str, Any]:
    """One version of a schema; the newest unless told otherwise."""
    wanted = schema["versions"][-1] if number is None else int(number) if number.isdecimal() else 0
    found = call.store.get(version_key(call, schema["registry"], schema["name"], wanted))
    if found is None:
        raise not_found("Schema version", f"{schema['name']}/{number}")
    return found


def _told(call: Call, schema: Mapping[str, Any], version: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Description": schema["description"],
        "LastModified": schema["modified"],
        "SchemaArn": arn_of(call, "schema", schema["registry"], schema["name"]),
        "SchemaName": schema["name"],
        "SchemaVersion": str(version["number"]),
        "Tags": schema["tags"],
        "Type": version["type"],
        "VersionCreatedDate": version["created"],
    }


def new_schema(
    call: Call, registry: str, name: str, description: str | None, tags: Mapping[str, str]
) -> dict[str, Any]:
    """A schema that has no version yet, and is not kept yet."""
    return {
        "registry": registry,
        "name": name,
        "description": description,
        "tags": dict(tags),
        "versions": [],
        "last": 0,
        "modified": time_of(call),
    }


@operations.add("CreateSchema", writes=True)
def create_schema(
    call: Call,
    *,
    registry_name: str,
    schema_name: str,
    type: str,
    content: str,
    description: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Creates a schema with its first version."""
    check_writable(registry_name)
    if _NAME.fullmatch(schema_name) is None:
        raise invalid(
            "SchemaName may have up to 385 letters, digits, dots, hyphens, underscores and @."
        )
    check_content(content, type)
    with call.store.lock:
        registry_of(call, registry_name)
        if call.store.get(key(call, "schema", registry_name, schema_name)) is not None:
            raise conflict("Schema", schema_name)
        made = new_schema(call, registry_name, schema_name, description, tags or {})
        made = add_version(call, made, type, content)
    return _told(call, made, version_of(call, made, None))


@operations.add("UpdateSchema", writes=True)
def update_schema(
    call: Call,
    *,
    registry_name: str,
    schema_name: str,
    type: str | None = None,
    content: str | None = None,
    description: str | None = None,
    client_token_id: str | None = None,
) -> dict[str, Any]:
    """Changes the description, and adds a version if the content is another one."""
    check_writable(registry_name)
    with call.store.lock:
        schema = schema_of(call, registry_name, schema_name)
        newest = version_of(call, schema, None)
        kind = type or newest["type"]
        if content is not None:
            check_content(content, kind)
        if description is not None:
            schema = {**schema, "description": description, "modified": time_of(call)}
            call.store.put(key(call, "schema", registry_name, schema_name), schema)
        if content is not None and (content, kind) != (newest["content"], newest["type"]):
            schema = add_version(call, schema, kind, content)
    return _told(call, schema, version_of(call, schema, None))


@operations.add("DescribeSchema")
def describe_schema(
    call: Call, *, registry_name: str, schema_name: str, schema_version: str | None = None
) -> dict[str, Any]:
    """A version of a schema with its content."""
    schema = schema_of(call, registry_name, schema_name)
    version = version_of(call, schema, schema_version)
    return {**_told(call, schema, version), "Content": version["content"]}


@operations.add("DeleteSchema", writes=True)
def delete_schema(call: Call, *, registry_name: str, schema_name: str) -> None:
    """Removes a schema with all its versions."""
    check_writable(registry_name)
    with call.store.lock:
        schema = schema_of(call, registry_name, schema_name)
        for number in schema["versions"]:
            forget_version(call, registry_name, schema_name, number)
        call.store.put(key(call, "schema", registry_name, schema_name), None)
        # A discoverer begins anew.
        call.store.put(key(call, "shape", registry_name, schema_name), None)


@operations.add("ListSchemas")
def list_schemas(
    call: Call,
    *,
    registry_name: str,
    schema_name_prefix: str = "",
    limit: int | None = None,
    next_token: str | None = None,
) -> dict[str, Any]:
    """The schemas of a registry, sorted by name."""
    registry_of(call, registry_name)

    def behind(after: str | None) -> Iterator[dict[str, Any]]:
        return every(call, "schema", registry_name, prefix=schema_name_prefix, after=after)

    shown, rest = page_behind(behind, lambda one: str(one["name"]), limit, next_token)
    return {"Schemas": [_summary(call, one) for one in shown], **rest}


def _summary(call: Call, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "LastModified": schema["modified"],
        "SchemaArn": arn_of(call, "schema", schema["registry"], schema["name"]),
        "SchemaName": schema["name"],
        "Tags": schema["tags"],
        "VersionCount": len(schema["versions"]),
    }
