"""OpenAPI 3 as JSON Schema draft 4."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DRAFT_4_URI = "http://json-schema.org/draft-04/schema#"
_COMPONENTS, _DEFINITIONS = "#/components/schemas/", "#/definitions/"
_ROOT = "AWSEvent"


def as_draft_4(document: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema of the event that a document of OpenAPI describes: its component
    ``AWSEvent``, or the first one.

    >>> told = as_draft_4({"info": {"title": "T"}, "components": {"schemas": {
    ...     "A": {"type": "string", "nullable": True}}}})
    >>> told["type"], told["title"]
    (['string', 'null'], 'T')
    """
    components = document.get("components", {}).get("schemas", {})
    schemas = {name: _converted(schema) for name, schema in components.items()}
    root = root_of(document)
    made = {"$schema": DRAFT_4_URI, "title": document["info"].get("title", "")}
    if root is not None:
        made |= schemas.pop(root)
        # What refers to the event itself refers to the document.
        made = _replaced(made, _DEFINITIONS + root)
        schemas = _replaced(schemas, _DEFINITIONS + root)
    return {**made, "definitions": schemas}


def root_of(document: dict[str, Any]) -> str | None:
    """The component of OpenAPI that is the event."""
    components = document.get("components", {}).get("schemas", {})
    return _ROOT if _ROOT in components else next(iter(components), None)


def _converted(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_converted(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _converted(value) for name, value in schema.items() if name != "nullable"}
    reference = made.get("$ref")
    if isinstance(reference, str) and reference.startswith(_COMPONENTS):
        made["$ref"] = _DEFINITIONS + reference.removeprefix(_COMPONENTS)
    if schema.get("nullable") is True:
        if isinstance(made.get("type"), str):
            made["type"] = [made["type"], "null"]
        else:
            made = {"anyOf": [made, {"type": "null"}]}
    return made


def _replaced(value: Any, reference: str) -> Any:
    if isinstance(value, list):
        return [_replaced(one, reference) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: "#" if name == "$ref" and one == reference else _replaced(one, reference)
        for name, one in value.items()
    }
