"""Lambda functions as targets and as enrichments."""

from __future__ import annotations

from trunkline.aws.calls import Failed
from trunkline.aws.targets.kind import Invocation, PipeTarget, TargetKind, Template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.arns import Resource
    from trunkline.aws.targets.kind import Definition, Sender


def _params(function: Resource, target: Definition, text: str) -> dict[str, Any]:
    return {"FunctionName": function.arn, "InvocationType": "Event", "Payload": text.encode()}


def _invoke(sender: Sender, body: str) -> str:
    waits = sender.own.get("InvocationType", "REQUEST_RESPONSE") == "REQUEST_RESPONSE"
    answer = sender.call(
        "lambda",
        "Invoke",
        FunctionName=sender.resource.arn,
        InvocationType="RequestResponse" if waits else "Event",
        Payload=body.encode(),
    )
    told = answer["Payload"].read().decode("utf-8", "replace") if waits else ""
    if "FunctionError" in answer:
        raise Failed("FunctionError", told, is_final=False)
    return told


FUNCTION = TargetKind(
    "lambda",
    template=Template("lambda", "Invoke", _params),
    pipe=PipeTarget(Invocation(_invoke), "LambdaFunctionParameters"),
)
