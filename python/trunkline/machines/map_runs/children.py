"""Child executions of map runs: what is told of one that has ended."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from trunkline._dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Machine
    from trunkline.machines.memory import Ended

PARENT = "map/"
"""The start of what a child keeps of its map run, to tell it of its end."""


@dataclass(frozen=True, slots=True)
class Child:
    """A child execution that has ended."""

    arn: str
    machine_arn: str
    name: str
    status: str
    input: str
    """JSON text, as the output."""
    output: str | None
    error: str | None
    cause: str | None
    started: float
    stopped: float

    def described(self) -> dict[str, Any]:
        """As a result writer tells it."""
        told: dict[str, Any] = {
            "ExecutionArn": self.arn,
            "Input": self.input,
            "InputDetails": {"Included": True},
            "Name": self.name,
        }
        if self.output is not None:
            told |= {"Output": self.output, "OutputDetails": {"Included": True}}
        if self.error is not None:
            told["Error"] = self.error
        if self.cause is not None:
            told["Cause"] = self.cause
        is_good = self.status == "SUCCEEDED"
        told |= {"RedriveCount": 0, "RedriveStatus": "NOT_REDRIVABLE"}
        if is_good:
            told["RedriveStatusReason"] = "Execution is SUCCEEDED and cannot be redriven"
        return told | {
            "StartDate": _iso(self.started),
            "StateMachineArn": self.machine_arn,
            "Status": self.status,
            "StopDate": _iso(self.stopped),
        }


def _iso(at: float) -> str:
    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return moment.replace("+00:00", "Z")


def durable(machine: Machine, arns: tuple[str, str], name: str) -> Child | None:
    """A durable child, if it has ended."""
    execution = machine.status(name)
    if execution.status == "RUNNING":
        return None
    details = _details(machine.history(name, 1))
    first = _details(reversed(machine.first_events(name)))
    return Child(
        f"{arns[0]}:{name}",
        arns[1],
        name,
        execution.status,
        first.get("input", "{}"),
        details.get("output"),
        details.get("error"),
        details.get("cause"),
        execution.started / 1_000,
        (execution.stopped or execution.started) / 1_000,
    )


def _details(texts: Any) -> dict[str, Any]:
    for text in texts:
        event = json.loads(text)
        for key, details in event.items():
            if key.startswith("execution"):
                return dict(details)
    return {}


def in_memory(arns: tuple[str, str], name: str, input: str, ended: Ended) -> Child:
    """An express child that has ended."""
    return Child(
        f"{arns[0]}:{name}",
        arns[1],
        name,
        ended.status,
        input,
        ended.output,
        ended.error,
        ended.cause,
        ended.started,
        ended.stopped,
    )
