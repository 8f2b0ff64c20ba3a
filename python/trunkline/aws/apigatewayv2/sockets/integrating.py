"""What the route of an event leads to: functions, endpoints, services, or nothing but a mapping."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

from trunkline._dataclasses import dataclass
from trunkline.aws.apigateway.front.endpoints import call_endpoint
from trunkline.aws.apigateway.front.functions import in_time
from trunkline.aws.apigateway.front.integration import IntegrationAnswer, IntegrationRequest
from trunkline.aws.apigateway.front.refusing import Refusal
from trunkline.aws.apigateway.front.services import call_service
from trunkline.aws.apigatewayv2.exchange import Refused
from trunkline.aws.apigatewayv2.integrating import (
    call_function,
    function_arn,
    with_variables,
)
from trunkline.aws.apigatewayv2.sockets.responses import selects
from trunkline.aws.vtl import InvalidBody, TemplateError, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.apigatewayv2.sockets.exchange import SocketExchange
    from trunkline.aws.execute_api.message import Headers

    Document = dict[str, Any]

_PROXIES = ("AWS_PROXY", "HTTP_PROXY")
_NOT_SENT = frozenset(
    ("host", "content-length", "connection", "upgrade", "transfer-encoding", "expect", "te")
)


@dataclass(slots=True)
class Told:
    """What an integration answered: the status counts for connections, the body for messages."""

    status: int
    headers: Headers
    body: str | None


def _broken(why: str, status: int = 500) -> Refused:
    return Refused(status, "Internal server error", why=why)


def integrate(exchange: SocketExchange) -> Told:
    """What the integration of a route answers; raises Refused if it fails."""
    try:
        return _integrated(exchange)
    except Refusal as refusal:
        status = 504 if refusal.kind == "INTEGRATION_TIMEOUT" else refusal.status or 500
        message = refusal.message or "Internal server error"
        raise Refused(status, message, why=refusal.reason) from None


def _integrated(exchange: SocketExchange) -> Told:
    integration = exchange.integration
    kind, uri = integration["IntegrationType"], integration.get("IntegrationUri", "")
    seconds = integration["TimeoutInMillis"] / 1_000
    if kind == "AWS_PROXY":
        arn = function_arn(exchange, uri)
        return _of_proxy(in_time(lambda: call_function(exchange, arn, exchange.event()), seconds))
    request = _request(exchange, seconds)
    if kind == "MOCK":
        return _mapped(exchange, _mocked(request.body))
    if kind == "HTTP_PROXY":
        answer = call_endpoint(exchange, request)
        return Told(answer.status, answer.headers, answer.body.decode("utf-8", "replace"))
    if kind == "HTTP":
        return _mapped(exchange, call_endpoint(exchange, request))
    if ":lambda:" in uri:
        return _mapped(exchange, _of_function(exchange, request, seconds))
    return _mapped(exchange, call_service(exchange, request))


def _of_proxy(told: Any) -> Told:
    """The answer that a function's result stands for."""
    if not isinstance(told, dict):
        raise _broken("the function answered no object", 502)
    try:
        status = int(told.get("statusCode", 0))
    except (TypeError, ValueError):
        status = 0
    if not 100 <= status <= 599:
        raise _broken("statusCode of the function's answer is no HTTP status", 502)
    body = told.get("body")
    if body is not None and not isinstance(body, str):
        raise _broken("body of the function's answer is no text", 502)
    if body is not None and told.get("isBase64Encoded") is True:
        try:
            body = base64.b64decode(body, validate=True).decode()
        except ValueError:
            raise _broken("the body of the function's answer is no text in base64", 502) from None
    given = told.get("headers") or {}
    if not isinstance(given, dict):
        raise _broken("headers of the function's answer is no object", 502)
    return Told(status, [(name, str(value)) for name, value in given.items()], body)


def _of_function(
    exchange: SocketExchange, request: IntegrationRequest, seconds: float
) -> IntegrationAnswer:
    """The answer of a function that gets what a template made."""
    arn = function_arn(exchange, exchange.integration["IntegrationUri"])
    try:
        payload = json.loads(request.body or b"{}")
    except ValueError:
        raise _broken("a function gets JSON, and the template made none") from None
    told = in_time(lambda: call_function(exchange, arn, payload), seconds)
    return IntegrationAnswer(200, [], json.dumps(told).encode())


def _mocked(body: bytes) -> IntegrationAnswer:
    try:
        status = int(json.loads(body or b"{}").get("statusCode", 200))
    except (ValueError, AttributeError, TypeError, RecursionError):
        raise _broken("the request template of the mock made no statusCode") from None
    return IntegrationAnswer(status, [], body)


def _request(exchange: SocketExchange, seconds: float) -> IntegrationRequest:
    """The request to an integration, after all mappings."""
    integration = exchange.integration
    is_proxy = integration["IntegrationType"] in _PROXIES
    headers: dict[str, str] = {}
    query: dict[str, list[str]] = {}
    if is_proxy and exchange.event_type == "CONNECT":
        for name, values in exchange.request.all_headers.items():
            if name not in _NOT_SENT and not name.startswith("sec-websocket"):
                headers[name] = ",".join(values)
        query = {name: list(all) for name, all in exchange.request.all_parameters.items()}
    if is_proxy:
        headers["connectionid"] = exchange.connection.id
    uri = with_variables(exchange, integration.get("IntegrationUri", ""))
    for target, source in (integration.get("RequestParameters") or {}).items():
        found = exchange.source(source)
        if found is None:
            continue
        place, name = target.removeprefix("integration.request.").split(".", 1)
        if place == "header":
            headers[name.lower()] = found
        elif place == "querystring":
            query[name] = [found]
        else:
            uri = uri.replace(f"{{{name}}}", quote(found, safe=""))
    body = exchange.request.body if is_proxy else _mapped_request(exchange)
    return IntegrationRequest(
        method=integration.get("IntegrationMethod", "POST").replace("ANY", "POST"),
        uri=uri,
        headers=headers,
        query=query,
        body=body,
        timeout=seconds,
    )


def _template(exchange: SocketExchange, templates: Document, expression: str | None) -> str | None:
    name = exchange.selected(expression) if expression else "$default"
    found: str | None = templates.get(name, templates.get("$default"))
    return found


def _mapped_request(exchange: SocketExchange) -> bytes:
    integration = exchange.integration
    templates = integration.get("RequestTemplates") or {}
    chosen = _template(exchange, templates, integration.get("TemplateSelectionExpression"))
    if chosen is None:
        behavior = integration["PassthroughBehavior"]
        if behavior == "NEVER" or (behavior == "WHEN_NO_TEMPLATES" and templates):
            raise Refused(415, "Unsupported Media Type")
        return exchange.request.body
    return _rendered(exchange, chosen, exchange.message).encode()


def _rendered(exchange: SocketExchange, template: str, body: str) -> str:
    request = exchange.request
    params = {
        "querystring": {name: all[-1] for name, all in request.all_parameters.items()},
        "header": {name: all[-1] for name, all in request.all_headers.items()},
    }
    try:
        made = render(
            template,
            body=body,
            params=params,
            context=exchange.context(),
            stage_variables=exchange.stage_variables(),
        )
    except InvalidBody:
        raise Refused(
            400, "Bad Request", why="the template reads JSON, and there is none"
        ) from None
    except TemplateError as error:
        raise _broken(f"the mapping template failed: {error}") from None
    return made.text


def _mapped(exchange: SocketExchange, answer: IntegrationAnswer) -> Told:
    """The answer of an integration that is no proxy, as its integration response says."""
    text = answer.body.decode("utf-8", "replace")
    response = _response(exchange, str(answer.status))
    if response is None:
        return Told(answer.status, [], text)
    templates = response.get("ResponseTemplates") or {}
    chosen = _template(exchange, templates, response.get("TemplateSelectionExpression"))
    return Told(answer.status, [], text if chosen is None else _rendered(exchange, chosen, text))


def _response(exchange: SocketExchange, selector: str) -> Document | None:
    responses = exchange.integration.get("responses") or {}
    default = None
    for response in responses.values():
        key = response["IntegrationResponseKey"]
        if key == "$default":
            default = response
        elif selects(key, selector):
            found: Document = response
            return found
    return default
