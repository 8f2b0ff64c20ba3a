"""Access logs: one event for each request, in the format of the stage."""

from __future__ import annotations

import re

from trunkline.aws.invoker import InvocationFailed
from trunkline.aws.limits import LOG_STREAM_CHARS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.apigatewayv2.exchange import Exchange
    from trunkline.aws.execute_api.message import ApiResponse

_VARIABLE = re.compile(r"\$context\.([A-Za-z0-9_.-]*[A-Za-z0-9_])")
_GROUP = re.compile(r"arn:[\w-]+:logs:([\w-]+):(\d{12}):log-group:([^:]+)(?::\*)?")


def rendered(format: str, context: dict[str, Any]) -> str:
    """The line of a request; `-` stands for what it does not have.

    >>> rendered("$context.stage $context.error.message", {"stage": "dev"})
    'dev -'
    """

    def read(found: re.Match[str]) -> str:
        value: Any = context
        for name in found[1].split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return "-" if value is None else str(value)

    return _VARIABLE.sub(read, format)


def write(exchange: Exchange, response: ApiResponse) -> None:
    """Adds a request to the access log of its stage. A log that is not there changes no answer."""
    settings = exchange.stage.get("AccessLogSettings")
    group = _GROUP.fullmatch(settings["DestinationArn"]) if settings else None
    if not settings or group is None:
        return
    context = exchange.context()
    context |= {"status": response.status, "responseLength": len(response.body)}
    region, account, name = group.groups()
    where = {"account": account, "region": region}
    stream = {
        "logGroupName": name,
        "logStreamName": f"{exchange.request.api}-{exchange.stage_name}"[:LOG_STREAM_CHARS],
    }
    line = {
        "timestamp": int(exchange.now * 1000),
        "message": rendered(settings["Format"], context),
    }
    clients = exchange.apis.clients
    entries = {**stream, "logEvents": [line]}
    try:
        try:
            clients.invoke("logs", "PutLogEvents", entries, **where)
        except InvocationFailed as error:
            if error.name != "ResourceNotFoundException":
                return
            clients.invoke("logs", "CreateLogStream", stream, **where)
            clients.invoke("logs", "PutLogEvents", entries, **where)
    except InvocationFailed:
        return
