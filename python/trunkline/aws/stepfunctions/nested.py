"""Executions that other executions wait for: ``states:startExecution.sync`` and ``.sync:2``."""

from __future__ import annotations

import json

from trunkline.aws.stepfunctions.names import Arn, arn_of
from trunkline.aws.stepfunctions.shapes import iso, pascal
from trunkline.aws.stepfunctions.telling import described
from trunkline.machines.task import Report, failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Machine
    from trunkline.machines.runtime import Runtime
    from trunkline.machines.task import Owner

SYNC, SYNC_2 = "sync", "sync:2"

_MEMBERS = (
    "executionArn",
    "input",
    "inputDetails",
    "name",
    "output",
    "outputDetails",
    "startDate",
    "stateMachineArn",
    "status",
    "stopDate",
    "error",
    "cause",
    "redriveCount",
    "redriveStatus",
    "redriveStatusReason",
)


def parent_of(token: str, suffix: str) -> str:
    """What a child keeps of the task that waits for it."""
    return f"{suffix}/{token}"


def ended(runtime: Runtime, machine: Machine, owner: Owner, parent: str) -> None:
    """Reports the end of a child to the tasks that wait for it."""
    text = arn_of(owner.account, owner.region, "stateMachine", owner.machine)
    told = described(Arn.parse(text), machine, machine.status(owner.execution))
    # An execution that was started several times under its name has several parents.
    for one in parent.splitlines():
        suffix, _, token = one.partition("/")
        # A child that ends at once is faster than the report that it was submitted.
        runtime.until_called(token)
        runtime.report(token, report_of(told, suffix))


def outcome_of(runtime: Runtime, arn: Arn, suffix: str) -> Report:
    """What a task is told of an execution that has ended before it could be told."""
    machine = runtime.machines.machine((arn.account, arn.region, arn.name))
    told = described(arn, machine, machine.status(arn.qualifier or ""))
    return report_of(told, suffix)


def report_of(told: dict[str, Any], suffix: str) -> Report:
    """What the waiting task is told of a child that has ended."""
    shown: dict[str, Any] = {}
    for member in _MEMBERS:
        if member not in told:
            continue
        value = told[member]
        if member in ("startDate", "stopDate"):
            value = iso(value)
        elif member in ("input", "output") and suffix == SYNC_2:
            value = json.loads(value)
        elif isinstance(value, dict):
            value = {pascal(name): inner for name, inner in value.items()}
        shown[pascal(member)] = value
    text = json.dumps(shown, separators=(",", ":"))
    if told["status"] == "SUCCEEDED":
        return Report("succeeded", text)
    return failed("States.TaskFailed", text)
