"""The events that functions get, in both payload formats."""

from __future__ import annotations

import base64
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.apigatewayv2.exchange import Exchange

    Document = dict[str, Any]

_TEXT_TYPES = re.compile(
    r"text/.*|application/(json|javascript|xml|.*\+json|.*\+xml|ecmascript)|.*\+json|.*\+xml"
)


def payload(exchange: Exchange) -> tuple[str | None, bool]:
    """The body as an event carries it, and whether it is base64."""
    body = exchange.request.body
    if not body:
        return None, False
    kind = (exchange.request.header("content-type") or "").partition(";")[0].strip().lower()
    if not kind or _TEXT_TYPES.fullmatch(kind):
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode(), True


def event(exchange: Exchange, version: str) -> Document:
    """The event of a request in the payload format `version`."""
    return _event_2(exchange) if version == "2.0" else _event_1(exchange)


def _joined(values: dict[str, list[str]]) -> dict[str, str]:
    return {name: ",".join(found) for name, found in values.items()}


def _event_2(exchange: Exchange) -> Document:
    request, context = exchange.request, exchange.context()
    headers = _joined(request.all_headers)
    cookies = headers.pop("cookie", None)
    told: Document = {
        "version": "2.0",
        "routeKey": exchange.route["RouteKey"],
        "rawPath": exchange.raw_path,
        "rawQueryString": request.query,
        "headers": headers,
    }
    if cookies is not None:
        told["cookies"] = [one.strip() for one in cookies.split(";") if one.strip()]
    if request.query:
        told["queryStringParameters"] = _joined(request.all_parameters)
    told["requestContext"] = _context_2(exchange, context)
    if exchange.variables:
        told["pathParameters"] = exchange.variables
    body, is_base64 = payload(exchange)
    if body is not None:
        told["body"] = body
    told["isBase64Encoded"] = is_base64
    if exchange.stage_variables():
        told["stageVariables"] = exchange.stage_variables()
    return told


def _context_2(exchange: Exchange, context: Document) -> Document:
    told: Document = {
        name: context[name]
        for name in ("accountId", "apiId", "domainName", "domainPrefix", "requestId", "routeKey")
    }
    told |= {
        "http": {
            "method": context["httpMethod"],
            "path": context["path"],
            "protocol": context["protocol"],
            "sourceIp": context["identity"]["sourceIp"],
            "userAgent": context["identity"]["userAgent"] or "",
        },
        "stage": context["stage"],
        "time": context["requestTime"],
        "timeEpoch": context["requestTimeEpoch"],
    }
    kind = exchange.route.get("AuthorizationType", "NONE")
    if kind == "JWT":
        told["authorizer"] = {"jwt": exchange.authorizer}
    elif kind == "CUSTOM":
        told["authorizer"] = {"lambda": exchange.authorizer}
    elif kind == "AWS_IAM" and exchange.authorizer:
        told["authorizer"] = {"iam": exchange.authorizer}
    return told


def _event_1(exchange: Exchange) -> Document:
    request, context = exchange.request, exchange.context()
    key = exchange.route["RouteKey"]
    resource = key.partition(" ")[2] or key
    body, is_base64 = payload(exchange)
    names = (
        "accountId", "apiId", "domainName", "domainPrefix", "extendedRequestId", "httpMethod",
        "path", "protocol", "requestId", "requestTime", "requestTimeEpoch", "stage",
    )  # fmt: skip
    identity = {
        "accessKey": None,
        "accountId": None,
        "caller": None,
        "cognitoAmr": None,
        "cognitoAuthenticationProvider": None,
        "cognitoAuthenticationType": None,
        "cognitoIdentityId": None,
        "cognitoIdentityPoolId": None,
        "principalOrgId": None,
        "user": None,
        "userArn": None,
        **context["identity"],
    }
    parameters = request.all_parameters
    told = {name: context[name] for name in names}
    told |= {"identity": identity, "resourceId": key, "resourcePath": resource}
    if exchange.authorizer:
        told["authorizer"] = exchange.authorizer
    return {
        "version": "1.0",
        "resource": resource,
        "path": exchange.raw_path,
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in request.all_headers.items()},
        "multiValueHeaders": request.all_headers,
        "queryStringParameters": {n: v[-1] for n, v in parameters.items()} or None,
        "multiValueQueryStringParameters": parameters or None,
        "requestContext": told,
        "pathParameters": exchange.variables or None,
        "stageVariables": exchange.stage_variables() or None,
        "body": body,
        "isBase64Encoded": is_base64,
    }
