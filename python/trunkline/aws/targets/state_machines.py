"""State machines of Step Functions as targets and as enrichments."""

from __future__ import annotations

from trunkline.aws.calls import Failed
from trunkline.aws.targets.kind import Invocation, PipeTarget, TargetKind, Template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.arns import Resource
    from trunkline.aws.targets.kind import Definition, Sender


def _params(machine: Resource, target: Definition, text: str) -> dict[str, Any]:
    return {"stateMachineArn": machine.arn, "input": text}


def _invoke(sender: Sender, body: str) -> str:
    params = {"stateMachineArn": sender.resource.arn, "input": body}
    if sender.own.get("InvocationType", "REQUEST_RESPONSE") == "FIRE_AND_FORGET":
        sender.call("stepfunctions", "StartExecution", **params)
        return ""
    answer = sender.call("stepfunctions", "StartSyncExecution", **params)
    if answer["status"] != "SUCCEEDED":
        text = f"{answer.get('error', answer['status'])}: {answer.get('cause', '')}"
        raise Failed("ExecutionFailed", text, is_final=False)
    return str(answer.get("output", ""))


STATE_MACHINE = TargetKind(
    "states",
    template=Template("stepfunctions", "StartExecution", _params),
    pipe=PipeTarget(Invocation(_invoke), "StepFunctionStateMachineParameters"),
)
