"""The first-class integrations of HTTP APIs with services."""

from __future__ import annotations

import base64
import binascii
import json

from trunkline._dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Parameters = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Subtype:
    """One operation that a route may call."""

    service: str
    operation: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ("Region",)
    build: Callable[[Parameters], Parameters] = dict
    """The input of the operation."""


_NUMBERS = ("DelaySeconds", "MaxNumberOfMessages", "VisibilityTimeout", "WaitTimeSeconds")
_JSON = ("MessageAttributes", "MessageSystemAttributes", "AttributeNames", "MessageAttributeNames")


def _of_queue(given: Parameters) -> Parameters:
    """Parameters of queues: numbers, and JSON for what is a list or a map."""
    built: Parameters = {}
    for name, value in given.items():
        if name in _NUMBERS:
            built[name] = int(value)
        elif name in _JSON:
            built[name] = json.loads(value) if isinstance(value, str) else value
        else:
            built[name] = value
    return built


def _of_bus(given: Parameters) -> Parameters:
    entry = dict(given)
    if "Resources" in entry and isinstance(entry["Resources"], str):
        entry["Resources"] = json.loads(entry["Resources"])
    return {"Entries": [entry]}


def _of_stream(given: Parameters) -> Parameters:
    """`Data` is base64, as in the service's own protocol; other text is taken as it is."""
    data = given["Data"]
    try:
        content = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        content = data.encode()
    return {**given, "Data": content}


def _of_execution(given: Parameters) -> Parameters:
    built = {
        {"StateMachineArn": "stateMachineArn", "ExecutionArn": "executionArn"}.get(
            name, name[0].lower() + name[1:]
        ): value
        for name, value in given.items()
    }
    if "input" in built and not isinstance(built["input"], str):
        built["input"] = json.dumps(built["input"])
    return built


_REGION = ("Region",)
SUBTYPES = {
    "EventBridge-PutEvents": Subtype(
        "events",
        "PutEvents",
        ("Detail", "DetailType", "Source"),
        ("Time", "EventBusName", "Resources", "TraceHeader", *_REGION),
        _of_bus,
    ),
    "SQS-SendMessage": Subtype(
        "sqs",
        "SendMessage",
        ("QueueUrl", "MessageBody"),
        (
            "DelaySeconds",
            "MessageAttributes",
            "MessageDeduplicationId",
            "MessageGroupId",
            "MessageSystemAttributes",
            *_REGION,
        ),
        _of_queue,
    ),
    "SQS-ReceiveMessage": Subtype(
        "sqs",
        "ReceiveMessage",
        ("QueueUrl",),
        (
            "AttributeNames",
            "MaxNumberOfMessages",
            "MessageAttributeNames",
            "ReceiveRequestAttemptId",
            "VisibilityTimeout",
            "WaitTimeSeconds",
            *_REGION,
        ),
        _of_queue,
    ),
    "SQS-DeleteMessage": Subtype("sqs", "DeleteMessage", ("QueueUrl", "ReceiptHandle")),
    "SQS-PurgeQueue": Subtype("sqs", "PurgeQueue", ("QueueUrl",)),
    "Kinesis-PutRecord": Subtype(
        "kinesis",
        "PutRecord",
        ("StreamName", "Data", "PartitionKey"),
        ("SequenceNumberForOrdering", "ExplicitHashKey", *_REGION),
        _of_stream,
    ),
    "StepFunctions-StartExecution": Subtype(
        "stepfunctions", "StartExecution", ("StateMachineArn",), ("Name", "Input", *_REGION),
        _of_execution,
    ),
    "StepFunctions-StartSyncExecution": Subtype(
        "stepfunctions",
        "StartSyncExecution",
        ("StateMachineArn",),
        ("Name", "Input", "TraceHeader", *_REGION),
        _of_execution,
    ),
    "StepFunctions-StopExecution": Subtype(
        "stepfunctions", "StopExecution", ("ExecutionArn",), ("Cause", "Error", *_REGION),
        _of_execution,
    ),
}  # fmt: skip
"""By the names that AWS gives them. AppConfig is not served, so its subtype is refused."""
