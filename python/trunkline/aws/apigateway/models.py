"""The models of a REST API: JSON schemas of bodies."""

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

_DRAFT = "http://json-schema.org/draft-04/schema#"
DEFAULTS = {
    "Empty": {
        "name": "Empty",
        "contentType": "application/json",
        "description": "This is a default empty schema model",
        "schema": f'{{\n  "$schema": "{_DRAFT}",\n  "title" : "Empty Schema",\n'
        '  "type" : "object"\n}',
    },
    "Error": {
        "name": "Error",
        "contentType": "application/json",
        "description": "This is a default error schema model",
        "schema": f'{{\n  "$schema" : "{_DRAFT}",\n  "title" : "Error Schema",\n'
        '  "type" : "object",\n  "properties" : {\n    "message" : { "type" : "string" }\n  }\n}',
    },
}
RULES = {"/description": Rule(("add", "replace", "remove")), "/schema": Rule()}


def _no_model(name: str) -> ServiceError:
    return missing(f"Invalid model name specified: {name}")


def _model_of(call: Call, api: str, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    document = read_or(call, api, lambda: _no_model(name))
    found = document["models"].get(name)
    if found is None:
        raise _no_model(name)
    return document, found


def _check_schema(model: dict[str, Any]) -> None:
    schema = model.get("schema")
    if not schema:
        raise bad("Model schema must have at least 1 property or array items defined")
    if "json" in model["contentType"]:
        try:
            parsed = json.loads(schema)
        except (ValueError, RecursionError):
            raise bad("Invalid model schema specified. Unable to parse the model schema") from None
        if not isinstance(parsed, dict):
            raise bad("Invalid model schema specified. The schema must be an object")


@operations.add("CreateModel", writes=True)
def create_model(
    call: Call, *, rest_api_id: str, name: str, content_type: str, **given: Any
) -> dict[str, Any]:
    """Adds a model."""
    with call.store.lock:
        document = read(call, rest_api_id)
        if not name:
            raise bad("Model name must be non-empty")
        if not name.isalnum():
            raise bad(f"Model name must be alphanumeric: {name}")
        if name in document["models"]:
            raise conflict("Model name already exists for this REST API")
        model = {"id": new_id(6), "name": name, "contentType": content_type, **members(given)}
        _check_schema(model)
        document["models"][name] = model
        save(call, document)
    return model


@operations.add("GetModel")
def get_model(
    call: Call, *, rest_api_id: str, model_name: str, flatten: bool = False
) -> dict[str, Any]:
    """One model."""
    return _model_of(call, rest_api_id, model_name)[1]


@operations.add("GetModels")
def get_models(
    call: Call, *, rest_api_id: str, limit: int | None = None, position: str | None = None
) -> dict[str, Any]:
    """The models of an API."""
    return paged(read(call, rest_api_id)["models"].values(), limit, position)


@operations.add("GetModelTemplate")
def get_model_template(call: Call, *, rest_api_id: str, model_name: str) -> dict[str, Any]:
    """A mapping template that makes a body of the model from one like it."""
    _, model = _model_of(call, rest_api_id, model_name)
    schema = json.loads(model["schema"]) if "json" in model["contentType"] else {}
    if schema.get("type") != "object":
        raise bad(f"Unable to generate a template for model {model_name}")
    lines = ",\n".join(
        f"  \"{name}\" : $input.json('$.{name}')" for name in schema.get("properties", {})
    )
    return {"value": f"#set($inputRoot = $input.path('$'))\n{{\n{lines}\n}}"}


@operations.add("UpdateModel", writes=True)
def update_model(
    call: Call,
    *,
    rest_api_id: str,
    model_name: str,
    patch_operations: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Patches a model."""
    check_operations("updateModel", patch_operations)
    with call.store.lock:
        document, model = _model_of(call, rest_api_id, model_name)
        changed = patched(model, patch_operations, RULES)
        _check_schema(changed)
        document["models"][model_name] = changed
        save(call, document)
    return changed


@operations.add("DeleteModel", writes=True)
def delete_model(call: Call, *, rest_api_id: str, model_name: str) -> None:
    """Deletes a model that no method uses."""
    with call.store.lock:
        document, _ = _model_of(call, rest_api_id, model_name)
        for resource in sorted(
            document["resources"].values(), key=lambda one: one["path"], reverse=True
        ):
            for verb, method in resource["methods"].items():
                if model_name in method.get("requestModels", {}).values():
                    raise conflict(
                        f"Cannot delete model '{model_name}', is referenced in method request: "
                        f"//{verb}"
                        if resource["path"] == "/"
                        else f"Cannot delete model '{model_name}', is referenced in method "
                        f"request: {resource['path']}/{verb}"
                    )
        del document["models"][model_name]
        save(call, document)
