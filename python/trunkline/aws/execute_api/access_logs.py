"""Access logs: a line for each request, in the log group that a stage names."""

from __future__ import annotations

import re

from trunkline.aws.invoker import InvocationFailed
from trunkline.aws.limits import LOG_STREAM_CHARS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.execute_api.kinds import Apis

_VARIABLE = re.compile(r"\$context\.([A-Za-z0-9_.-]*[A-Za-z0-9_])")
_GROUP = re.compile(r"arn:[\w-]+:logs:([\w-]+):(\d{12}):log-group:([^:*]+)(?::\*)?")


def rendered(format: str, context: dict[str, Any]) -> str:
    """The line of a request; `-` stands for what it does not have.

    >>> rendered("$context.stage $context.error.message", {"stage": "dev"})
    'dev -'
    """

    def read(found: re.Match[str]) -> str:
        value: Any = context
        for name in found[1].split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return "-" if value is None else str(value).replace("\r", " ").replace("\n", " ")

    return _VARIABLE.sub(read, format)


def is_group(destination: str) -> bool:
    """Whether a destination is a log group."""
    return _GROUP.fullmatch(destination) is not None


def write(apis: Apis, destination: str, stream: str, line: str, now: float) -> None:
    """Writes a line; a log that cannot be written holds no request up."""
    group = _GROUP.fullmatch(destination)
    if group is None:
        return
    region, account, name = group.groups()
    where = {"account": account, "region": region}
    named = {"logGroupName": name, "logStreamName": stream[:LOG_STREAM_CHARS]}
    event = {"timestamp": int(now * 1_000), "message": line}
    for _ in range(2):
        try:
            apis.clients.invoke("logs", "PutLogEvents", {**named, "logEvents": [event]}, **where)
            return
        except InvocationFailed as error:
            if error.code != "ResourceNotFoundException":
                return
        try:
            apis.clients.invoke("logs", "CreateLogStream", named, **where)
        except InvocationFailed:
            return
