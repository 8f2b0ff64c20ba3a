"""From the parts of a REST API to a definition in OpenAPI 3.0 or Swagger 2.0."""

from __future__ import annotations

import json

from trunkline.aws.apigateway.openapi.reading import ANY_METHOD, mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Parts = dict[str, dict[str, Any]]

_PLACES = {"querystring": "query", "path": "path", "header": "header"}
_REFERENCES = ("#/definitions/", "#/components/schemas/")
_COPIED = (
    "httpMethod", "uri", "credentials", "requestParameters", "requestTemplates", "contentHandling",
    "cacheKeyParameters", "connectionId", "tlsConfig",
)  # fmt: skip
_AUTHORIZER = (
    "authorizerUri", "authorizerCredentials", "identitySource", "identityValidationExpression",
    "authorizerResultTtlInSeconds", "providerARNs",
)  # fmt: skip


class Export:
    """One export of what a stage serves."""

    def __init__(self, snapshot: dict[str, Any], *, is_swagger: bool, extensions: set[str]) -> None:
        """`snapshot` has `rest`, `resources`, `models`, `validators`, `authorizers` and
        `responses`; `extensions` has `apigateway`, `integrations` or `authorizers`.
        """
        self._snapshot = snapshot
        self._is_swagger = is_swagger
        self._all = "apigateway" in extensions
        self._integrations = self._all or "integrations" in extensions
        self._authorizers = self._all or "authorizers" in extensions
        self._used: set[str] = set()

    def definition(self, host: str, stage: str, version: str) -> dict[str, Any]:
        """The definition; `version` is that of an API without one."""
        rest = self._snapshot["rest"]
        info = {"title": rest["name"], "version": rest.get("version") or version}
        if rest.get("description"):
            info["description"] = rest["description"]
        told: dict[str, Any]
        if self._is_swagger:
            told = {"swagger": "2.0", "info": info, "host": host, "basePath": f"/{stage}"}
            told["schemes"] = ["https"]
        else:
            variables = {"basePath": {"default": stage}}
            server = {"url": f"https://{host}/{{basePath}}", "variables": variables}
            told = {"openapi": "3.0.1", "info": info, "servers": [server]}
        told["paths"] = {
            resource["path"]: {
                ANY_METHOD if verb == "ANY" else verb.lower(): self._operation(
                    resource["path"], method
                )
                for verb, method in resource["methods"].items()
            }
            for resource in self._snapshot["resources"].values()
            if resource.get("methods")
        }
        self._add_components(told)
        if self._all:
            self._add_extensions(told, rest)
        return told

    def _add_components(self, told: dict[str, Any]) -> None:
        schemas = self._schemas()
        schemes = self._schemes()
        if self._is_swagger:
            told |= {"securityDefinitions": schemes} if schemes else {}
            told |= {"definitions": schemas} if schemas else {}
        else:
            parts = {"schemas": schemas, "securitySchemes": schemes}
            told["components"] = {name: part for name, part in parts.items() if part}

    def _add_extensions(self, told: dict[str, Any], rest: dict[str, Any]) -> None:
        if rest.get("binaryMediaTypes"):
            told["x-amazon-apigateway-binary-media-types"] = rest["binaryMediaTypes"]
        if rest.get("apiKeySource", "HEADER") != "HEADER":
            told["x-amazon-apigateway-api-key-source"] = rest["apiKeySource"]
        if rest.get("minimumCompressionSize") is not None:
            told["x-amazon-apigateway-minimum-compression-size"] = rest["minimumCompressionSize"]
        if rest.get("policy"):
            told["x-amazon-apigateway-policy"] = json.loads(rest["policy"])
        responses = {
            kind: {
                name: one[name]
                for name in ("statusCode", "responseParameters", "responseTemplates")
                if one.get(name)
            }
            for kind, one in self._snapshot["responses"].items()
        }
        if responses:
            told["x-amazon-apigateway-gateway-responses"] = responses
        validators = {
            one["name"]: {
                name: one[name] for name in ("validateRequestParameters", "validateRequestBody")
            }
            for one in self._snapshot["validators"].values()
        }
        if validators:
            told["x-amazon-apigateway-request-validators"] = validators

    def _schema(self, name: str) -> dict[str, Any]:
        self._used.add(name)
        return {"$ref": _REFERENCES[not self._is_swagger] + name}

    def _schemas(self) -> dict[str, Any]:
        """The schemas that operations use, and those that these use."""
        schemas: dict[str, Any] = {}
        waiting = sorted(self._used)
        while waiting:
            name = waiting.pop()
            model = self._snapshot["models"].get(name)
            if name in schemas or model is None:
                continue
            text = model.get("schema") or "{}"
            for reference in _REFERENCES:
                text = text.replace(reference, _REFERENCES[not self._is_swagger])
            try:
                schemas[name] = json.loads(text)
            except ValueError:
                schemas[name] = {}
            waiting.extend(_referenced(schemas[name]))
        return schemas

    def _schemes(self) -> dict[str, Any]:
        methods = [
            method
            for resource in self._snapshot["resources"].values()
            for method in resource.get("methods", {}).values()
        ]
        schemes: dict[str, Any] = {}
        if any(method.get("authorizationType") == "AWS_IAM" for method in methods):
            schemes["sigv4"] = _scheme("Authorization", "header", "awsSigv4")
        if any(method.get("apiKeyRequired") for method in methods):
            schemes["api_key"] = _scheme("x-api-key", "header", None)
        used = {method.get("authorizerId") for method in methods}
        for id, authorizer in self._snapshot["authorizers"].items():
            if id in used:
                schemes[authorizer["name"]] = self._authorizer(authorizer)
        return schemes

    def _authorizer(self, authorizer: dict[str, Any]) -> dict[str, Any]:
        source = authorizer.get("identitySource", "").split(",")[0]
        place, _, name = source.removeprefix("method.request.").partition(".")
        told = _scheme(name or "Unused", _PLACES.get(place, "header"), authorizer.get("authType"))
        if self._authorizers:
            told["x-amazon-apigateway-authorizer"] = {"type": authorizer["type"].lower()} | {
                member: authorizer[member]
                for member in _AUTHORIZER
                if authorizer.get(member) is not None
            }
        return told

    def _operation(self, path: str, method: dict[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = {}
        if method.get("operationName"):
            told["operationId"] = method["operationName"]
        parameters = [
            self._parameter(*item) for item in mapping(method.get("requestParameters")).items()
        ]
        self._add_body(told, parameters, mapping(method.get("requestModels")))
        if parameters:
            told["parameters"] = parameters
        told["responses"] = {
            status: self._response(one)
            for status, one in mapping(method.get("methodResponses")).items()
        }
        security = self._security(method)
        if security:
            told["security"] = security
        validator = self._snapshot["validators"].get(method.get("requestValidatorId"))
        if self._all and validator:
            told["x-amazon-apigateway-request-validator"] = validator["name"]
        if self._integrations and method.get("methodIntegration"):
            told["x-amazon-apigateway-integration"] = _integration(method["methodIntegration"])
        return told

    def _add_body(
        self, told: dict[str, Any], parameters: list[dict[str, Any]], models: dict[str, str]
    ) -> None:
        if not models:
            return
        if not self._is_swagger:
            content = {kind: {"schema": self._schema(name)} for kind, name in models.items()}
            told["requestBody"] = {"content": content, "required": True}
            return
        told["consumes"] = list(models)
        name = next(iter(models.values()))
        body = {"in": "body", "name": name, "required": True, "schema": self._schema(name)}
        parameters.append(body)

    def _parameter(self, key: str, is_required: bool) -> dict[str, Any]:
        place, _, name = key.removeprefix("method.request.").partition(".")
        told: dict[str, Any] = {"name": name, "in": _PLACES.get(place, "query")}
        if is_required:
            told["required"] = True
        elif self._is_swagger:
            told["required"] = False
        return told | self._text_type()

    def _text_type(self) -> dict[str, Any]:
        return {"type": "string"} if self._is_swagger else {"schema": {"type": "string"}}

    def _response(self, response: dict[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = {"description": f"{response['statusCode']} response"}
        headers = {
            key.removeprefix("method.response.header."): self._text_type()
            for key in mapping(response.get("responseParameters"))
        }
        if headers:
            told["headers"] = headers
        models = mapping(response.get("responseModels"))
        if not self._is_swagger:
            told["content"] = {
                kind: {"schema": self._schema(name)} for kind, name in models.items()
            }
        elif models:
            told["schema"] = self._schema(next(iter(models.values())))
        return told

    def _security(self, method: dict[str, Any]) -> list[dict[str, list[str]]]:
        found: list[dict[str, list[str]]] = []
        authorizer = self._snapshot["authorizers"].get(method.get("authorizerId"))
        if method.get("authorizationType") == "AWS_IAM":
            found.append({"sigv4": []})
        elif authorizer is not None:
            found.append({authorizer["name"]: method.get("authorizationScopes", [])})
        if method.get("apiKeyRequired"):
            found.append({"api_key": []})
        return found


def _scheme(name: str, place: str, auth_type: str | None) -> dict[str, Any]:
    told: dict[str, Any] = {"type": "apiKey", "name": name, "in": place}
    if auth_type:
        told["x-amazon-apigateway-authtype"] = auth_type
    return told


def _referenced(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [name for one in schema for name in _referenced(one)]
    if not isinstance(schema, dict):
        return []
    found = [name for one in schema.values() for name in _referenced(one)]
    reference = schema.get("$ref")
    return [*found, reference.rsplit("/", 1)[-1]] if isinstance(reference, str) else found


def _integration(integration: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"type": integration["type"].lower()}
    told |= {name: integration[name] for name in _COPIED if integration.get(name)}
    responses = {}
    for status, one in mapping(integration.get("integrationResponses")).items():
        answer = {"statusCode": status} | {
            name: one[name]
            for name in ("responseParameters", "responseTemplates", "contentHandling")
            if one.get(name)
        }
        responses[one.get("selectionPattern") or "default"] = answer
    if responses:
        told["responses"] = responses
    told["passthroughBehavior"] = integration.get("passthroughBehavior", "WHEN_NO_MATCH").lower()
    if integration.get("connectionType", "INTERNET") != "INTERNET":
        told["connectionType"] = integration["connectionType"]
    if integration.get("timeoutInMillis", 29_000) != 29_000:
        told["timeoutInMillis"] = integration["timeoutInMillis"]
    return told
