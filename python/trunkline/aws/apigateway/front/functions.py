"""Calls of functions: as proxies, with AWS's event, and with bodies that templates made."""

from __future__ import annotations

import json
import re
from http.client import HTTP_PORT, HTTPS_PORT
from threading import Event, Thread

from trunkline.aws.apigateway.front.exchange import title
from trunkline.aws.apigateway.front.integration import IntegrationAnswer, status_of
from trunkline.aws.apigateway.front.refusing import Refusal, internal
from trunkline.aws.invoker import InvocationFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from trunkline.aws.apigateway.front.exchange import Exchange
    from trunkline.aws.apigateway.front.integration import IntegrationRequest
    from trunkline.aws.execute_api.calling import Calling

    T = TypeVar("T")

_FUNCTION = re.compile(r".*:lambda:path/+[\d-]+/functions/(arn:[^/]+)/invocations")


def in_time(call: Callable[[], T], seconds: float) -> T:
    """What a call returns, if it does so in time; the call itself is not ended."""
    outcome: list[T] = []
    failure: list[BaseException] = []
    ended = Event()

    def run() -> None:
        try:
            outcome.append(call())
        except BaseException as error:
            failure.append(error)
        ended.set()

    Thread(target=run, name="trunkline-integration", daemon=True).start()
    if not ended.wait(seconds):
        raise Refusal("INTEGRATION_TIMEOUT", "Endpoint request timed out")
    if failure:
        raise failure[0]
    return outcome[0]


def function_of(uri: str) -> str:
    """The ARN of the function that the address of an integration names."""
    found = _FUNCTION.fullmatch(re.sub(r"\s", "", uri))
    if found is None:
        raise internal(f"{uri} names no function")
    return found[1]


def invoke(
    exchange: Calling, uri: str, payload: bytes, seconds: float, kind: str = "RequestResponse"
) -> tuple[bytes, str | None]:
    """The payload of a function's answer, and the message of its error if it failed."""
    arn = function_of(uri)
    given = {"FunctionName": arn, "Payload": payload, "InvocationType": kind}

    def call() -> dict[str, Any]:
        return exchange.apis.clients.invoke(
            "lambda", "Invoke", given, account=exchange.account, region=arn.split(":")[3]
        )

    try:
        answer = in_time(call, seconds)
    except InvocationFailed as error:
        if "TooManyRequests" in error.code:
            raise internal(f"the function is throttled: {error}", 500) from None
        raise internal(f"the function cannot be called: {error}", 500) from None
    found: bytes = answer.get("Payload", b"")
    if answer.get("FunctionError") is None:
        return found, None
    return found, _message(found)


def _message(payload: bytes) -> str:
    try:
        return str(json.loads(payload).get("errorMessage", ""))
    except (ValueError, AttributeError):
        return ""


def _check_method(request: IntegrationRequest) -> None:
    # The API of functions knows no other method, whatever the caller's is.
    if request.method != "POST":
        raise internal("functions are called with POST; set it as the integration's method")


def call_function(exchange: Calling, request: IntegrationRequest) -> IntegrationAnswer:
    """A call with the body that the template made."""
    _check_method(request)
    kind = request.headers.get("x-amz-invocation-type", "RequestResponse").strip("'")
    payload, error = invoke(exchange, request.uri, request.body or b"{}", request.timeout, kind)
    headers = [("content-type", "application/json"), ("x-amzn-trace-id", exchange.trace)]
    return IntegrationAnswer(202 if kind == "Event" else 200, headers, payload, error)


def event_of(exchange: Exchange) -> dict[str, Any]:
    """The event of a proxied request, in version 1.0."""
    request = exchange.request
    headers = {title(name): values for name, values in request.all_headers.items()}
    scheme = "https" if request.is_secure else "http"
    port = HTTPS_PORT if request.is_secure else HTTP_PORT
    forwarded = {
        "X-Amzn-Trace-Id": exchange.trace,
        "X-Forwarded-For": request.source_ip or "127.0.0.1",
        "X-Forwarded-Port": request.host.partition(":")[2] or str(port),
        "X-Forwarded-Proto": scheme,
    }
    headers |= {name: [value] for name, value in forwarded.items()}
    parameters = request.all_parameters
    body, is_base64 = exchange.body_of_event()
    return {
        "resource": exchange.routed.resource["path"],
        "path": request.domain_path or exchange.path,
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": {n: v[-1] for n, v in parameters.items()} or None,
        "multiValueQueryStringParameters": parameters or None,
        "pathParameters": dict(exchange.path_parameters) or None,
        "stageVariables": exchange.variables or None,
        "requestContext": exchange.context,
        "body": body,
        "isBase64Encoded": is_base64,
    }


def call_proxied(exchange: Exchange, request: IntegrationRequest) -> dict[str, Any]:
    """A call with AWS's event; what the function answered, if that is an answer of a proxy."""
    _check_method(request)
    event = event_of(exchange)
    given = exchange.integration.get("requestParameters")
    if given:
        event["headers"] |= {title(name): value for name, value in request.headers.items()}
    payload, error = invoke(exchange, request.uri, json.dumps(event).encode(), request.timeout)
    if error is not None:
        raise internal(f"the function failed: {error}", 502)
    try:
        answer = json.loads(payload)
    except (ValueError, RecursionError):
        raise internal("the function answered no JSON", 502) from None
    if not isinstance(answer, dict):
        raise internal("the function answered no object", 502)
    _check(answer)
    return answer


_MEMBERS = frozenset(("statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"))


def _check(answer: dict[str, Any]) -> None:
    unknown = answer.keys() - _MEMBERS
    if unknown:
        raise internal(f"the function's answer has a member {sorted(unknown)[0]!r}", 502)
    try:
        status_of(answer.get("statusCode", 200))
    except ValueError:
        raise internal("statusCode of the function's answer is no HTTP status", 502) from None
    if not isinstance(answer.get("headers") or {}, dict):
        raise internal("headers of the function's answer is no object", 502)
    many = answer.get("multiValueHeaders") or {}
    if not isinstance(many, dict) or not all(isinstance(all, list) for all in many.values()):
        raise internal("multiValueHeaders of the function's answer holds no lists", 502)
    if not isinstance(answer.get("body") or "", str):
        raise internal("body of the function's answer is no text", 502)
