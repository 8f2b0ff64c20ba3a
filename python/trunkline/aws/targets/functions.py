"""Lambda functions as targets and as enrichments."""

from __future__ import annotations

from trunkline.aws.calls import Failed
from trunkline.aws.targets.kind import Endpoint, Invocation, PipeTarget, TargetKind, Template
from trunkline.functions.registry import destination_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.arns import Resource
    from trunkline.aws.operation import Call
    from trunkline.aws.targets.kind import Definition, Sender


def _endpoint(call: Call, arn: Resource, target: Definition) -> Endpoint:
    # A version or an alias is called by the operation; so is what does not exist, which fails.
    return Endpoint(resource=destination_id(call.store.core, arn.arn, qualified=False))


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
    told = answer["Payload"].decode("utf-8", "replace") if waits else ""
    if "FunctionError" in answer:
        raise Failed("FunctionError", told, is_final=False)
    return told


FUNCTION = TargetKind(
    "lambda",
    rule=_endpoint,
    template=Template("lambda", "Invoke", _params),
    pipe=PipeTarget(Invocation(_invoke), "LambdaFunctionParameters"),
)
