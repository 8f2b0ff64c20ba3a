"""The answer of a method: what becomes of an integration's."""

from __future__ import annotations

import base64
import binascii
import json
import re

from trunkline.aws.apigateway.front.exchange import is_binary_type
from trunkline.aws.apigateway.front.integration import IntegrationAnswer, status_of
from trunkline.aws.apigateway.front.mapping import rendered
from trunkline.aws.apigateway.front.refusing import internal
from trunkline.aws.apigateway.front.sources import read_answer
from trunkline.aws.execute_api.expressions import expression
from trunkline.aws.execute_api.message import ApiResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.apigateway.front.exchange import Exchange
    from trunkline.aws.execute_api.message import Headers

_REMAPPED = frozenset(
    ("connection", "content-length", "date", "server", "www-authenticate", "x-amzn-requestid")
)
_DROPPED = frozenset(("transfer-encoding", "keep-alive", "trailer", "upgrade", "te"))


def selected(integration: dict[str, Any], answer: IntegrationAnswer) -> dict[str, Any]:
    """The integration response that an answer selects."""
    responses = integration.get("integrationResponses", {})
    fallback: dict[str, Any] | None = None
    is_function = answer.error is not None or ":lambda:path/" in integration.get("uri", "")
    for response in responses.values():
        pattern = response.get("selectionPattern")
        if not pattern:
            fallback = response
            continue
        if is_function and answer.error is None:
            # Patterns of functions are for errors.
            continue
        if _selects(pattern, answer.selector):
            fallback = response
            break
    if fallback is None:
        raise internal(f"no integration response takes {answer.selector[:100]!r}")
    return fallback


def _selects(pattern: str, selector: str) -> bool:
    try:
        return expression(pattern).matches(selector)
    except ValueError as error:
        raise internal(f"the selection pattern {pattern!r} cannot be used: {error}") from None


def mapped(exchange: Exchange, answer: IntegrationAnswer) -> ApiResponse:
    """The answer of a method whose integration is no proxy."""
    response = selected(exchange.integration, answer)
    exchange.context["status"] = response["statusCode"]
    content_type, body = _body(exchange, response, answer)
    headers: Headers = []
    for target, source in response.get("responseParameters", {}).items():
        value = read_answer(exchange, answer, source)
        name = target.removeprefix("method.response.header.")
        if value is not None:
            headers.append((name, value))
    override = exchange.response_override
    given = {name.lower(): (name, str(value)) for name, value in override["header"].items()}
    headers = [line for line in headers if line[0].lower() not in given] + list(given.values())
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", content_type))
    status = override.get("status") or response["statusCode"]
    try:
        return ApiResponse(status_of(status), headers, body)
    except ValueError:
        raise internal(f"the template set the status {status!r}") from None


def _body(
    exchange: Exchange, response: dict[str, Any], answer: IntegrationAnswer
) -> tuple[str, bytes]:
    override = exchange.response_override
    override.setdefault("header", {})
    templates = response.get("responseTemplates") or {}
    content = _handled(exchange, response, answer)
    if not templates:
        return "application/json", content
    name = "application/json" if "application/json" in templates else next(iter(templates))
    if not templates[name]:
        # A template without text passes the body on, as none does.
        return name, content
    text = rendered(exchange, templates[name], content.decode("utf-8", "replace"))
    return name, text.encode()


def _handled(exchange: Exchange, response: dict[str, Any], answer: IntegrationAnswer) -> bytes:
    handling = response.get("contentHandling")
    if handling == "CONVERT_TO_BINARY" and _wants_binary(exchange):
        try:
            return base64.b64decode(answer.body, validate=True)
        except binascii.Error:
            raise internal("the integration's answer is not in base64") from None
    if handling == "CONVERT_TO_TEXT":
        return base64.b64encode(answer.body)
    return answer.body


def _wants_binary(exchange: Exchange) -> bool:
    accepted = (exchange.request.header("accept") or "").split(",")[0].partition(";")[0].strip()
    return is_binary_type(accepted, exchange.deployed.binary_types)


def passed_on(answer: IntegrationAnswer) -> ApiResponse:
    """The answer of an HTTP endpoint as it is; some headers get another name."""
    headers: Headers = []
    for name, value in answer.headers:
        lowered = name.lower()
        if lowered in _REMAPPED:
            headers.append((f"x-amzn-remapped-{lowered}", value))
        elif lowered not in _DROPPED:
            headers.append((name, value))
    return ApiResponse(answer.status, headers, answer.body)


def of_proxy(exchange: Exchange, answer: dict[str, Any]) -> ApiResponse:
    """The answer of a function that is called as a proxy."""
    lines: dict[str, Headers] = {}
    for name, values in (answer.get("multiValueHeaders") or {}).items():
        lines[name.lower()] = [(name, _header(value)) for value in values]
    for name, value in (answer.get("headers") or {}).items():
        own = lines.setdefault(name.lower(), [])
        if (name, _header(value)) not in own:
            own.append((name, _header(value)))
    headers = [line for own in lines.values() for line in own]
    if "content-type" not in lines:
        headers.append(("Content-Type", "application/json"))
    body = (answer.get("body") or "").encode()
    if answer.get("isBase64Encoded") is True and _is_binary(exchange, headers):
        try:
            body = base64.b64decode(body, validate=True)
        except ValueError:
            raise internal("the body of the function's answer is not in base64", 500) from None
    return ApiResponse(status_of(answer.get("statusCode", 200)), headers, body)


def _is_binary(exchange: Exchange, headers: Headers) -> bool:
    """Whether a caller gets bytes: it accepts a binary type, or everything and gets one."""
    if _wants_binary(exchange):
        return True
    accepted = (exchange.request.header("accept") or "*/*").split(",")[0].partition(";")[0].strip()
    told = next((value for name, value in headers if name.lower() == "content-type"), "")
    types = exchange.deployed.binary_types
    return accepted == "*/*" and is_binary_type(told.partition(";")[0].strip(), types)


def _header(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text.replace("\r", " ").replace("\n", " ")


_STATUS = re.compile(r"[\"']?statusCode[\"']?\s*:\s*[\"']?(\d{3})")


def mocked(body: bytes) -> IntegrationAnswer:
    """The answer of a mock: the status that the template set."""
    text = body.decode("utf-8", "replace")
    try:
        read = json.loads(text)
        status = read.get("statusCode") if isinstance(read, dict) else None
    except (ValueError, RecursionError):
        # AWS takes names and texts without quotes, too.
        found = _STATUS.search(text)
        status = found[1] if found else None
    try:
        return IntegrationAnswer(status_of(status or ""))
    except ValueError:
        raise internal("the request template of the mock set no statusCode") from None
