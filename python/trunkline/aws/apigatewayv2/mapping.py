"""Parameter mapping: what an integration gets of a request, and a client of an answer."""

from __future__ import annotations

import json
import re

from trunkline.aws.execute_api.message import ApiResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from trunkline.aws.apigatewayv2.exchange import Exchange
    from trunkline.aws.execute_api.message import Headers

    Read = Callable[[str], Any]

_VARIABLE = re.compile(
    r"\$\{(request|response|context|stageVariables)(\.[^}]*)?\}"
    r"|\$(request|response|context|stageVariables)((?:\.[A-Za-z0-9_-]+|\[[^\]]*\])*)"
)


def _nested(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _selected(body: bytes, path: str) -> Any:
    """What a JSONPath names in a body; None for nothing, and in a body that is not JSON."""
    from trunkline import _core

    text = body.decode("utf-8", "replace")
    if not path:
        return text
    try:
        found = _core.WireDocument(text).select(f"${path}")
    except ValueError:
        return None
    return None if found is None else json.loads(found)


def _of_request(exchange: Exchange, path: str) -> Any:
    request = exchange.request
    place, _, name = path.removeprefix(".").partition(".")
    if place == "header":
        return _joined(request.all_headers.get(name.lower()))
    if place == "querystring":
        return _joined(request.all_parameters.get(name))
    if place == "path":
        return exchange.variables.get(name) if name else exchange.raw_path
    if place.partition("[")[0] == "body":
        return _selected(request.body, path.removeprefix(".body"))
    if place == "method":
        return request.method
    return None


def _joined(values: list[str] | None) -> str | None:
    return None if not values else ",".join(values)


def _of_response(response: ApiResponse, path: str) -> Any:
    place, _, name = path.removeprefix(".").partition(".")
    if place == "header":
        return _joined([value for key, value in response.headers if key.lower() == name.lower()])
    if place.partition("[")[0] == "body":
        return _selected(response.body, path.removeprefix(".body"))
    return str(response.status) if place == "statuscode" else None


def parts(source: str) -> list[str | tuple[str, str]]:
    """What a source of a mapping consists of: texts, and variables by their kind and path.

    >>> parts("a${request.header.x}b")
    ['a', ('request', '.header.x'), 'b']
    """
    found: list[str | tuple[str, str]] = []
    at = 0
    for variable in _VARIABLE.finditer(source):
        if variable.start() > at:
            found.append(source[at : variable.start()])
        found.append((variable[1] or variable[3], variable[2] or variable[4] or ""))
        at = variable.end()
    if at < len(source):
        found.append(source[at:])
    return found


def value(exchange: Exchange, source: Any, response: ApiResponse | None = None) -> Any:
    """What a source of a mapping stands for: a variable, or text with `${variables}` in it.

    A source that is one variable keeps the type of its value; None when it names nothing.
    """
    if not isinstance(source, str):
        return source

    def read(kind: str, path: str) -> Any:
        if kind == "request":
            return _of_request(exchange, path)
        if kind == "response":
            return None if response is None else _of_response(response, path)
        values = exchange.context() if kind == "context" else exchange.stage_variables()
        return _nested(values, path.removeprefix("."))

    found = parts(source)
    if len(found) == 1 and not isinstance(found[0], str):
        return read(*found[0])
    return "".join(one if isinstance(one, str) else as_text(read(*one)) or "" for one in found)


def as_text(value: Any) -> str | None:
    """A value as text: JSON for what is none."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _changed(lines: Headers, action: str, name: str, text: str | None) -> Headers:
    kept = [(key, one) for key, one in lines if key.lower() != name.lower()]
    if action == "remove":
        return kept
    if text is None:
        return lines
    return [*(lines if action == "append" else kept), (name, text)]


def map_request(
    exchange: Exchange, headers: Headers, query: Headers
) -> tuple[Headers, Headers, str | None]:
    """Header lines and parameters of the integration's request, and its path if that is mapped."""
    path: str | None = None
    for key, source in (exchange.integration.get("RequestParameters") or {}).items():
        action, _, target = key.partition(":")
        place, _, name = target.partition(".")
        text = None if action == "remove" else as_text(value(exchange, source))
        if place == "header":
            headers = _changed(headers, action, name, text)
        elif place == "querystring":
            query = _changed(query, action, name, text)
        elif place == "path" and text is not None:
            path = text
    return headers, query, path


def map_response(exchange: Exchange, response: ApiResponse) -> ApiResponse:
    """The answer as the mapping for its status says."""
    mappings = (exchange.integration.get("ResponseParameters") or {}).get(str(response.status))
    status, headers = response.status, list(response.headers)
    for key, source in (mappings or {}).items():
        action, _, target = key.partition(":")
        text = None if action == "remove" else as_text(value(exchange, source, response))
        if target == "statuscode":
            if text is not None and re.fullmatch(r"[1-5]\d\d", text):
                status = int(text)
        else:
            headers = _changed(headers, action, target.partition(".")[2], text)
    return ApiResponse(status, headers, response.body)
