"""Tasks that call HTTP APIs through ``http:invoke``, with a connection of EventBridge.

What the connection adds wins over what the definition asks for, as with API destinations.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from urllib.parse import urlencode

from trunkline.aws.events.connection_store import find_named
from trunkline.aws.events.oauth import NoToken
from trunkline.aws.events.requests import added_by
from trunkline.aws.events.tokens import OAUTH, token_of
from trunkline.aws.limits import STATES_HTTP_TASK_MS, STATES_PAYLOAD_BYTES_MAX
from trunkline.aws.operation import Call
from trunkline.aws.store import Store
from trunkline.errors import TrunklineError
from trunkline.machines.task import Report, failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from trunkline.machines.runtime import Runtime
    from trunkline.machines.task import Task

    Pairs = list[tuple[str, str]]

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD")

_FORM = "application/x-www-form-urlencoded"


class Unusable(Exception):
    """The parameters of a task that make no request."""


def invoke(runtime: Runtime, task: Task) -> Report:
    """Makes the request of a task."""
    params = json.loads(task.input)
    store = Store(runtime.core)
    call = Call(store, task.owner.account, task.owner.region, None, "", "")
    try:
        connection = _connection(call, params)
        added = added_by(connection)
        headers, body = _content(params, added)
        if connection["AuthorizationType"] == OAUTH:
            headers["authorization"] = token_of(store, connection)
        url = _url(params, added["query"])
        method = text_in(params, "Method").upper()
        if method not in METHODS:
            raise Unusable(f"The field 'Method' has to be one of {', '.join(METHODS)}.")
        status, lines, content = runtime.core.outbox().exchange(
            url,
            method=method,
            headers=list(headers.items()),
            body=body,
            timeout=STATES_HTTP_TASK_MS,
            response_bytes_max=STATES_PAYLOAD_BYTES_MAX,
        )
    except (Unusable, TrunklineError) as error:
        return failed("States.Runtime", str(error))
    except NoToken as error:
        return failed("Events.ConnectionResource.ConcurrentModification", str(error))
    if status is None:
        return failed("States.Http.Socket", content.decode("utf-8", "replace"))
    text = content.decode("utf-8", "replace")
    if status // 100 != 2:
        return failed(f"States.Http.StatusCode.{status}", text)
    return Report("succeeded", output_of(status, lines, text))


def _connection(call: Call, params: Mapping[str, Any]) -> dict[str, Any]:
    own = params.get("InvocationConfig") or params.get("Authentication") or {}
    arn = own.get("ConnectionArn")
    if not isinstance(arn, str):
        raise Unusable("The field 'ConnectionArn' is required: name a connection of EventBridge.")
    found = find_named(call, "connection", arn, "ConnectionArn")
    if found is None:
        raise Unusable(f"The connection {arn} does not exist.")
    if found.get("SecretsRemoved"):
        raise Unusable(f"The connection {arn} is deauthorized.")
    return found


def text_in(params: Mapping[str, Any], name: str) -> str:
    """A parameter that has to be a text."""
    value = params.get(name)
    if not isinstance(value, str) or not value:
        raise Unusable(f"The field '{name}' is required and has to be a string.")
    return value


def _url(params: Mapping[str, Any], added: Mapping[str, str]) -> str:
    url, given = text_in(params, "ApiEndpoint"), params.get("QueryParameters") or {}
    query = [pair for pair in flat(given, "REPEAT") if pair[0] not in added]
    query += added.items()
    return url + ("&" if "?" in url else "?") + urlencode(query) if query else url


def _content(
    params: Mapping[str, Any], added: Mapping[str, Mapping[str, str]]
) -> tuple[dict[str, str], bytes]:
    """Header and body."""
    given = params.get("Headers") or {}
    headers = {str(name).lower(): _value(value) for name, value in given.items()}
    headers |= {name.lower(): value for name, value in added["header"].items()}
    body = params.get("RequestBody")
    if added["body"]:
        if body is not None and not isinstance(body, dict):
            raise Unusable("The connection adds to the field 'RequestBody', which is no object.")
        body = {**(body or {}), **added["body"]}
    if body is None:
        return headers, b""
    transform = params.get("Transform") or {}
    if transform.get("RequestBodyEncoding") == "URL_ENCODED":
        if not isinstance(body, dict):
            raise Unusable("The field 'RequestBody' has to be an object to be URL encoded.")
        options = transform.get("RequestEncodingOptions") or {}
        headers.setdefault("content-type", _FORM)
        return headers, urlencode(list(flat(body, options.get("ArrayFormat", "INDICES")))).encode()
    headers.setdefault("content-type", "application/json")
    if isinstance(body, str) and "json" not in headers["content-type"]:
        return headers, body.encode()
    return headers, json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def _value(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ",".join(_value(one) for one in value)
    return json.dumps(value, separators=(",", ":"))


def flat(given: Mapping[str, Any], arrays: str, before: str = "") -> Iterator[tuple[str, str]]:
    """The parameters of an object, whose lists are written as `arrays` says.

    >>> list(flat({"a": [1, 2], "b": {"c": "d"}}, "INDICES"))
    [('a[0]', '1'), ('a[1]', '2'), ('b[c]', 'd')]
    >>> list(flat({"a": [1, 2]}, "COMMAS")), list(flat({"a": [1, 2]}, "REPEAT"))
    ([('a', '1,2')], [('a', '1'), ('a', '2')])
    """
    for key, value in given.items():
        name = f"{before}[{key}]" if before else str(key)
        if isinstance(value, dict):
            yield from flat(value, arrays, name)
        elif not isinstance(value, list) or arrays == "COMMAS":
            yield name, _value(value)
        else:
            for number, one in enumerate(value):
                place = {"INDICES": f"[{number}]", "BRACKETS": "[]"}.get(arrays, "")
                yield name + place, _value(one)


def output_of(status: int, lines: Pairs, text: str) -> str:
    """An answer as the result of a task."""
    headers: dict[str, list[str]] = {}
    for name, value in lines:
        headers.setdefault(name, []).append(value)
    body: Any = text
    if any("json" in value.lower() for value in headers.get("content-type", ())):
        try:
            body = json.loads(text)
        except ValueError:
            body = text
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    told = {
        "Headers": headers,
        "ResponseBody": body,
        "StatusCode": status,
        "StatusText": phrase,
    }
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False)
