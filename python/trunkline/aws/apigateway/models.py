"""The models of a REST API: JSON schemas of bodies."""

from __future__ import annotations

import json

from trunkline.aws.apigateway.documents import members, new_id, read, save
from trunkline.aws.apigateway.errors import bad, conflict, missing
from trunkline.aws.apigateway.parts import Part, register
from trunkline.aws.apigateway.patching import Rule
from trunkline.aws.apigateway.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
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


def _check_unused(document: dict[str, Any], model: str) -> None:
    resources = sorted(document["resources"].values(), key=lambda one: one["path"], reverse=True)
    for resource in resources:
        for verb, method in resource["methods"].items():
            if model in method.get("requestModels", {}).values():
                # AWS writes the root with two slashes.
                path = "/" if resource["path"] == "/" else resource["path"]
                raise conflict(
                    f"Cannot delete model '{model}', is referenced in method request: {path}/{verb}"
                )


_MODELS = Part("Model", "models", "model_name", _no_model, RULES, _check_schema, _check_unused)
register(_MODELS)


@operations.add("GetModelTemplate")
def get_model_template(call: Call, *, rest_api_id: str, model_name: str) -> dict[str, Any]:
    """A mapping template that makes a body of the model from one like it."""
    _, model = _MODELS.find(call, rest_api_id, model_name)
    schema = json.loads(model["schema"]) if "json" in model["contentType"] else {}
    if schema.get("type") != "object":
        raise bad(f"Unable to generate a template for model {model_name}")
    lines = ",\n".join(
        f"  \"{name}\" : $input.json('$.{name}')" for name in schema.get("properties", {})
    )
    return {"value": f"#set($inputRoot = $input.path('$'))\n{{\n{lines}\n}}"}
