"""Integrations: a function, an HTTP endpoint, or an operation of a service answers."""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import datetime
from urllib.parse import quote, unquote, urlencode

from trunkline.aws.apigatewayv2.events import event
from trunkline.aws.apigatewayv2.exchange import Refused
from trunkline.aws.apigatewayv2.mapping import map_request, map_response, value
from trunkline.aws.apigatewayv2.subtypes import SUBTYPES
from trunkline.aws.execute_api.http import NoAnswer, TimedOut, send
from trunkline.aws.execute_api.message import ApiResponse
from trunkline.aws.invoker import InvocationFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.apigatewayv2.exchange import Exchange
    from trunkline.aws.execute_api.message import Headers

_FUNCTION = re.compile(r"(?:.*/functions/)?(arn:[\w-]+:lambda:[^/]+)(?:/invocations)?")
_ACCOUNT = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")
_NAMING = ("Arn", "ARN", "EventBusName", "QueueUrl", "StreamName")
_STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.(\w+)\}")
_INTERNAL = "Internal Server Error"
_UNAVAILABLE = "Service Unavailable"
_JSON = ("content-type", "application/json")


def integrate(exchange: Exchange) -> ApiResponse:
    """The answer of the integration of a route; raises Refused if there is none."""
    integration = exchange.integration
    subtype = integration.get("IntegrationSubtype")
    if subtype is not None:
        return map_response(exchange, _of_service(exchange, subtype))
    if integration["IntegrationType"] == "HTTP_PROXY":
        return map_response(exchange, _of_endpoint(exchange))
    return map_response(exchange, _of_function(exchange))


def function_arn(exchange: Exchange, uri: str) -> str:
    """The function that a URI of an integration or an authorizer names."""
    found = _FUNCTION.fullmatch(with_variables(exchange, uri))
    if found is None:
        raise Refused(500, _INTERNAL, why=f"{uri!r} names no function")
    return found[1]


def with_variables(exchange: Exchange, text: str) -> str:
    """A text with the stage variables that it names."""
    variables = exchange.stage_variables()
    return _STAGE_VARIABLE.sub(lambda found: variables.get(found[1], ""), text)


def call_function(exchange: Exchange, arn: str, payload: dict[str, Any]) -> Any:
    """What a function answers to an event; raises Refused if it fails."""
    region = arn.split(":")[3]
    try:
        told = exchange.apis.clients.invoke(
            "lambda",
            "Invoke",
            {"FunctionName": arn, "Payload": json.dumps(payload).encode()},
            account=exchange.owner["account"],
            region=region,
        )
    except InvocationFailed as error:
        raise Refused(500, _INTERNAL, why=error.message) from None
    text = told["Payload"].decode("utf-8", "replace")
    if "FunctionError" in told:
        is_late = "Task timed out" in text
        raise Refused(503 if is_late else 500, _UNAVAILABLE if is_late else _INTERNAL, why=text)
    try:
        return json.loads(text) if text else None
    except ValueError:
        raise Refused(500, _INTERNAL, why="the function's answer is not JSON") from None


def _of_function(exchange: Exchange) -> ApiResponse:
    integration = exchange.integration
    arn = function_arn(exchange, integration["IntegrationUri"])
    version = integration["PayloadFormatVersion"]
    told = call_function(exchange, arn, event(exchange, version))
    try:
        return _answer(told, version)
    except (TypeError, ValueError, AttributeError) as error:
        raise Refused(500, _INTERNAL, why=f"the function's answer is malformed: {error}") from None


def _answer(told: Any, version: str) -> ApiResponse:
    """The answer that a function's result stands for.

    >>> _answer({"a": 1}, "2.0").body, _answer("hello", "2.0").body
    (b'{"a":1}', b'hello')
    """
    if not isinstance(told, dict) or "statusCode" not in told:
        if version != "2.0":
            raise ValueError("it has no statusCode")
        if isinstance(told, str):
            return ApiResponse(200, [_JSON], told.encode())
        body = json.dumps(told, separators=(",", ":"), ensure_ascii=False)
        return ApiResponse(200, [_JSON], body.encode())
    status = int(told["statusCode"])
    if not 100 <= status <= 599:
        raise ValueError("its statusCode is no HTTP status")
    headers: Headers = []
    headers.extend((name, _plain(one)) for name, one in (told.get("headers") or {}).items())
    if version == "1.0":
        for name, values in (told.get("multiValueHeaders") or {}).items():
            headers = [line for line in headers if line[0].lower() != name.lower()]
            headers.extend((name, _plain(one)) for one in values)
    headers.extend(("set-cookie", _plain(one)) for one in told.get("cookies") or ())
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("content-type", "text/plain;charset=UTF-8"))
    given = told.get("body")
    content = "" if given is None else given if isinstance(given, str) else json.dumps(given)
    if told.get("isBase64Encoded"):
        try:
            return ApiResponse(status, headers, base64.b64decode(content))
        except binascii.Error:
            raise ValueError("its body is not base64") from None
    return ApiResponse(status, headers, content.encode())


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, (str, int, float)):
        raise TypeError("a header is neither a text nor a number")
    text = str(value)
    if "\r" in text or "\n" in text:
        raise ValueError("a header has more than one line")
    return text


_HOP_HEADERS = frozenset(("host", "content-length", "connection", "transfer-encoding", "expect"))


def _of_endpoint(exchange: Exchange) -> ApiResponse:
    request, integration = exchange.request, exchange.integration
    url = with_variables(exchange, integration["IntegrationUri"])
    for name, text in exchange.variables.items():
        escaped = quote(text, safe="/")
        url = url.replace(f"{{{name}}}", escaped).replace(f"{{{name}+}}", escaped)
    headers = [line for line in request.headers if line[0].lower() not in _HOP_HEADERS]
    source = request.source_ip or "127.0.0.1"
    scheme = "https" if request.is_secure else "http"
    forwarded = f"by={exchange.domain};for={source};host={request.host};proto={scheme}"
    headers.append(("forwarded", forwarded))
    query = [(name, one) for name, values in request.all_parameters.items() for one in values]
    headers, query, path = map_request(exchange, headers, query)
    if path is not None:
        scheme_and_host = re.match(r"https?://[^/?#]+", url)
        url = f"{scheme_and_host.group() if scheme_and_host else url}/{path.lstrip('/')}"
    if query:
        url += ("&" if "?" in url else "?") + urlencode(query)
    method = integration["IntegrationMethod"]
    try:
        told = send(
            exchange.apis.core,
            url,
            method=request.method if method == "ANY" else method,
            headers=headers,
            body=request.body,
            timeout_ms=integration["TimeoutInMillis"],
        )
    except TimedOut as error:
        raise Refused(503, _UNAVAILABLE, why=str(error)) from None
    except NoAnswer as error:
        raise Refused(500, _INTERNAL, why=str(error)) from None
    exchange.told["integrationStatus"] = told.status
    return ApiResponse(told.status, list(told.headers), told.body)


def _of_service(exchange: Exchange, name: str) -> ApiResponse:
    subtype = SUBTYPES[name]
    given = {
        key: value(exchange, source)
        for key, source in (exchange.integration.get("RequestParameters") or {}).items()
    }
    lacking = [key for key in subtype.required if given.get(key) in (None, "")]
    if lacking:
        why = f"{name} lacks {', '.join(lacking)}"
        raise Refused(400, "Bad Request", why=why)
    region = given.pop("Region", None) or exchange.owner["region"]
    plain = {key: one for key, one in given.items() if one is not None}
    texts = {
        key: one if isinstance(one, str) else json.dumps(one, separators=(",", ":"))
        for key, one in plain.items()
    }
    _check_accounts(exchange, texts)
    try:
        params = subtype.build(texts)
    except (TypeError, ValueError) as error:
        raise Refused(400, "Bad Request", why=str(error)) from None
    try:
        told = exchange.apis.clients.invoke(
            subtype.service,
            subtype.operation,
            params,
            account=exchange.owner["account"],
            region=region,
        )
    except InvocationFailed as error:
        exchange.told["integrationStatus"] = error.status
        body = {"__type": error.code, "message": error.message}
        return ApiResponse(error.status, [_JSON], json.dumps(body).encode())
    except TypeError as error:
        raise Refused(400, "Bad Request", why=str(error)) from None
    exchange.told["integrationStatus"] = 200
    told.pop("ResponseMetadata", None)
    return ApiResponse(200, [_JSON], json.dumps(told, default=_json).encode())


def _check_accounts(exchange: Exchange, given: dict[str, str]) -> None:
    """Refuses resources of other accounts, where callers prove who they are."""
    if not exchange.request.is_strict:
        return
    for name, text in given.items():
        named = _ACCOUNT.findall(unquote(text)) if name.endswith(_NAMING) else ()
        if any(account != exchange.owner["account"] for account in named):
            raise Refused(403, "Forbidden", why=f"{name} names another account")


def _json(one: Any) -> Any:
    if isinstance(one, datetime):
        return one.timestamp()
    if isinstance(one, (bytes, bytearray)):
        return base64.b64encode(one).decode()
    raise TypeError(f"{type(one).__name__} is no JSON")
