"""The request to an integration: parameters, templates and what becomes of the body."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import quote

from trunkline.aws.apigateway.front.integration import IntegrationRequest
from trunkline.aws.apigateway.front.refusing import Refusal, internal
from trunkline.aws.apigateway.front.sources import read_source
from trunkline.aws.vtl import InvalidBody, TemplateError, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.apigateway.front.exchange import Exchange

PROXIES = ("AWS_PROXY", "HTTP_PROXY")
STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.(\w+)\}")
_PLACEHOLDER = re.compile(r"\{([\w.:-]+)\+?\}")
# Of these the integration gets its own.
_NOT_SENT = frozenset(
    (
        "host",
        "content-length",
        "connection",
        "transfer-encoding",
        "expect",
        "keep-alive",
        "te",
        "trailer",
        "upgrade",
        "proxy-authorization",
        "x-api-key",
    )
)


def with_variables(exchange: Exchange, text: str) -> str:
    """A text with the stage variables that it names."""
    return STAGE_VARIABLE.sub(lambda found: exchange.variables.get(found[1], ""), text)


def request_of(exchange: Exchange) -> IntegrationRequest:
    """The request to the integration of the method."""
    integration = exchange.integration
    is_proxy = integration["type"] in PROXIES
    headers: dict[str, str] = {}
    query: dict[str, list[str]] = {}
    if integration["type"] == "HTTP_PROXY":
        for name, values in exchange.request.all_headers.items():
            if name not in _NOT_SENT:
                headers[name] = ",".join(values)
        query = {name: list(values) for name, values in exchange.request.all_parameters.items()}
    body = _converted(exchange) if is_proxy else _mapped_body(exchange)
    path: dict[str, str] = {}
    for target, source in integration.get("requestParameters", {}).items():
        value = read_source(exchange, source)
        if value is None:
            continue
        place, name = target.removeprefix("integration.request.").split(".", 1)
        if place == "path":
            path[name] = value
        elif place == "querystring":
            query[name] = [value]
        elif place == "header":
            headers[name.lower()] = value
    if integration["type"] == "HTTP_PROXY":
        for name, value in exchange.parameters["path"].items():
            path.setdefault(name, value)
    _override(exchange, headers, query, path)
    return IntegrationRequest(
        method=_method(exchange),
        uri=_uri(exchange, path),
        headers=headers,
        query=query,
        body=body,
        timeout=integration["timeoutInMillis"] / 1_000,
    )


def _override(
    exchange: Exchange,
    headers: dict[str, str],
    query: dict[str, list[str]],
    path: dict[str, str],
) -> None:
    given = exchange.request_override
    headers |= {name.lower(): str(value) for name, value in given.get("header", {}).items()}
    query |= {name: [str(value)] for name, value in given.get("querystring", {}).items()}
    path |= {name: str(value) for name, value in given.get("path", {}).items()}


def _method(exchange: Exchange) -> str:
    method = exchange.integration.get("httpMethod", exchange.request.method)
    return exchange.request.method if method == "ANY" else str(method)


def _uri(exchange: Exchange, path: dict[str, str]) -> str:
    uri = with_variables(exchange, exchange.integration.get("uri", ""))

    def filled(found: re.Match[str]) -> str:
        value = path.get(found[1])
        return found[0] if value is None else quote(value, safe="/-_.~:@!$&'()*+,;=%")

    return _PLACEHOLDER.sub(filled, uri)


def _converted(exchange: Exchange) -> bytes:
    """The body as the integration wants it: as it came, in base64, or out of it."""
    body, handling = exchange.request.body, exchange.integration.get("contentHandling")
    if handling == "CONVERT_TO_TEXT" and exchange.is_binary:
        return base64.b64encode(body)
    if handling == "CONVERT_TO_BINARY" and not exchange.is_binary:
        try:
            return base64.b64decode(body, validate=True)
        except binascii.Error:
            raise internal("the body is not in base64") from None
    return body


def _mapped_body(exchange: Exchange) -> bytes:
    integration = exchange.integration
    templates = integration.get("requestTemplates", {})
    given = exchange.request.header("content-type") or "application/json"
    template = templates.get(given.partition(";")[0].strip())
    if template is None:
        template = templates.get("$default")
    if template is None:
        behavior = integration["passthroughBehavior"]
        if behavior == "NEVER" or (behavior == "WHEN_NO_TEMPLATES" and templates):
            raise Refusal("UNSUPPORTED_MEDIA_TYPE", "Unsupported Media Type")
        return _converted(exchange)
    return rendered(exchange, template, _converted(exchange).decode("utf-8", "replace")).encode()


def _named(parameters: dict[str, dict[str, str]], template: str) -> dict[str, dict[str, str]]:
    """The parameters, with headers named as the template does: HTTP does not tell their case."""
    headers = {}
    for name, value in parameters["header"].items():
        found = re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", template, re.IGNORECASE)
        headers[found[0] if found else name] = value
    return {**parameters, "header": headers}


def rendered(exchange: Exchange, template: str, body: str) -> str:
    """What a mapping template makes of a body; what it overrides is kept."""
    context: dict[str, Any] = {
        **exchange.context,
        "requestOverride": exchange.request_override,
        "responseOverride": exchange.response_override,
    }
    try:
        made = render(
            template,
            body=body,
            params=_named(exchange.parameters, template),
            context=context,
            stage_variables=exchange.variables,
        )
    except InvalidBody as error:
        raise Refusal("BAD_REQUEST_BODY", str(error)) from None
    except TemplateError as error:
        raise internal(f"the mapping template failed: {error}") from None
    exchange.request_override = made.request_override
    exchange.response_override = made.response_override
    return made.text
