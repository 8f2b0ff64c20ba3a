"""How tasks fail whose service refused the call, in the words of AWS's SDKs."""

from __future__ import annotations

from uuid import uuid4

from trunkline.aws.stepfunctions.shapes import pascal
from trunkline.machines.task import Report, failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.invoker import InvocationFailed
    from trunkline.aws.stepfunctions.service_models import Service

_OPTIMISED = {
    "sqs": ("SQS", "AmazonSQS"),
    "sns": ("SNS", "AmazonSNS"),
    "events": ("EventBridge", "AmazonCloudWatchEvents"),
    "states": ("StepFunctions", "AWSStepFunctions"),
    "dynamodb": ("DynamoDB", "AmazonDynamoDBv2"),
    "lambda": ("Lambda", "AWSLambda"),
}
"""How errors name a service: in their own names, and in the cause."""

_SDK_NAMES = {"sfn": "Sfn", "dynamodb": "DynamoDb", "eventbridge": "EventBridge"}
_GENERIC = {"dynamodb": "AmazonDynamoDBException"}


def _exception(code: str) -> str:
    return code if code.endswith("Exception") else f"{code}Exception"


def optimised_failure(service: str, model: Service, error: Any) -> Report:
    """The failure of an optimised integration (SDK v1)."""
    code, message, status, request = _parts(error)
    name, long_name = _OPTIMISED.get(service, (pascal(service), pascal(service)))
    exception = _GENERIC.get(service, f"{long_name}Exception")
    if code in model.error_names:
        exception = _exception(code)
    cause = (
        f"{message} (Service: {long_name}; Status Code: {status}; Error Code: {code}; "
        f"Request ID: {request}; Proxy: null)"
    )
    return failed(f"{name}.{exception}", cause)


def sdk_failure(service: str, model: Service, error: Any) -> Report:
    """The failure of an ``aws-sdk:`` integration (SDK v2)."""
    code, message, status, request = _parts(error)
    short = service.rpartition(":")[2]
    name = _SDK_NAMES.get(short, pascal(short))
    exception = _exception(code) if code in model.error_names else f"{name}Exception"
    extended = ", Extended Request ID: " + "x" * 76 if short == "s3" else ""
    cause = f"{message} (Service: {name}, Status Code: {status}, Request ID: {request}{extended})"
    if short == "sfn":
        cause += " (SDK Attempt Count: 1)"
    return failed(f"{name}.{exception}", cause)


def _parts(error: InvocationFailed) -> tuple[str, str, int, str]:
    return error.code, error.message, error.status, str(uuid4())


def unknown_service(service: str, model: str, is_sdk: bool) -> Report:
    """The failure of a task whose service is not served."""
    from trunkline.aws.calls import SERVED

    served = ", ".join(sorted(SERVED))
    way = "aws-sdk integration" if is_sdk else "integration"
    text = f"The {way} {service} needs {model}, which is not served here. Served: {served}."
    return failed("States.Runtime", text)
