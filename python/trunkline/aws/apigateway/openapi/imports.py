"""The operations that read a REST API from a definition."""

from __future__ import annotations

from trunkline.aws.apigateway.apis import defaults, new_api, shown
from trunkline.aws.apigateway.documentation import add_part
from trunkline.aws.apigateway.documents import new_id, publish_all, read, save
from trunkline.aws.apigateway.errors import bad
from trunkline.aws.apigateway.openapi.importing import Imported, documentation_parts, imported
from trunkline.aws.apigateway.openapi.reading import Definition, InvalidDefinition, load
from trunkline.aws.apigateway.registry import operations
from trunkline.aws.limits import DEFINITION_BYTES_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call

    Document = dict[str, Any]

_BASE_MODES = ("ignore", "prepend", "split")
_MODES = ("merge", "overwrite")
_ENDPOINT_TYPES = "endpointConfigurationTypes"


def _definition(body: Any) -> Definition:
    """The definition in the body of a request."""
    data = body.encode() if isinstance(body, str) else bytes(body or b"")
    if len(data) > DEFINITION_BYTES_MAX:
        raise bad(f"The definition is larger than {DEFINITION_BYTES_MAX} bytes")
    try:
        return Definition(load(data.decode()))
    except (InvalidDefinition, UnicodeDecodeError):
        raise bad("Unable to build importer with provided input.") from None


def _imported(body: Any, parameters: dict[str, str] | None, fail_on_warnings: bool) -> Imported:
    mode = (parameters or {}).get("basepath", "ignore")
    if mode not in _BASE_MODES:
        raise bad(f"Invalid basepath {mode!r}: use one of {', '.join(_BASE_MODES)}")
    definition = _definition(body)
    try:
        found = imported(definition, mode)
    except (InvalidDefinition, KeyError, TypeError, ValueError) as error:
        raise bad(f"Invalid OpenAPI input: {error}") from None
    if fail_on_warnings and found.warnings:
        lines = "".join(f"\n\t{warning}" for warning in found.warnings)
        raise bad(f"Warnings found during import:{lines}")
    types = (parameters or {}).get(_ENDPOINT_TYPES)
    if types:
        endpoint = found.rest.setdefault("endpointConfiguration", {})
        endpoint["types"] = types.split(",")
    return found


@operations.add("ImportRestApi", writes=True)
def import_rest_api(
    call: Call,
    *,
    body: Any,
    fail_on_warnings: bool = False,
    parameters: dict[str, str] | None = None,
) -> Document:
    """Creates an API from a definition."""
    found = _imported(body, parameters, fail_on_warnings)
    with call.store.lock:
        document = new_api(call, defaults(found.rest))
        document["models"] = {}
        _apply(document, found)
        save(call, document)
    told: Document = document["rest"]
    return told | _warnings(found)


@operations.add("PutRestApi", writes=True)
def put_rest_api(
    call: Call,
    *,
    rest_api_id: str,
    body: Any,
    mode: str = "merge",
    fail_on_warnings: bool = False,
    parameters: dict[str, str] | None = None,
) -> Document:
    """Replaces an API by a definition, or merges the definition into it."""
    if mode not in _MODES:
        raise bad(f"Invalid mode {mode!r}: use merge or overwrite")
    found = _imported(body, parameters, fail_on_warnings)
    with call.store.lock:
        document = read(call, rest_api_id)
        if mode == "overwrite":
            root = document["rest"]["rootResourceId"]
            document["resources"] = {root: {"id": root, "path": "/", "methods": {}}}
            for part in ("models", "validators", "authorizers", "responses"):
                document[part] = {}
            for member in ("description", "version", "binaryMediaTypes"):
                document["rest"].pop(member, None)
        document["rest"] |= found.rest
        if "endpointConfiguration" in found.rest:
            document["rest"] = defaults(document["rest"])
        _apply(document, found)
        save(call, document)
        publish_all(call, document)
    return shown(document) | _warnings(found)


def _warnings(found: Imported) -> Document:
    return {"warnings": found.warnings} if found.warnings else {}


def _apply(document: Document, found: Imported) -> None:
    """Puts what a definition says into an API; what has the same name is replaced."""
    for name, model in found.models.items():
        document["models"][name] = {"id": new_id(6), **model}
    validators = _named(document["validators"], found.validators)
    authorizers = _named(document["authorizers"], found.authorizers)
    document["responses"].update(found.responses)
    for path, methods in found.methods.items():
        resource = _resource(document, path)
        for verb, method in methods.items():
            if "authorizerId" in method:
                method["authorizerId"] = authorizers[method["authorizerId"]]
            if "requestValidatorId" in method:
                method["requestValidatorId"] = validators[method["requestValidatorId"]]
            if "methodIntegration" in method:
                method["methodIntegration"]["cacheNamespace"] = resource["id"]
            resource["methods"][verb] = method
    for part in found.parts:
        add_part(document, part["location"], part["properties"])


def _named(kept: Document, given: Document) -> dict[str, str]:
    """Adds what is given to what is kept by id, and returns the ids by name."""
    ids = {one["name"]: id for id, one in kept.items()}
    for name, one in given.items():
        id = ids.setdefault(name, new_id(6))
        kept[id] = {"id": id, **one}
    return ids


def _resource(document: Document, path: str) -> Document:
    """The resource of a path; it is created with its parents, if it is missing."""
    resources = document["resources"]
    by_path = {one["path"]: one for one in resources.values()}
    found: Document = by_path["/"]
    full = ""
    for part in path.strip("/").split("/"):
        if not part:
            continue
        full += f"/{part}"
        if full not in by_path:
            id = new_id(6)
            made = {"id": id, "parentId": found["id"], "pathPart": part, "path": full}
            by_path[full] = resources[id] = {**made, "methods": {}}
        found = by_path[full]
    return found


@operations.add("ImportDocumentationParts", writes=True)
def import_documentation_parts(
    call: Call,
    *,
    rest_api_id: str,
    body: Any,
    mode: str = "merge",
    fail_on_warnings: bool = False,
) -> Document:
    """Reads the parts of the documentation from a definition."""
    try:
        parts = documentation_parts(_definition(body))
    except (KeyError, TypeError) as error:
        raise bad(f"Invalid OpenAPI input: {error}") from None
    with call.store.lock:
        document = read(call, rest_api_id)
        if mode == "overwrite":
            document["parts"] = {}
        ids = [add_part(document, part["location"], part["properties"]) for part in parts]
        save(call, document)
    return {"ids": ids}
