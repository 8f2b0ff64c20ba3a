"""Access logs: a line for each request, in the log group that the stage names."""

from __future__ import annotations

import hashlib
import re
import time

from trunkline.aws.invoker import InvocationFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.apigateway.front.exchange import Exchange
    from trunkline.aws.execute_api.message import ApiResponse

_VARIABLE = re.compile(r"\$context\.([\w.-]+\w)")
_GROUP = re.compile(r"arn:[\w-]+:logs:([\w-]+):(\d{12}):log-group:([^:*]+)(?::\*)?")


def log_access(exchange: Exchange, response: ApiResponse) -> None:
    """Writes the line of a request; a log that cannot be written holds no request up."""
    settings = exchange.stage.get("accessLogSettings") or {}
    named = _GROUP.fullmatch(settings.get("destinationArn") or "")
    if named is None or not settings.get("format") or exchange.is_test:
        return
    context = {
        **exchange.context,
        "status": str(response.status),
        "responseLength": str(len(response.body)),
        "responseLatency": str(int((time.monotonic() - exchange.began) * 1_000)),
    }
    line = _VARIABLE.sub(lambda found: _of(context, found[1]), settings["format"])
    region, account, group = named.groups()
    stream = hashlib.md5(
        f"{exchange.request.api}/{exchange.stage['stageName']}".encode(), usedforsecurity=False
    ).hexdigest()
    _write(exchange, {"account": account, "region": region}, (group, stream), line)


def _of(context: dict[str, Any], path: str) -> str:
    value: Any = context
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return "-" if value is None else str(value).replace("\r", " ").replace("\n", " ")


def _write(exchange: Exchange, owner: dict[str, str], place: tuple[str, str], line: str) -> None:
    group, stream = place
    named = {"logGroupName": group, "logStreamName": stream}
    event = {"timestamp": int(exchange.now * 1_000), "message": line}
    clients = exchange.apis.clients
    for _ in range(2):
        try:
            clients.invoke("logs", "PutLogEvents", {**named, "logEvents": [event]}, **owner)
            return
        except InvocationFailed as error:
            if error.code != "ResourceNotFoundException":
                return
        try:
            clients.invoke("logs", "CreateLogStream", named, **owner)
        except InvocationFailed:
            return
