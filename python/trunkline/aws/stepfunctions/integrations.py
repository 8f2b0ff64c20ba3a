"""Tasks that call services: optimised integrations, and those of ``aws-sdk:``."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from uuid import NAMESPACE_OID, uuid4, uuid5

from trunkline._dataclasses import dataclass
from trunkline.aws.calls import SERVED
from trunkline.aws.invoker import InvocationFailed
from trunkline.aws.stepfunctions import api_calls, http_calls, lambda_calls, nested, s3_calls
from trunkline.aws.stepfunctions.failures import optimised_failure, sdk_failure, unknown_service
from trunkline.aws.stepfunctions.names import Arn, arn_of
from trunkline.aws.stepfunctions.service_models import service_model
from trunkline.aws.stepfunctions.shapes import as_input, as_output, pascal
from trunkline.aws.stepfunctions.telling import execution_arn, is_execution
from trunkline.machines.task import Report, failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.stepfunctions.service_models import Operation
    from trunkline.machines.runtime import Runtime
    from trunkline.machines.task import Task

_SDK = "aws-sdk"
_SDK_NAMES = {
    "sfn": "stepfunctions",
    "eventbridge": "events",
    "cloudwatchlogs": "logs",
    "cloudwatch": "cloudwatch",
}
"""The names of services in ``aws-sdk:`` integrations that are not those of their models."""

_OPTIMISED = {
    ("sqs", "sendMessage"): "SendMessage",
    ("sns", "publish"): "Publish",
    ("events", "putEvents"): "PutEvents",
    ("states", "startExecution"): "StartExecution",
    ("lambda", "invoke"): "Invoke",
    ("dynamodb", "getItem"): "GetItem",
    ("dynamodb", "putItem"): "PutItem",
    ("dynamodb", "updateItem"): "UpdateItem",
    ("dynamodb", "deleteItem"): "DeleteItem",
}

_CONTENT_TYPES = {"json": "application/x-amz-json-1.0", "query": "text/xml"}


@dataclass(frozen=True, slots=True)
class ServiceCall:
    """The resource of a task, taken apart."""

    service: str
    """As the definition names it: ``sqs``, or ``aws-sdk:s3``."""
    action: str
    suffix: str
    """``sync``, ``sync:2``, ``waitForTaskToken`` or nothing."""

    @property
    def is_sdk(self) -> bool:
        """Whether it names an operation of any service."""
        return self.service.startswith(f"{_SDK}:")

    @property
    def model(self) -> str:
        """The name of the service's model."""
        name = self.service.removeprefix(f"{_SDK}:")
        if self.is_sdk:
            return _SDK_NAMES.get(name, name)
        return {"states": "stepfunctions"}.get(name, name)

    @property
    def operation(self) -> str | None:
        """The operation in the model; None for an action that no integration has."""
        if self.is_sdk:
            return pascal(self.action)
        return _OPTIMISED.get((self.service, self.action))

    @classmethod
    def parse(cls, resource: str) -> ServiceCall:
        """The parts of an ARN.

        >>> ServiceCall.parse("arn:aws:states:::aws-sdk:sfn:sendTaskSuccess").operation
        'SendTaskSuccess'
        """
        rest = resource.partition(":states:::")[2]
        suffix = ""
        for known in ("sync:2", "sync", "waitForTaskToken"):
            if rest.endswith(f".{known}"):
                rest, suffix = rest.removesuffix(f".{known}"), known
                break
        service, _, action = rest.rpartition(":")
        return cls(service, action, suffix)


def call(runtime: Runtime, task: Task) -> Report:
    """Makes the call of a task. A failure is one of the task, never an exception."""
    made = ServiceCall.parse(task.resource)
    if made.service == "http":
        return http_calls.invoke(runtime, task)
    if made.service == "apigateway":
        return api_calls.call(runtime, task)
    if made.service == "lambda":
        return lambda_calls.invoke(runtime, task, made.suffix)
    if made.model not in SERVED:
        return unknown_service(made.service, made.model, made.is_sdk)
    shapes = service_model(made.model).operation(made.operation)
    if shapes is None:
        text = f"The service {made.service} has no integration for {made.action}."
        return failed("States.Runtime", text)
    if made.model == "s3":
        return s3_calls.invoke(runtime, task, made.action, shapes.service)
    params = as_input(shapes.input_shape, json.loads(task.input))
    if made.service == "events":
        _name_sources(runtime, task, params)
    if made.service == "states" and made.suffix:
        return _start_nested(runtime, task, made, params)
    return _send(runtime, task, made, shapes, params)


def _name_sources(runtime: Runtime, task: Task, params: dict[str, Any]) -> None:
    """Has events say which state machine and which execution put them, as on AWS."""
    owner = task.owner
    machine = arn_of(owner.account, owner.region, "stateMachine", owner.machine)
    sources = [machine]
    found = runtime.machines.find(owner.machine_name)
    # Executions in memory have other ARNs, which a task does not know.
    if found is not None and is_execution(found, owner.execution):
        sources.append(execution_arn(Arn.parse(machine), owner.execution))
    for entry in params.get("Entries", ()):
        entry["Resources"] = [*entry.get("Resources", ()), *sources]


def _send(
    runtime: Runtime, task: Task, made: ServiceCall, shapes: Operation, params: Any
) -> Report:
    owner = {"account": task.account, "region": task.owner.region}
    refused = sdk_failure if made.is_sdk else optimised_failure
    try:
        answer = runtime.clients.invoke(made.model, shapes.name, params, **owner)
    except InvocationFailed as error:
        return refused(made.service, shapes.service, error)
    except TypeError as error:
        return failed(f"{made.service.upper()}.SdkClientException", str(error))
    output = as_output(shapes.output_shape, answer)
    if made.service == "events" and output.get("FailedEntryCount"):
        return failed("EventBridge.FailedEntry", _text(output))
    if not made.is_sdk and made.service != "events":
        plain = {name: answer[name] for name in answer}
        output |= metadata_of(str(uuid4()), made.model, plain)
    kind = "submitted" if made.suffix else "succeeded"
    return Report(kind, _text(output))


def metadata_of(request_id: str, model: str, answer: dict[str, Any]) -> dict[str, Any]:
    """The metadata of an answer, as optimised integrations of SDK v1 show them."""
    protocol = service_model(model).protocol
    body = _body(protocol, answer)
    headers = {
        "connection": "keep-alive",
        "Content-Length": str(len(body)),
        "Content-Type": _CONTENT_TYPES.get(protocol, "application/json"),
        "Date": datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT"),
        "x-amzn-RequestId": request_id,
    }
    return {
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in headers.items()},
            "HttpHeaders": headers,
            "HttpStatusCode": 200,
        },
        "SdkResponseMetadata": {"RequestId": request_id},
    }


def _body(protocol: str, answer: dict[str, Any]) -> str:
    """An answer in about the length in which AWS's service writes it.

    >>> _body("json", {"startDate": 1718025633.581})
    '{"startDate":1.718025633581E9}'
    """
    if protocol != "query":
        text = json.dumps(answer, separators=(",", ":"), default=str)
        return re.sub(r"(?<=Date\":)(\d)(\d{9})\.(\d+)", r"\1.\2\3E9", text)
    members = "".join(f"    <{name}>{value}</{name}>\n" for name, value in answer.items())
    return (
        '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">\n'
        f"  <PublishResult>\n{members}  </PublishResult>\n"
        f"  <ResponseMetadata>\n    <RequestId>{uuid4()}</RequestId>\n  </ResponseMetadata>\n"
        "</PublishResponse>\n"
    )


def _start_nested(runtime: Runtime, task: Task, made: ServiceCall, params: Any) -> Report:
    """Starts an execution whose end is reported to this task."""
    from trunkline.aws.errors import ServiceError
    from trunkline.aws.stepfunctions import starting
    from trunkline.aws.store import Store

    name, given = params.get("name"), params.get("input") or "{}"
    # The same task may be carried out again after a crash: its token names the child.
    own = str(uuid5(NAMESPACE_OID, task.token))
    waits = made.suffix != "waitForTaskToken"
    parent = nested.parent_of(task.token, made.suffix) if waits else None
    try:
        arn = params.get("stateMachineArn", "")
        started = starting.start(runtime, Store(runtime.core), arn, name or own, given, parent)
    except ServiceError as error:
        if error.code == "ExecutionAlreadyExists" and not name:
            # It has ended meanwhile; its end is on its way to this task.
            return Report("heartbeat")
        text = (
            f"{error.message} (Service: AWSStepFunctions; Status Code: 400; "
            f"Error Code: {error.code}; Request ID: {uuid4()}; Proxy: null)"
        )
        return failed(f"StepFunctions.{_exception(error.code)}", text)
    if started.has_ended:
        return nested.outcome_of(runtime, Arn.parse(started.arn), made.suffix)
    output: dict[str, Any] = {"ExecutionArn": started.arn}
    from trunkline.aws.stepfunctions.shapes import iso

    output["StartDate"] = iso(started.at)
    answer = {"executionArn": started.arn, "startDate": started.at}
    output |= metadata_of(str(uuid4()), "stepfunctions", answer)
    return Report("submitted", _text(output))


def _exception(code: str) -> str:
    return code if code.endswith("Exception") else f"{code}Exception"


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
