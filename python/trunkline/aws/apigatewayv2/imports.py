"""HTTP APIs from definitions in OpenAPI 3.0, and as such definitions."""

from __future__ import annotations

import json

from trunkline.aws.apigateway.openapi.reading import (
    ANY_METHOD,
    Definition,
    InvalidDefinition,
    items,
    load,
    mapping,
    text,
    with_base,
)
from trunkline.aws.apigatewayv2 import parts
from trunkline.aws.apigatewayv2.apis import new_document, shown
from trunkline.aws.apigatewayv2.deploying import changed
from trunkline.aws.apigatewayv2.documents import deployment_key, read, save
from trunkline.aws.apigatewayv2.errors import bad, missing
from trunkline.aws.apigatewayv2.registry import operations
from trunkline.aws.limits import DEFINITION_BYTES_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call

    Document = dict[str, Any]

_ROUTE, _INTEGRATION, _AUTHORIZER, _MODEL = parts.PARTS
_EXTENSION = "x-amazon-apigateway-integration"
_MEMBERS = {
    "type": "IntegrationType",
    "uri": "IntegrationUri",
    "httpMethod": "IntegrationMethod",
    "payloadFormatVersion": "PayloadFormatVersion",
    "timeoutInMillis": "TimeoutInMillis",
    "subtype": "IntegrationSubtype",
    "integrationSubtype": "IntegrationSubtype",
    "credentials": "CredentialsArn",
    "connectionType": "ConnectionType",
    "connectionId": "ConnectionId",
    "requestParameters": "RequestParameters",
    "responseParameters": "ResponseParameters",
    "description": "Description",
}
_CORS = {
    "allowOrigins": "AllowOrigins",
    "allowMethods": "AllowMethods",
    "allowHeaders": "AllowHeaders",
    "exposeHeaders": "ExposeHeaders",
    "maxAge": "MaxAge",
    "allowCredentials": "AllowCredentials",
}


def _definition(body: str) -> Definition:
    if len(body.encode()) > DEFINITION_BYTES_MAX:
        raise bad(f"The definition is larger than {DEFINITION_BYTES_MAX} bytes")
    try:
        found = Definition(load(body))
    except InvalidDefinition as error:
        raise bad(f"Unable to parse the definition: {error}") from None
    if found.is_swagger:
        raise bad("Invalid OpenAPI input: HTTP APIs are imported from OpenAPI 3.0")
    return found


def _members(given: Document, names: dict[str, str]) -> Document:
    return {names[name]: value for name, value in given.items() if name in names}


def _api(definition: Definition) -> Document:
    told: Document = {"Name": definition.title or "Imported API", "ProtocolType": "HTTP"}
    for name in ("description", "version"):
        if definition.info.get(name) is not None:
            told[name.capitalize()] = text(definition.info[name])
    cors = mapping(definition.source.get("x-amazon-apigateway-cors"))
    if cors:
        told["CorsConfiguration"] = _members(cors, _CORS)
    return told


def _authorizers(definition: Definition, document: Document) -> dict[str, Document]:
    """Adds the authorizers of a definition; by the names of its security schemes."""
    found = {}
    for name, scheme in definition.schemes().items():
        given = mapping(mapping(scheme).get("x-amazon-apigateway-authorizer"))
        kind = text(given.get("type")).upper()
        source = text(given.get("identitySource"))
        told: Document = {"Name": name, "AuthorizerType": kind}
        if source:
            told["IdentitySource"] = [one.strip() for one in source.split(",")]
        if kind == "JWT":
            configured = mapping(given.get("jwtConfiguration"))
            audience = [text(one) for one in items(configured.get("audience"))]
            issuer = text(configured.get("issuer"))
            told["JwtConfiguration"] = {"Issuer": issuer, "Audience": audience}
        elif kind == "REQUEST":
            told["AuthorizerUri"] = text(given.get("authorizerUri"))
            version = text(given.get("authorizerPayloadFormatVersion")) or "2.0"
            told["AuthorizerPayloadFormatVersion"] = version
            told["EnableSimpleResponses"] = bool(given.get("enableSimpleResponses"))
            if "authorizerResultTtlInSeconds" in given:
                told["AuthorizerResultTtlInSeconds"] = given["authorizerResultTtlInSeconds"]
        else:
            continue
        found[name] = parts.add(_AUTHORIZER, document, told)
    return found


def _apply(definition: Definition, document: Document, base_mode: str) -> None:
    """Adds what a definition says to an API without parts."""
    authorizers = _authorizers(definition, document)
    for name, schema in definition.schemas().items():
        parts.add(_MODEL, document, {"Name": name, "Schema": json.dumps(schema)})
    base = definition.base_path()
    for path, verb, operation in definition.operations():
        full = "$default" if path == "/$default" else with_base(path, base, base_mode)
        key = full if full == "$default" else f"{verb} {full}"
        route: Document = {"RouteKey": key}
        if operation.get("operationId"):
            route["OperationName"] = text(operation["operationId"])
        for requirement in items(operation.get("security", definition.source.get("security"))):
            for name, scopes in mapping(requirement).items():
                if name in authorizers:
                    is_token = authorizers[name]["AuthorizerType"] == "JWT"
                    route["AuthorizationType"] = "JWT" if is_token else "CUSTOM"
                    route["AuthorizerId"] = authorizers[name]["AuthorizerId"]
                    if scopes:
                        route["AuthorizationScopes"] = [text(one) for one in items(scopes)]
        given = definition.resolved(operation.get(_EXTENSION))
        if given:
            made = parts.add(_INTEGRATION, document, _integration(given))
            route["Target"] = f"integrations/{made['IntegrationId']}"
        parts.add(_ROUTE, document, route)


def _integration(given: Document) -> Document:
    told = _members(given, _MEMBERS)
    told["IntegrationType"] = text(told.get("IntegrationType")).upper()
    if "PayloadFormatVersion" in told:
        version = text(told["PayloadFormatVersion"])
        told["PayloadFormatVersion"] = version if "." in version else f"{version}.0"
    return told


def _checked(mode: str) -> str:
    if mode not in ("ignore", "prepend", "split"):
        raise bad(f"Invalid basepath {mode!r}: use ignore, prepend or split")
    return mode


@operations.add("ImportApi", writes=True)
def import_api(
    call: Call, *, body: str, basepath: str = "ignore", fail_on_warnings: bool = False
) -> Document:
    """Creates an API from a definition."""
    definition = _definition(body)
    with call.store.lock:
        document = new_document(call, _api(definition))
        _read_into(definition, document, _checked(basepath))
        save(call, document)
    return shown(call, document)


@operations.add("ReimportApi", writes=True)
def reimport_api(
    call: Call, *, api_id: str, body: str, basepath: str = "ignore", fail_on_warnings: bool = False
) -> Document:
    """Replaces an API by a definition; its stages stay."""
    definition = _definition(body)
    with call.store.lock:
        document = read(call, api_id)
        for name in ("routes", "integrations", "authorizers", "models"):
            document[name] = {}
        document["api"] |= _api(definition)
        _read_into(definition, document, _checked(basepath))
        changed(call, document)
    return shown(call, document)


def _read_into(definition: Definition, document: Document, base_mode: str) -> None:
    try:
        _apply(definition, document, base_mode)
    except (InvalidDefinition, KeyError, TypeError, AttributeError) as error:
        raise bad(f"Invalid OpenAPI input: {error}") from None


@operations.add("ExportApi")
def export_api(
    call: Call,
    *,
    api_id: str,
    specification: str,
    output_type: str,
    export_version: str = "1.0",
    include_extensions: bool = True,
    stage_name: str | None = None,
) -> Document:
    """An API as a definition: what a stage serves, or what is there now."""
    if specification != "OAS30" or export_version != "1.0":
        raise bad("Specification has to be OAS30, and ExportVersion 1.0")
    if output_type not in ("JSON", "YAML"):
        raise bad(f"Invalid OutputType {output_type!r}: use JSON or YAML")
    document = read(call, api_id)
    served = document
    if stage_name is not None:
        stage = document["stages"].get(stage_name)
        if stage is None:
            raise missing("Stage", stage_name)
        key = deployment_key(api_id, stage.get("DeploymentId", ""))
        served = call.store.get(key) or document
    told = _told(call, document, served, include_extensions)
    if output_type == "JSON":
        return {"body": json.dumps(told, indent=2, ensure_ascii=False).encode()}
    try:
        import yaml
    except ImportError:
        raise bad("An export in YAML needs PyYAML on the server: pip install pyyaml") from None
    return {"body": yaml.safe_dump(told, sort_keys=False, allow_unicode=True).encode()}


def _told(call: Call, document: Document, served: Document, extensions: bool) -> Document:
    api = document["api"]
    paths: Document = {}
    for route in served["routes"].values():
        verb, _, path = route["RouteKey"].rpartition(" ")
        name = ANY_METHOD if verb in ("", "ANY") else verb.lower()
        path = f"/{path}" if path == "$default" else path
        operation: Document = {"responses": {"default": {"description": f"{name} {path}"}}}
        if route.get("OperationName"):
            operation["operationId"] = route["OperationName"]
        authorizer = served["authorizers"].get(route.get("AuthorizerId", ""))
        if authorizer is not None:
            scopes = route.get("AuthorizationScopes") or []
            operation["security"] = [{authorizer["Name"]: scopes}]
        target = route.get("Target", "").partition("/")[2]
        integration = served["integrations"].get(target)
        if extensions and integration is not None:
            names = {member: name for name, member in _MEMBERS.items()}
            told = _members(integration, names)
            told["type"] = told["type"].lower()
            operation[_EXTENSION] = told
        paths.setdefault(path, {})[name] = operation
    version = api.get("Version") or "1.0"
    told = {
        "openapi": "3.0.1",
        "info": {"title": api["Name"], "version": version},
        "servers": [{"url": shown(call, document)["ApiEndpoint"]}],
        "paths": paths,
        "components": {"securitySchemes": _schemes(served, extensions)},
    }
    if extensions and api.get("CorsConfiguration"):
        names = {member: name for name, member in _CORS.items()}
        told["x-amazon-apigateway-cors"] = _members(api["CorsConfiguration"], names)
    if extensions:
        told["x-amazon-apigateway-importexport-version"] = "1.0"
    return told


def _schemes(served: Document, extensions: bool) -> Document:
    schemes: Document = {}
    for one in served["authorizers"].values():
        is_token = one["AuthorizerType"] == "JWT"
        scheme: Document = {"type": "oauth2", "flows": {}} if is_token else {
            "type": "apiKey", "name": "Authorization", "in": "header",
        }  # fmt: skip
        if extensions:
            told: Document = {"type": one["AuthorizerType"].lower()}
            if one.get("IdentitySource"):
                told["identitySource"] = ", ".join(one["IdentitySource"])
            if is_token:
                configured = one["JwtConfiguration"]
                told["jwtConfiguration"] = {
                    "issuer": configured["Issuer"],
                    "audience": configured["Audience"],
                }
            for name in ("AuthorizerUri", "AuthorizerPayloadFormatVersion",
                         "EnableSimpleResponses", "AuthorizerResultTtlInSeconds"):  # fmt: skip
                if one.get(name) is not None:
                    told[name[0].lower() + name[1:]] = one[name]
            scheme["x-amazon-apigateway-authorizer"] = told
        schemes[one["Name"]] = scheme
    return schemes
