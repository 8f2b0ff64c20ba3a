"""From a definition to the parts of a REST API, in the shapes in which operations tell of them."""

from __future__ import annotations

import json
import re

from trunkline._dataclasses import dataclass, field
from trunkline.aws.apigateway.openapi.reading import Definition, items, mapping, text, with_base
from trunkline.aws.limits import AUTHORIZER_TTL_DEFAULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Parts = dict[str, dict[str, Any]]

TIMEOUT_MS_DEFAULT = 29_000
_PATH_VARIABLE = re.compile(r"\{([^{}]+?)\+?\}")
_PLACES = {"query": "querystring", "path": "path", "header": "header"}
_TYPES = {"token": "TOKEN", "request": "REQUEST", "cognito_user_pools": "COGNITO_USER_POOLS"}
_JSON = "application/json"
_COPIED = ("uri", "credentials", "contentHandling", "connectionId", "cacheKeyParameters")
_TEXT_MAPS = ("requestParameters", "requestTemplates", "responseParameters", "responseTemplates")


@dataclass(slots=True)
class Imported:
    """What a definition says of a REST API."""

    rest: dict[str, Any]
    """Members of the API itself."""
    methods: dict[str, Parts] = field(default_factory=dict)
    """By path and verb. An authorizer and a validator are named, not identified."""
    models: Parts = field(default_factory=dict)
    authorizers: Parts = field(default_factory=dict)
    validators: Parts = field(default_factory=dict)
    responses: Parts = field(default_factory=dict)
    """Gateway responses, by type."""
    parts: list[dict[str, Any]] = field(default_factory=list)
    """Parts of the documentation."""
    warnings: list[str] = field(default_factory=list)


def imported(definition: Definition, base_mode: str) -> Imported:
    """All that `definition` says; `base_mode` is `ignore`, `prepend` or `split`."""
    source = definition.source
    found = Imported(_rest(definition))
    for name, schema in definition.schemas().items():
        found.models[name] = _model(name, schema)
    for name, scheme in definition.schemes().items():
        authorizer = _authorizer(name, mapping(scheme))
        if authorizer is not None:
            found.authorizers[name] = authorizer
    for name, one in mapping(source.get("x-amazon-apigateway-request-validators")).items():
        found.validators[name] = {
            "name": name,
            "validateRequestBody": bool(mapping(one).get("validateRequestBody")),
            "validateRequestParameters": bool(mapping(one).get("validateRequestParameters")),
        }
    for name, one in mapping(source.get("x-amazon-apigateway-gateway-responses")).items():
        found.responses[name] = _gateway_response(name, mapping(one))
    base = definition.base_path()
    for path in definition.paths():
        found.methods[with_base(path, base, base_mode)] = {}
    for path, verb, operation in definition.operations():
        full = with_base(path, base, base_mode)
        found.methods[full][verb] = _method(definition, found, full, verb, operation)
    found.parts = documentation_parts(definition)
    return found


def _rest(definition: Definition) -> dict[str, Any]:
    source = definition.source
    told: dict[str, Any] = {"name": definition.title or "Imported API"}
    for name in ("description", "version"):
        if definition.info.get(name) is not None:
            told[name] = text(definition.info[name])
    types = items(source.get("x-amazon-apigateway-binary-media-types"))
    if types:
        told["binaryMediaTypes"] = [text(kind) for kind in types]
    size = source.get("x-amazon-apigateway-minimum-compression-size")
    if isinstance(size, int):
        told["minimumCompressionSize"] = size
    if "x-amazon-apigateway-api-key-source" in source:
        told["apiKeySource"] = text(source["x-amazon-apigateway-api-key-source"]).upper()
    if "x-amazon-apigateway-policy" in source:
        told["policy"] = json.dumps(source["x-amazon-apigateway-policy"], separators=(",", ":"))
    configured = mapping(source.get("x-amazon-apigateway-endpoint-configuration"))
    if "disableExecuteApiEndpoint" in configured:
        told["disableExecuteApiEndpoint"] = bool(configured["disableExecuteApiEndpoint"])
    if "vpcEndpointIds" in configured:
        told["endpointConfiguration"] = {
            "types": ["PRIVATE"],
            "vpcEndpointIds": [text(one) for one in items(configured["vpcEndpointIds"])],
        }
    return told


def documentation_parts(definition: Definition) -> list[dict[str, Any]]:
    """The parts of the documentation, with the defaults of their locations."""
    found = []
    extension = mapping(definition.source.get("x-amazon-apigateway-documentation"))
    for part in items(extension.get("documentationParts")):
        location = {name: text(one) for name, one in mapping(mapping(part)["location"]).items()}
        kind = location.get("type", "")
        if kind not in ("API", "MODEL", "AUTHORIZER"):
            location.setdefault("path", "/")
        if kind not in ("API", "MODEL", "AUTHORIZER", "RESOURCE"):
            location.setdefault("method", "*")
        if kind.startswith("RESPONSE"):
            location.setdefault("statusCode", "*")
        properties = json.dumps(mapping(part).get("properties") or {})
        found.append({"location": location, "properties": properties})
    return found


def _model(name: str, schema: Any) -> dict[str, Any]:
    found = {"name": name, "contentType": _JSON, "schema": json.dumps(schema, indent=2)}
    if isinstance(schema, dict) and isinstance(schema.get("description"), str):
        found["description"] = schema["description"]
    return found


def _authorizer(name: str, scheme: dict[str, Any]) -> dict[str, Any] | None:
    given = mapping(scheme.get("x-amazon-apigateway-authorizer"))
    kind = _TYPES.get(text(given.get("type")).lower())
    if kind is None:
        return None
    auth_type = text(scheme.get("x-amazon-apigateway-authtype"))
    told: dict[str, Any] = {"name": name, "type": kind}
    if auth_type:
        told["authType"] = auth_type
    for member in ("authorizerUri", "authorizerCredentials", "identityValidationExpression"):
        if given.get(member):
            told[member] = text(given[member])
    if kind == "COGNITO_USER_POOLS":
        told["providerARNs"] = [text(arn) for arn in items(given.get("providerARNs"))]
    source = text(given.get("identitySource"))
    if not source and kind != "REQUEST":
        source = f"method.request.header.{text(scheme.get('name')) or 'Authorization'}"
    if source:
        told["identitySource"] = source
    seconds = given.get("authorizerResultTtlInSeconds")
    if seconds is not None or kind != "COGNITO_USER_POOLS":
        told["authorizerResultTtlInSeconds"] = int(text(seconds) or AUTHORIZER_TTL_DEFAULT)
    return told


def _gateway_response(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "responseType": kind,
        "responseParameters": _texts(given.get("responseParameters")),
        "responseTemplates": _texts(given.get("responseTemplates")),
        "defaultResponse": False,
    }
    if given.get("statusCode") is not None:
        told["statusCode"] = text(given["statusCode"])
    return told


def _texts(value: Any) -> dict[str, str]:
    return {name: text(one) for name, one in mapping(value).items()}


def _method(
    definition: Definition, found: Imported, path: str, verb: str, operation: dict[str, Any]
) -> dict[str, Any]:
    told: dict[str, Any] = {
        "httpMethod": verb,
        "authorizationType": "NONE",
        "apiKeyRequired": False,
    }
    _secure(definition, found, told, operation)
    if operation.get("operationId"):
        told["operationName"] = text(operation["operationId"])
    parameters, models = _request(definition, found, path, operation)
    if parameters:
        told["requestParameters"] = parameters
    if models:
        told["requestModels"] = models
    validator = operation.get("x-amazon-apigateway-request-validator") or definition.source.get(
        "x-amazon-apigateway-request-validator"
    )
    if validator in found.validators:
        told["requestValidatorId"] = validator
    responses = {}
    for status, given in mapping(operation.get("responses")).items():
        if status == "default":
            found.warnings.append(f"Default response is not supported for {verb} {path}")
            continue
        responses[status] = _response(definition, found, status, definition.resolved(given))
    if responses:
        told["methodResponses"] = responses
    integration = operation.get("x-amazon-apigateway-integration")
    if integration is not None:
        told["methodIntegration"] = _integration(definition.resolved(integration))
    return told


def _secure(
    definition: Definition, found: Imported, told: dict[str, Any], operation: dict[str, Any]
) -> None:
    """What the first requirements of an operation, or of the whole API, mean for a method."""
    for requirement in items(operation.get("security", definition.source.get("security"))):
        for name, scopes in mapping(requirement).items():
            scheme = mapping(definition.schemes().get(name))
            authorizer = found.authorizers.get(name)
            if text(scheme.get("x-amazon-apigateway-authtype")).lower() == "awssigv4":
                told["authorizationType"] = "AWS_IAM"
            elif authorizer is not None:
                is_cognito = authorizer["type"] == "COGNITO_USER_POOLS"
                told["authorizationType"] = authorizer["type"] if is_cognito else "CUSTOM"
                told["authorizerId"] = name
                if scopes:
                    told["authorizationScopes"] = [text(scope) for scope in items(scopes)]
            elif scheme.get("type") == "apiKey" and text(scheme.get("name")).lower() == "x-api-key":
                told["apiKeyRequired"] = True


def _request(
    definition: Definition, found: Imported, path: str, operation: dict[str, Any]
) -> tuple[dict[str, bool], dict[str, str]]:
    parameters = {f"method.request.path.{name}": True for name in _PATH_VARIABLE.findall(path)}
    models: dict[str, str] = {}
    for given in operation["parameters"]:
        parameter = definition.resolved(given)
        place = _PLACES.get(text(parameter.get("in")))
        if place is not None:
            key = f"method.request.{place}.{text(parameter.get('name'))}"
            parameters[key] = bool(parameter.get("required")) or place == "path"
        elif parameter.get("in") == "body":
            name = _schema_name(found, parameter.get("schema"))
            consumed = items(operation.get("consumes")) or items(definition.source.get("consumes"))
            models.update(dict.fromkeys(map(text, consumed or [_JSON]), name))
    content = mapping(definition.resolved(operation.get("requestBody")).get("content"))
    models.update(_content_models(found, content))
    return parameters, models


def _content_models(found: Imported, content: dict[str, Any]) -> dict[str, str]:
    return {
        kind: _schema_name(found, mapping(one)["schema"])
        for kind, one in content.items()
        if "schema" in mapping(one)
    }


def _schema_name(found: Imported, schema: Any) -> str:
    """The model of a schema; a schema without a name becomes a model with one of its own."""
    reference = mapping(schema).get("$ref")
    if isinstance(reference, str):
        return reference.rsplit("/", 1)[-1]
    name = f"MODEL{len(found.models):06x}"
    found.models[name] = _model(name, schema)
    return name


def _response(
    definition: Definition, found: Imported, status: str, given: dict[str, Any]
) -> dict[str, Any]:
    told: dict[str, Any] = {"statusCode": status}
    headers = mapping(given.get("headers"))
    if headers:
        told["responseParameters"] = {f"method.response.header.{name}": False for name in headers}
    models = _content_models(found, mapping(given.get("content")))
    if "schema" in given:
        models[_JSON] = _schema_name(found, given["schema"])
    if models:
        told["responseModels"] = models
    return told


def _integration(given: dict[str, Any]) -> dict[str, Any]:
    kind = text(given.get("type")).upper()
    told: dict[str, Any] = {
        "type": kind,
        "passthroughBehavior": text(given.get("passthroughBehavior")).upper() or "WHEN_NO_MATCH",
        "timeoutInMillis": given.get("timeoutInMillis", TIMEOUT_MS_DEFAULT),
        "cacheKeyParameters": [],
    }
    if kind != "MOCK" and given.get("httpMethod"):
        told["httpMethod"] = text(given["httpMethod"]).upper()
    told |= {name: given[name] for name in _COPIED if given.get(name)}
    if kind in ("HTTP", "HTTP_PROXY"):
        told["connectionType"] = text(given.get("connectionType")).upper() or "INTERNET"
    told |= {name: _texts(given[name]) for name in _TEXT_MAPS[:2] if given.get(name)}
    if given.get("tlsConfig"):
        told["tlsConfig"] = mapping(given["tlsConfig"])
    responses = {}
    for pattern, one in mapping(given.get("responses")).items():
        answer = mapping(one)
        status = text(answer.get("statusCode"))
        responses[status] = {"statusCode": status} | {
            name: _texts(answer[name]) for name in _TEXT_MAPS[2:] if answer.get(name)
        }
        if pattern != "default":
            responses[status]["selectionPattern"] = pattern
        if answer.get("contentHandling"):
            responses[status]["contentHandling"] = text(answer["contentHandling"]).upper()
    if responses:
        told["integrationResponses"] = responses
    return told
