"""Calls of API destinations by pipes, which need the answer."""

from __future__ import annotations

import json

from trunkline.aws.calls import Failed
from trunkline.aws.errors import ServiceError
from trunkline.aws.events.connection_store import destination_of, usable_connection
from trunkline.aws.events.oauth import NoToken
from trunkline.aws.events.requests import request_of, with_path, with_query
from trunkline.aws.events.tokens import token_of
from trunkline.aws.json_text import read_object
from trunkline.aws.limits import API_DESTINATION_MS, PIPE_ANSWER_BYTES_MAX
from trunkline.aws.operation import Call
from trunkline.aws.pipes.paths import MISSING, find
from trunkline.errors import TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.aws.events.requests import HttpRequest
    from trunkline.aws.pipes.documents import PipeName
    from trunkline.aws.store import Store

_UNAUTHORIZED = (401, 407)


def call_destination(
    store: Store, pipe: PipeName, arn: str, parameters: Mapping[str, Any], sent: tuple[Any, str]
) -> str:
    """The body of the answer of an API destination; raises Failed for all but a success.

    `sent` is the record that gives values to parameters, the first of its batch, and the body.
    """
    call = Call(store, pipe.account, pipe.region, None, "", "")
    target = {"Id": pipe.name, "Arn": arn, "HttpParameters": parameters}
    destination = destination_of(call, arn)
    if destination is None:
        text = f"API destination {arn} does not exist."
        raise Failed("NotFoundException", text, is_final=True)
    try:
        connection = usable_connection(call, destination)
        if isinstance(connection, str):
            raise Failed("ConnectionNotAuthorized", connection, is_final=False)
        request = request_of(destination, connection, target)
        token = None if request.token is None else token_of(store, connection)
    except ServiceError as error:
        raise Failed(error.code, error.message, is_final=True) from None
    except NoToken as refused:
        raise Failed("ConnectionNotAuthorized", str(refused), is_final=False) from None
    url, headers, body = _filled(request, *sent)
    if token is not None:
        headers["authorization"] = token
    try:
        status, content = store.core.outbox().request(
            url,
            method=request.method,
            headers=list(headers.items()),
            body=body.encode(),
            timeout=API_DESTINATION_MS,
            response_bytes_max=PIPE_ANSWER_BYTES_MAX,
        )
    except TrunklineError as error:
        raise Failed("HttpError", str(error), is_final=True) from None
    if status in _UNAUTHORIZED and request.token is not None:
        store.core.outbox().forget_token(request.token)
    text = content.decode("utf-8", "replace")
    if status is None:
        raise Failed("HttpError", text, is_final=False)
    if status // 100 != 2:
        text = f"The API destination answered with the status {status}."
        raise Failed("HttpError", text, is_final=False)
    return text


def _filled(request: HttpRequest, record: Any, body: str) -> tuple[str, dict[str, str], str]:
    """URL, header lines and body with the values that a record gives."""
    headers = {
        "content-type": "application/json; charset=utf-8",
        "user-agent": "Amazon/EventBridge/ApiDestinations",
        **{name.lower(): value for name, value in request.headers},
    }
    path, query, members = [], {}, {}
    for place, name, value, is_path in request.parameters:
        found = find(value, record) if is_path else value
        is_absent = found is MISSING or found is None
        text = found if is_absent or isinstance(found, str) else _json(found)
        if place == "path":
            path.append("" if is_absent else text)
        elif is_absent:
            continue
        elif place == "query":
            query[name] = text
        elif place == "header":
            headers[name.lower()] = text
        else:
            members[name] = text
    if members:
        whole = read_object(body)
        body = body if whole is None else _json(whole | members)
    return with_query(with_path(request.url, path), query), headers, body


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
