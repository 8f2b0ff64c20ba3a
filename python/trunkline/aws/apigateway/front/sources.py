"""What parameter mappings read: the request, the context, texts, an integration's answer."""

from __future__ import annotations

import json
import re
from urllib.parse import unquote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.apigateway.front.exchange import Exchange
    from trunkline.aws.apigateway.front.integration import IntegrationAnswer

_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def read_source(exchange: Exchange, source: str) -> str | None:
    """The value of a mapping's source in the request; None if there is none."""
    if source.startswith("'") and source.endswith("'"):
        return source[1:-1]
    if source.startswith("context."):
        return text(inside(exchange.context, source.removeprefix("context.")))
    if source.startswith("stageVariables."):
        return exchange.variables.get(source.removeprefix("stageVariables."))
    if source.startswith("method.request."):
        return _of_request(exchange, source.removeprefix("method.request."))
    return None


def _of_request(exchange: Exchange, source: str) -> str | None:
    place, _, name = source.partition(".")
    request = exchange.request
    match place:
        case "path":
            value = exchange.path_parameters.get(name)
            return None if value is None else unquote(value)
        case "querystring":
            return request.all_parameters.get(name, [None])[-1]
        case "multivaluequerystring":
            return _joined(request.all_parameters.get(name))
        case "header":
            return request.header(name)
        case "multivalueheader":
            return _joined(request.all_headers.get(name.lower()))
        case "body":
            return of_body(exchange.text_body, name)
    return None


def read_answer(exchange: Exchange, answer: IntegrationAnswer, source: str) -> str | None:
    """The value of a mapping's source, which may also lie in the integration's answer."""
    inside = source.removeprefix("integration.response.")
    if inside == source:
        return read_source(exchange, source)
    place, _, name = inside.partition(".")
    if place == "body":
        return of_body(answer.body.decode("utf-8", "replace"), name)
    values = [value for key, value in answer.headers if key.lower() == name.lower()]
    if not values:
        return None
    return _joined(values) if place == "multivalueheader" else values[-1]


def _joined(values: list[str] | None) -> str | None:
    return ",".join(values) if values else None


def of_body(body: str, path: str) -> str | None:
    """A part of a body of JSON; all of a body for an empty path."""
    if not path:
        return body
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return text(inside(read, path.removeprefix("JSONPath_EXPRESSION").removeprefix("$.")))


def inside(value: Any, path: str) -> Any:
    """What a path such as `a.b[0]` names in a value; None for nothing."""
    for index, name in _STEP.findall(path):
        try:
            value = value[int(index)] if index else value[name]
        except (LookupError, TypeError):
            return None
    return value


def text(value: Any) -> str | None:
    """A value as text: JSON for what is none."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"))
