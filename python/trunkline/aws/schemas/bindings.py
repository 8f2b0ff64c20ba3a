"""Code bindings: classes for the events of a schema, as an archive."""

from __future__ import annotations

import json

from trunkline.aws.schemas.documents import key, schema_of, time_of
from trunkline.aws.schemas.errors import invalid, not_found
from trunkline.aws.schemas.exports import as_draft_4, root_of
from trunkline.aws.schemas.python_code import archive
from trunkline.aws.schemas.registry import operations
from trunkline.aws.schemas.schemas import OPEN_API, version_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call

LANGUAGE = "Python36"


def _version(
    call: Call, registry: str, name: str, language: str, number: str | None
) -> tuple[str, dict[str, Any]]:
    """Where the binding of a version is kept, and the version."""
    if language != LANGUAGE:
        raise invalid(f"Language {language} is not served here. There is: {LANGUAGE}.")
    version = version_of(call, schema_of(call, registry, name), number)
    return key(call, "binding", registry, name, f"{version['number']:010d}"), version


def _told(binding: dict[str, Any], version: dict[str, Any]) -> dict[str, Any]:
    return {
        "CreationDate": binding["created"],
        "LastModified": binding["modified"],
        "SchemaVersion": str(version["number"]),
        "Status": "CREATE_COMPLETE",
    }


@operations.add("PutCodeBinding", writes=True)
def put_code_binding(
    call: Call,
    *,
    registry_name: str,
    schema_name: str,
    language: str,
    schema_version: str | None = None,
) -> dict[str, Any]:
    """Makes the binding of a version; it can be read at once."""
    with call.store.lock:
        where, version = _version(call, registry_name, schema_name, language, schema_version)
        now = time_of(call)
        binding = {"created": now, **(call.store.get(where) or {}), "modified": now}
        # Of the same version comes the same code, so it is written when it is read.
        call.store.put(where, binding)
    return _told(binding, version)


def _read(
    call: Call, registry: str, name: str, language: str, number: str | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    where, version = _version(call, registry, name, language, number)
    binding = call.store.get(where)
    if binding is None:
        raise not_found("Code binding", f"{name}/{language}")
    return binding, version


@operations.add("DescribeCodeBinding")
def describe_code_binding(
    call: Call,
    *,
    registry_name: str,
    schema_name: str,
    language: str,
    schema_version: str | None = None,
) -> dict[str, Any]:
    """When a binding was made."""
    return _told(*_read(call, registry_name, schema_name, language, schema_version))


@operations.add("GetCodeBindingSource")
def get_code_binding_source(
    call: Call,
    *,
    registry_name: str,
    schema_name: str,
    language: str,
    schema_version: str | None = None,
) -> dict[str, Any]:
    """The archive of a binding."""
    _, version = _read(call, registry_name, schema_name, language, schema_version)
    document = json.loads(version["content"])
    root = document.get("title") or schema_name.rpartition("@")[2]
    if version["type"] == OPEN_API:
        root = root_of(document) or root
        document = as_draft_4(document)
    return {"Body": archive(schema_name, document, root)}
