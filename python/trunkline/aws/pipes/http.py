"""Calls of API destinations by pipes, which need the answer."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from trunkline.aws.calls import Failed
from trunkline.aws.errors import ServiceError
from trunkline.aws.events.connection_store import destination_of, usable_connection
from trunkline.aws.events.requests import request_of
from trunkline.aws.limits import PIPE_HTTP_SECONDS
from trunkline.aws.operation import Call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.aws.pipes.documents import PipeName
    from trunkline.aws.store import Store


def call_destination(
    store: Store, pipe: PipeName, arn: str, parameters: Mapping[str, Any], body: str
) -> str:
    """The body of the answer of an API destination; raises Failed for all but a success."""
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
    except ServiceError as error:
        raise Failed(error.code, error.message, is_final=True) from None
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Amazon/EventBridge/ApiDestinations",
        **dict(request["headers"]),
    }
    url = urlsplit(request["url"])
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
    client = kind(url.hostname or "", url.port, timeout=PIPE_HTTP_SECONDS)
    try:
        client.request(request["method"], path, body.encode(), headers)
        answer = client.getresponse()
        content = answer.read()
    except (OSError, HTTPException) as error:
        raise Failed("HttpError", str(error) or type(error).__name__, is_final=False) from None
    finally:
        client.close()
    if answer.status // 100 != 2:
        text = f"The API destination answered with the status {answer.status}."
        raise Failed("HttpError", text, is_final=False)
    return content.decode("utf-8", "replace")
