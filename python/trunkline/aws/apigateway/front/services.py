"""Calls of AWS services: the request goes to the one dispatcher of the engine, as a client's would.

A call by ``action`` gets what the protocol of the service needs: its target header, or its name in
the form. A call by ``path`` is sent as it is.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from urllib.parse import urlencode

from trunkline.aws.apigateway.front.functions import in_time
from trunkline.aws.apigateway.front.integration import IntegrationAnswer
from trunkline.aws.apigateway.front.refusing import internal
from trunkline.aws.services import SERVICES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.apigateway.front.integration import IntegrationRequest
    from trunkline.aws.execute_api.calling import Calling
    from trunkline.aws.services import Service

INTEGRATION_URI = re.compile(
    r"arn:[\w-]+:apigateway:([\w-]*):(?:[\w-]+\.)?([\w-]+):(path|action)/(.*)", re.DOTALL
)
_JSON_1_0 = frozenset(("AmazonSQS", "AWSStepFunctions"))
_ACTION = re.compile(r"(?:^|[?&])Action=(\w+)")
_WAITING = frozenset(
    (
        "GetActivityTask",
        "PollForActivityTask",
        "PollForDecisionTask",
        "ReceiveMessage",
        "StartSyncExecution",
        "SubscribeToShard",
    )
)
FORM = "application/x-www-form-urlencoded"


def _service(scope: str) -> Service:
    for service in SERVICES:
        if scope in service.scopes:
            return service
    raise internal(f"integrations with the service {scope!r} are not served here")


def call_service(exchange: Calling, request: IntegrationRequest) -> IntegrationAnswer:
    """What a service answers."""
    found = INTEGRATION_URI.fullmatch(request.uri)
    if found is None:
        raise internal(f"{request.uri} names no service")
    region, scope, kind, rest = found.groups()
    service = _service(scope)
    region = region or exchange.region
    headers = {name: value for name, value in request.headers.items() if name != "host"}
    query, body = dict(request.query), request.body
    path = f"/{rest}" if kind == "path" else "/"
    if kind == "action":
        body = _act(service, rest, headers, query, body)
    elif body:
        headers.setdefault("content-type", "application/json")
    target = path
    if query:
        pairs = [(name, value) for name, values in query.items() for value in values]
        target += "?" + urlencode(pairs)
    host = f"{scope}.{region}.amazonaws.com"
    signed = f"Credential={exchange.account}/20150830/{region}/{scope}/aws4_request"
    headers |= {
        "host": host,
        "x-amz-date": datetime.fromtimestamp(exchange.now, UTC).strftime("%Y%m%dT%H%M%SZ"),
        "authorization": f"AWS4-HMAC-SHA256 {signed}, SignedHeaders=host, Signature=0",
    }
    base = exchange.request.base
    call = exchange.apis.clients.dispatcher.call
    plain = (request.method, target, list(headers.items()), body, base)
    if _may_wait(scope, rest if kind == "action" else "", headers, target, body):
        status, lines, content = in_time(lambda: call(plain), request.timeout)
    else:
        # A thread of its own would cost more than the call.
        status, lines, content = call(plain)
    return IntegrationAnswer(status, *_as_json(headers, lines, content))


def _may_wait(scope: str, action: str, headers: dict[str, str], target: str, body: bytes) -> bool:
    """Whether a call may take as long as a time-out: it waits for something, or is not known."""
    if scope == "lambda":
        return True
    name = action or headers.get("x-amz-target", "").rpartition(".")[2]
    if not name:
        given = _ACTION.search(target) or _ACTION.search(body.decode("utf-8", "replace"))
        name = given[1] if given else ""
    return not name or name in _WAITING


def _act(
    service: Service,
    action: str,
    headers: dict[str, str],
    query: dict[str, list[str]],
    body: bytes,
) -> bytes:
    """Completes a call of an action; its body."""
    prefix = service.target_prefix
    is_form = headers.get("content-type", "").startswith(FORM)
    if prefix is not None and not is_form and (body or not query):
        headers.setdefault("x-amz-target", f"{prefix}.{action}")
        version = "1.0" if prefix in _JSON_1_0 else "1.1"
        if not headers.get("content-type", "").startswith("application/x-amz-json"):
            headers["content-type"] = f"application/x-amz-json-{version}"
        return body or b"{}"
    if is_form or query:
        given = {"Action": action, "Version": service.api_version or ""}
        extra = urlencode(
            {
                name: value
                for name, value in given.items()
                if value and not _names(body, query, name)
            }
        )
        headers["content-type"] = FORM
        pairs = [(name, value) for name, values in query.items() for value in values]
        query.clear()
        joined = [
            part for part in (body.decode("utf-8", "replace"), urlencode(pairs), extra) if part
        ]
        return "&".join(joined).encode()
    headers["content-type"] = FORM
    form = {"Action": action, "Version": service.api_version or ""}
    return urlencode(form).encode() + (b"&" + body if body else b"")


def _names(body: bytes, query: dict[str, list[str]], name: str) -> bool:
    return (
        name in query or re.search(rf"(?:^|&){name}=", body.decode("utf-8", "replace")) is not None
    )


def _as_json(
    headers: dict[str, str], lines: list[tuple[str, str]], content: bytes
) -> tuple[list[tuple[str, str]], bytes]:
    """An answer of the query protocol as the JSON that API Gateway asks services for."""
    content_type = next((value for name, value in lines if name == "content-type"), "")
    is_query = headers.get("content-type", "").startswith(FORM)
    wants_xml = "xml" in headers.get("accept", "")
    if wants_xml or not is_query or "xml" not in content_type:
        return lines, content
    try:
        root = ET.fromstring(content)
    except ET.ParseError:
        return lines, content
    others = [line for line in lines if line[0] != "content-type"]
    told = {_name(root): _value(root)}
    return [*others, ("content-type", "application/json")], json.dumps(told).encode()


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _value(element: ET.Element) -> Any:
    children = list(element)
    if not children:
        return element.text
    names = [_name(child) for child in children]
    if all(name in ("member", "entry") for name in names):
        return [_value(child) for child in children]
    return {name: _value(child) for name, child in zip(names, children, strict=True)}
