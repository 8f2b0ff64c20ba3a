"""What routes, integrations and authorizers of HTTP APIs may be."""

from __future__ import annotations

import re

from trunkline.aws.apigatewayv2.errors import bad, conflict, missing
from trunkline.aws.apigatewayv2.subtypes import SUBTYPES
from trunkline.aws.limits import (
    AUTHORIZER_TTL_MAX,
    HTTP_API_TIMEOUT_MS_MAX,
    HTTP_API_TIMEOUT_MS_MIN,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Document = dict[str, Any]

METHODS = frozenset(("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY"))
AUTHORIZATION_TYPES = ("NONE", "AWS_IAM", "JWT", "CUSTOM")
_SEGMENT = re.compile(r"[^{}/]+|\{[A-Za-z0-9._:-]+\+?\}")
_REQUEST_KEY = re.compile(
    r"(append|overwrite|remove):(header|querystring)\.[^\s.]+|overwrite:path|remove:path"
)
_RESPONSE_KEY = re.compile(r"(append|overwrite|remove):header\.[^\s.]+|overwrite:statuscode")
_RESERVED_HEADERS = re.compile(
    r"access-control-.*|apigw-.*|authorization|connection|content-encoding|content-length"
    r"|content-location|forwarded|keep-alive|origin|proxy-authenticate|proxy-authorization|te"
    r"|trailers|transfer-encoding|upgrade|x-amz-.*|x-amzn-.*|x-forwarded-.*|via",
    re.IGNORECASE,
)


def check_route_key(key: str) -> None:
    """Refuses what is neither `$default` nor a method and a path."""
    if key == "$default":
        return
    method, _, path = key.partition(" ")
    if method not in METHODS or not path.startswith("/"):
        raise bad(
            f"The provided route key is not formatted properly for HTTP protocol: {key!r}. Format "
            "should be '<HTTP METHOD> <path>' or '$default'."
        )
    segments = path[1:].split("/")
    for place, segment in enumerate(segments):
        is_last = place == len(segments) - 1
        if segment == "" and is_last:
            continue
        if not _SEGMENT.fullmatch(segment) or (segment.endswith("+}") and not is_last):
            raise bad(f"The path of the route key is invalid at {segment!r}: {key!r}")
    names = re.findall(r"\{([^{}+]+)\+?\}", path)
    if len(names) != len(set(names)):
        raise bad(f"The path of the route key names a parameter twice: {key!r}")


def check_route(document: Document, route: Document) -> None:
    """Refuses a route that cannot be served."""
    check_route_key(route["RouteKey"])
    for other in document["routes"].values():
        if other["RouteKey"] == route["RouteKey"] and other["RouteId"] != route.get("RouteId"):
            raise conflict(f"Route with key {route['RouteKey']} already exists for this API")
    target = route.get("Target")
    if target is not None:
        kind, _, id = target.partition("/")
        if kind != "integrations" or id not in document["integrations"]:
            raise bad(
                f"Invalid target {target!r}: it is integrations/ and the id of an integration"
            )
    kind = route.setdefault("AuthorizationType", "NONE")
    route.setdefault("ApiKeyRequired", False)
    if kind not in AUTHORIZATION_TYPES:
        raise bad(
            f"Invalid AuthorizationType {kind!r}: use one of {', '.join(AUTHORIZATION_TYPES)}"
        )
    if kind in ("JWT", "CUSTOM"):
        authorizer = document["authorizers"].get(route.get("AuthorizerId"))
        if authorizer is None:
            raise missing("Authorizer", route.get("AuthorizerId") or "")
        wanted = "JWT" if kind == "JWT" else "REQUEST"
        if authorizer["AuthorizerType"] != wanted:
            raise bad(f"AuthorizationType {kind} needs an authorizer of the type {wanted}")


def check_integration(document: Document, integration: Document) -> None:
    """Refuses an integration that no request could use."""
    kind = integration["IntegrationType"]
    if kind not in ("AWS_PROXY", "HTTP_PROXY"):
        raise bad(f"HTTP APIs do not support the IntegrationType {kind}: use AWS_PROXY, HTTP_PROXY")
    integration.setdefault("ConnectionType", "INTERNET")
    if integration["ConnectionType"] == "VPC_LINK":
        raise bad("ConnectionType VPC_LINK is not supported: this engine has no VPCs.")
    version = integration.setdefault("PayloadFormatVersion", "1.0")
    if version not in ("1.0", "2.0"):
        raise bad(f"Invalid PayloadFormatVersion {version!r}: use 1.0 or 2.0")
    timeout = integration.setdefault("TimeoutInMillis", HTTP_API_TIMEOUT_MS_MAX)
    if not HTTP_API_TIMEOUT_MS_MIN <= timeout <= HTTP_API_TIMEOUT_MS_MAX:
        raise bad(
            f"Invalid TimeoutInMillis {timeout}: it is a number from {HTTP_API_TIMEOUT_MS_MIN} to "
            f"{HTTP_API_TIMEOUT_MS_MAX}"
        )
    subtype = integration.get("IntegrationSubtype")
    if subtype is not None:
        _check_subtype(integration, kind, subtype)
        return
    uri = integration.get("IntegrationUri", "")
    if kind == "HTTP_PROXY":
        if not re.match(r"https?://", uri):
            raise bad("HTTP_PROXY needs an IntegrationUri that begins with http:// or https://")
        if not integration.get("IntegrationMethod"):
            raise bad("HTTP_PROXY needs an IntegrationMethod: a method, or ANY")
    elif ":lambda:" not in uri:
        raise bad("AWS_PROXY needs the ARN of a function as IntegrationUri, or a subtype")
    _check_mappings(integration)


def _check_subtype(integration: Document, kind: str, subtype: str) -> None:
    known = SUBTYPES.get(subtype)
    if known is None:
        raise bad(f"Invalid IntegrationSubtype {subtype!r}: use one of {', '.join(SUBTYPES)}")
    if kind != "AWS_PROXY":
        raise bad("IntegrationSubtype needs the IntegrationType AWS_PROXY")
    given = integration.get("RequestParameters") or {}
    lacking = [name for name in known.required if name not in given]
    if lacking:
        raise bad(f"{subtype} needs the RequestParameters {', '.join(lacking)}")
    unknown = [name for name in given if name not in (*known.required, *known.optional)]
    if unknown:
        raise bad(f"{subtype} does not know the RequestParameters {', '.join(unknown)}")


def _check_mappings(integration: Document) -> None:
    for key in integration.get("RequestParameters") or {}:
        _check_mapping(_REQUEST_KEY, key, "request")
    for status, mapping in (integration.get("ResponseParameters") or {}).items():
        if not re.fullmatch(r"[1-5]\d\d", status):
            raise bad(f"ResponseParameters are given by status code, not by {status!r}")
        for key in mapping:
            _check_mapping(_RESPONSE_KEY, key, "response")


def _check_mapping(pattern: re.Pattern[str], key: str, side: str) -> None:
    if not pattern.fullmatch(key):
        raise bad(f"Invalid {side} parameter {key!r}")
    place, _, name = key.partition(":")[2].partition(".")
    if place == "header" and _RESERVED_HEADERS.fullmatch(name):
        raise bad(f"The header {name!r} is reserved: it cannot be mapped")


def check_authorizer(document: Document, authorizer: Document) -> None:
    """Refuses an authorizer that could never decide."""
    kind = authorizer["AuthorizerType"]
    if kind not in ("JWT", "REQUEST"):
        raise bad(f"Invalid AuthorizerType {kind!r}: use JWT or REQUEST")
    for other in document["authorizers"].values():
        same = other["Name"] == authorizer["Name"]
        if same and other["AuthorizerId"] != authorizer.get("AuthorizerId"):
            raise conflict("Authorizer name must be unique. Authorizer already exists.")
    if kind == "JWT":
        configured = authorizer.get("JwtConfiguration") or {}
        if not configured.get("Issuer") or not configured.get("Audience"):
            raise bad("A JWT authorizer needs JwtConfiguration with Issuer and Audience")
        if not re.match(r"https?://", configured["Issuer"]):
            raise bad("Invalid issuer: it is a URL")
        sources = authorizer.get("IdentitySource") or []
        if len(sources) != 1:
            raise bad("A JWT authorizer needs one IdentitySource")
        return
    if ":lambda:" not in authorizer.get("AuthorizerUri", ""):
        raise bad("A REQUEST authorizer needs an AuthorizerUri that names a function")
    version = authorizer.get("AuthorizerPayloadFormatVersion")
    if version not in ("1.0", "2.0"):
        raise bad("A REQUEST authorizer needs AuthorizerPayloadFormatVersion 1.0 or 2.0")
    if authorizer.get("EnableSimpleResponses") and version != "2.0":
        raise bad("EnableSimpleResponses needs AuthorizerPayloadFormatVersion 2.0")
    seconds = authorizer.get("AuthorizerResultTtlInSeconds", 0)
    if not 0 <= seconds <= AUTHORIZER_TTL_MAX:
        raise bad(f"AuthorizerResultTtlInSeconds is a number from 0 to {AUTHORIZER_TTL_MAX}")
    if seconds and not authorizer.get("IdentitySource"):
        raise bad("An authorizer whose results are cached needs an IdentitySource")
