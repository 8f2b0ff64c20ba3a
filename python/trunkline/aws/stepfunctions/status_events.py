"""Changes of the status of executions, as events on the default bus of their account."""

from __future__ import annotations

import json

from trunkline.aws.service_events import emit_service_event
from trunkline.aws.stepfunctions.names import Arn, arn_of
from trunkline.aws.stepfunctions.telling import described, listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline._core import Execution, Machine

DETAIL_TYPE = "Step Functions Execution Status Change"

_MEMBERS = (
    "executionArn",
    "stateMachineArn",
    "name",
    "status",
    "startDate",
    "stopDate",
    "input",
    "output",
    "stateMachineVersionArn",
    "stateMachineAliasArn",
    "redriveCount",
    "redriveDate",
    "redriveStatus",
    "redriveStatusReason",
    "inputDetails",
    "outputDetails",
    "error",
    "cause",
)


def is_watched(core: CoreEngine, owner: tuple[str, str]) -> bool:
    """Whether there is a default bus, hence a rule that could match."""
    return core.bus((*owner, "default"), False) is not None


def emit(core: CoreEngine, machine: Machine, name: str) -> None:
    """Emits that an execution has ended."""
    arn = _machine_arn(machine.name)
    execution = machine.status(name)
    _emit(core, arn, described(arn, machine, execution))


def emit_started(core: CoreEngine, arn: Arn, execution: Execution, input: str) -> None:
    """Emits that an execution has started."""
    told = listed(arn, execution) | {"status": "RUNNING", "input": input}
    told.pop("stopDate", None)
    told |= {"redriveStatus": "NOT_REDRIVABLE", "inputDetails": {"included": True}}
    told["redriveStatusReason"] = "Execution is RUNNING and cannot be redriven"
    _emit(core, arn, told)


def _machine_arn(name: tuple[str, str, str]) -> Arn:
    account, region, short = name
    return Arn.parse(arn_of(account, region, "stateMachine", short))


def _emit(core: CoreEngine, arn: Arn, told: dict[str, Any]) -> None:
    detail: dict[str, Any] = {member: told.get(member) for member in _MEMBERS}
    for member in ("startDate", "stopDate", "redriveDate"):
        # Milliseconds since the epoch, as AWS writes them in events.
        if detail[member] is not None:
            detail[member] = round(detail[member] * 1_000)
    for member in ("inputDetails", "outputDetails"):
        detail[member] = json.loads(json.dumps(detail[member]))
    resources = [told["executionArn"]]
    emit_service_event(
        core, (arn.account, arn.region), "aws.states", DETAIL_TYPE, detail, resources
    )
