"""What WebSocket APIs, their routes, integrations and authorizers may be."""

from __future__ import annotations

import re

from trunkline.aws.apigatewayv2.errors import bad, conflict, missing
from trunkline.aws.limits import SOCKET_TIMEOUT_MS_MAX, SOCKET_TIMEOUT_MS_MIN
from trunkline.aws.vtl import TemplateError
from trunkline.aws.vtl import check as check_template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Document = dict[str, Any]

CONNECT, DISCONNECT, DEFAULT = "$connect", "$disconnect", "$default"
_SELECTION = re.compile(r"\\?\$[\w${}./\[\]-]+|[\w-]+")
_TYPES = ("AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK")
_PASSTHROUGH = ("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER")
_TARGET = re.compile(r"integration\.request\.(header|querystring|path)\.[^\s.]+")
_SOURCE = re.compile(
    r"route\.request\.(header|querystring|multivalueheader|multivaluequerystring)\.\S+"
    r"|route\.request\.body(\.\S+)?|context\.\S+|stageVariables\.\w+|'[^']*'"
)
_SERVICE = re.compile(r"arn:[\w-]+:apigateway:[\w-]*:[\w.-]+:(path|action)/.+", re.DOTALL)


def check_api(api: Document) -> None:
    """Refuses a WebSocket API that cannot be served."""
    expression = api.get("RouteSelectionExpression") or ""
    if not expression.startswith("$") or not _SELECTION.fullmatch(expression):
        raise bad(
            f"Invalid RouteSelectionExpression {expression!r}: a WebSocket API needs one, such as "
            "$request.body.action"
        )
    if api.get("CorsConfiguration"):
        raise bad("CorsConfiguration is not supported for WebSocket APIs")


def check_route(document: Document, route: Document) -> None:
    """Refuses a route that cannot be served."""
    key = route["RouteKey"]
    if not key or (key.startswith("$") and key not in (CONNECT, DISCONNECT, DEFAULT)):
        raise bad(
            f"The provided route key is not formatted properly for WEBSOCKET protocol: {key!r}. "
            "Use $connect, $disconnect, $default or a value of the selection expression."
        )
    for other in document["routes"].values():
        if other["RouteKey"] == key and other["RouteId"] != route.get("RouteId"):
            raise conflict(f"Route with key {key} already exists for this API")
    target = route.get("Target")
    if target is not None:
        kind, _, id = target.partition("/")
        if kind != "integrations" or id not in document["integrations"]:
            raise bad(f"Invalid target {target!r}: it is integrations/ and an integration's id")
    if route.setdefault("ApiKeyRequired", False):
        raise bad("ApiKeyRequired is not supported for routes of WebSocket APIs here")
    selection = route.get("RouteResponseSelectionExpression")
    if selection not in (None, "", DEFAULT):
        raise bad("RouteResponseSelectionExpression has to be $default")
    kind = route.setdefault("AuthorizationType", "NONE")
    if kind not in ("NONE", "AWS_IAM", "CUSTOM"):
        raise bad(f"Invalid AuthorizationType {kind!r}: use NONE, AWS_IAM or CUSTOM")
    if kind != "NONE" and key != CONNECT:
        raise bad("Currently, authorization is restricted to the $connect route only")
    if kind == "CUSTOM" and route.get("AuthorizerId") not in document["authorizers"]:
        raise missing("Authorizer", route.get("AuthorizerId") or "")
    for name in route.get("RequestParameters") or {}:
        if not re.fullmatch(r"route\.request\.(header|querystring)\.\S+", name):
            raise bad(f"Invalid request parameter {name!r}: use route.request.querystring.NAME")


def check_integration(document: Document, integration: Document) -> None:
    """Refuses an integration that no message could use."""
    kind = integration["IntegrationType"]
    if kind not in _TYPES:
        raise bad(f"Invalid IntegrationType {kind!r}: use one of {', '.join(_TYPES)}")
    if integration.setdefault("ConnectionType", "INTERNET") == "VPC_LINK":
        raise bad("ConnectionType VPC_LINK is not supported: this engine has no VPCs.")
    if integration.get("IntegrationSubtype"):
        raise bad("IntegrationSubtype is supported for HTTP APIs only")
    if integration.setdefault("PayloadFormatVersion", "1.0") != "1.0":
        raise bad("PayloadFormatVersion of a WebSocket API has to be 1.0")
    timeout = integration.setdefault("TimeoutInMillis", SOCKET_TIMEOUT_MS_MAX)
    if not SOCKET_TIMEOUT_MS_MIN <= timeout <= SOCKET_TIMEOUT_MS_MAX:
        raise bad(
            f"Invalid TimeoutInMillis {timeout}: it is a number from {SOCKET_TIMEOUT_MS_MIN} to "
            f"{SOCKET_TIMEOUT_MS_MAX}"
        )
    integration.setdefault(
        "IntegrationResponseSelectionExpression", "${integration.response.statuscode}"
    )
    _check_uri(kind, integration)
    if kind not in ("AWS_PROXY", "HTTP_PROXY"):
        behavior = integration.setdefault("PassthroughBehavior", "WHEN_NO_MATCH")
        if behavior not in _PASSTHROUGH:
            raise bad(f"Invalid PassthroughBehavior {behavior!r}: {', '.join(_PASSTHROUGH)}")
    for target, source in (integration.get("RequestParameters") or {}).items():
        if not _TARGET.fullmatch(target):
            raise bad(f"Invalid mapping expression specified: parameter {target!r}")
        if not _SOURCE.fullmatch(source):
            raise bad(f"Invalid mapping expression specified: value {source!r}")
    check_templates(integration.get("RequestTemplates"))


def _check_uri(kind: str, integration: Document) -> None:
    uri = integration.get("IntegrationUri", "")
    if kind == "MOCK":
        return
    if kind.startswith("HTTP"):
        if not re.match(r"https?://", uri):
            raise bad(f"{kind} needs an IntegrationUri that begins with http:// or https://")
        if not integration.get("IntegrationMethod"):
            raise bad(f"{kind} needs an IntegrationMethod")
        return
    integration.setdefault("IntegrationMethod", "POST")
    if kind == "AWS_PROXY" and ":lambda:" not in uri:
        raise bad("AWS_PROXY needs the ARN of a function as IntegrationUri")
    if kind == "AWS" and ":lambda:" not in uri and not _SERVICE.fullmatch(uri):
        raise bad(
            f"Invalid IntegrationUri {uri!r}: use arn:aws:apigateway:REGION:SERVICE:action/NAME "
            "or :path/PATH"
        )


def check_templates(templates: dict[str, str] | None) -> None:
    """Refuses templates that cannot be read."""
    for name, template in (templates or {}).items():
        try:
            check_template(template)
        except TemplateError as error:
            raise bad(f"Invalid template {name!r}: {error}") from None


def check_authorizer(document: Document, authorizer: Document) -> None:
    """Refuses an authorizer that could never decide."""
    if authorizer["AuthorizerType"] != "REQUEST":
        raise bad("AuthorizerType of a WebSocket API has to be REQUEST")
    for other in document["authorizers"].values():
        same = other["Name"] == authorizer["Name"]
        if same and other["AuthorizerId"] != authorizer.get("AuthorizerId"):
            raise conflict("Authorizer name must be unique. Authorizer already exists.")
    if ":lambda:" not in authorizer.get("AuthorizerUri", ""):
        raise bad("A REQUEST authorizer needs an AuthorizerUri that names a function")
    for name in ("AuthorizerPayloadFormatVersion", "EnableSimpleResponses"):
        if authorizer.get(name):
            raise bad(f"{name} is supported for HTTP APIs only")
    if authorizer.get("AuthorizerResultTtlInSeconds"):
        raise bad("Results of authorizers of WebSocket APIs are not cached")
    for source in authorizer.get("IdentitySource") or ():
        if not _SOURCE.fullmatch(source) or source.startswith(("route.request.body", "'")):
            raise bad(f"Invalid identity source {source!r}: use route.request.querystring.NAME")
