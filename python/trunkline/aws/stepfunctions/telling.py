"""What is told of executions: statuses, and the events of their histories."""

from __future__ import annotations

import json

from trunkline.errors import NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Execution, Machine
    from trunkline.aws.stepfunctions.names import Arn

_DATA = {
    "input",
    "inputDetails",
    "output",
    "outputDetails",
    "parameters",
    "assignedVariables",
    "assignedVariablesDetails",
}
"""The members of the details of events that includeExecutionData leaves out. As on AWS, errors and
causes stay."""

_REDRIVABLE = ("FAILED", "ABORTED", "TIMED_OUT")


def event_of(text: str, with_data: bool = True) -> dict[str, Any]:
    """An event of a history from its JSON text."""
    event: dict[str, Any] = json.loads(text)
    if with_data:
        return event
    for name, details in event.items():
        if name.endswith("EventDetails"):
            event[name] = {key: value for key, value in details.items() if key not in _DATA}
    return event


def qualifiers(execution: Execution) -> dict[str, str]:
    """The version and the alias that were started, and the map run of a child execution."""
    kept = json.loads(execution.document or b"{}")
    names = {
        "version": "stateMachineVersionArn",
        "alias": "stateMachineAliasArn",
        "map_run": "mapRunArn",
    }
    return {names[name]: kept[name] for name in names if kept.get(name)}


def listed(arn: Arn, execution: Execution) -> dict[str, Any]:
    """An execution as a list shows it."""
    told = {
        "executionArn": execution_arn(arn, execution.name),
        "stateMachineArn": arn.unqualified,
        "name": execution.name,
        "status": execution.status,
        "startDate": execution.started / 1_000,
        "redriveCount": execution.redrives,
        **qualifiers(execution),
    }
    if execution.stopped is not None:
        told["stopDate"] = execution.stopped / 1_000
    if execution.redriven is not None:
        told["redriveDate"] = execution.redriven / 1_000
    return told


def execution_arn(arn: Arn, name: str) -> str:
    """The resource name of an execution of the state machine of `arn`."""
    from trunkline.aws.stepfunctions.names import arn_of

    return arn_of(arn.account, arn.region, "execution", arn.name, name)


def is_execution(machine: Machine, name: str) -> bool:
    """Whether the state machine has an execution of this name."""
    try:
        machine.status(name)
    except NotFound:
        return False
    return True


def without_content(told: dict[str, Any]) -> dict[str, Any]:
    """What METADATA_ONLY leaves of an execution: neither its input nor its output."""
    kept = {name: value for name, value in told.items() if name not in ("input", "output")}
    details = {name: {"included": False} for name in kept if name.endswith("putDetails")}
    return kept | details


def content(machine: Machine, execution: Execution) -> dict[str, Any]:
    """The input, and the output or the error and the cause."""
    told: dict[str, Any] = {}
    for text in machine.first_events(execution.name):
        began = event_of(text).get("executionStartedEventDetails")
        if began is not None:
            told["input"] = began.get("input", "{}")
            told["inputDetails"] = {"included": True}
    if execution.status == "RUNNING":
        return told
    for text in machine.history(execution.name, 1):
        event = event_of(text)
        details: dict[str, Any] = next(
            (event[key] for key in event if key.startswith("execution")), {}
        )
        if "output" in details:
            told["output"] = details["output"]
            told["outputDetails"] = {"included": True}
        told |= {name: details[name] for name in ("error", "cause") if name in details}
    return told


def described(arn: Arn, machine: Machine, execution: Execution) -> dict[str, Any]:
    """An execution as DescribeExecution tells it."""
    told = listed(arn, execution) | content(machine, execution)
    told["redriveStatus"] = "NOT_REDRIVABLE"
    if execution.status in _REDRIVABLE:
        told["redriveStatus"] = "REDRIVABLE"
        if "mapRunArn" in told:
            told["redriveStatus"] = "REDRIVABLE_BY_MAP_RUN"
    else:
        state = {"RUNNING": "RUNNING", "SUCCEEDED": "SUCCEEDED"}[execution.status]
        told["redriveStatusReason"] = f"Execution is {state} and cannot be redriven"
    return told
