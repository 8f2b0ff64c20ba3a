"""Histories in CloudWatch Logs, as the logging configuration of a state machine asks for them."""

from __future__ import annotations

import json
import logging

from trunkline.aws.calls import Failed, Request, send
from trunkline.aws.stepfunctions.names import arn_of
from trunkline.aws.stepfunctions.telling import event_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from trunkline._core import Machine
    from trunkline.machines.runtime import Runtime
    from trunkline.machines.task import Owner

_FATAL = ("ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut")
_ERROR_WORDS = ("Failed", "TimedOut", "Aborted")


def _is_logged(level: str, kind: str) -> bool:
    if level == "ALL":
        return True
    if level == "ERROR":
        return kind.endswith(_ERROR_WORDS) or kind == "FailStateEntered"
    return level == "FATAL" and kind in _FATAL


def write(runtime: Runtime, machine: Machine, owner: Owner, first: int, count: int) -> None:
    """Writes so many events of an execution from number `first` on."""
    execution = machine.status(owner.execution)
    kept = json.loads(machine.program(execution.program)[1])
    events = machine.history_page(owner.execution, first, count)
    arn = arn_of(owner.account, owner.region, "execution", owner.machine, owner.execution)
    machine_arn = arn_of(owner.account, owner.region, "stateMachine", owner.machine)
    write_events(runtime, {**kept, "arn": machine_arn}, arn, events, execution.redrives)


def write_events(
    runtime: Runtime,
    machine: dict[str, Any],
    execution_arn: str,
    texts: Sequence[str],
    redrives: int = 0,
) -> None:
    """Writes events, each a JSON text, to the log group that the state machine names."""
    configuration = machine["logging"]
    with_data = configuration["includeExecutionData"]
    lines = []
    for text in texts:
        event = event_of(text, with_data)
        if _is_logged(configuration["level"], event["type"]):
            lines.append(_line(event, execution_arn, redrives))
    if lines:
        _put(runtime, machine, lines)


def _line(event: dict[str, Any], execution_arn: str, redrives: int) -> dict[str, Any]:
    details: dict[str, Any] = next(
        (event[name] for name in event if name.endswith("EventDetails")), {}
    )
    at = str(round(event["timestamp"] * 1_000))
    told = {
        "id": str(event["id"]),
        "type": event["type"],
        "details": details,
        "previous_event_id": str(event["previousEventId"]),
        "event_timestamp": at,
        "execution_arn": execution_arn,
        "redrive_count": str(redrives),
    }
    return {"timestamp": int(at), "message": json.dumps(told, separators=(",", ":"))}


def _put(runtime: Runtime, machine: dict[str, Any], lines: list[dict[str, Any]]) -> None:
    arn = machine["logging"]["destinations"][0]["cloudWatchLogsLogGroup"]["logGroupArn"]
    _, _, _, region, account, _, group, *_ = arn.split(":")
    stream = f"states/{machine['arn'].rpartition(':stateMachine:')[2]}"
    names = {"logGroupName": group, "logStreamName": stream}
    try:
        try:
            _call(runtime, "CreateLogStream", region, account, names)
        except Failed as failed:
            if failed.code != "ResourceAlreadyExistsException":
                raise
        _call(runtime, "PutLogEvents", region, account, {**names, "logEvents": lines})
    except Failed as failed:
        # As on AWS, an execution does not fail because its log group has gone.
        text = "events of %s were not logged: %s"
        logging.getLogger("trunkline").warning(text, machine["arn"], failed)


def _call(
    runtime: Runtime, operation: str, region: str, account: str, params: dict[str, Any]
) -> None:
    send(runtime.clients, Request("logs", operation, region, params), account)
