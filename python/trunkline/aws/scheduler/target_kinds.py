"""What a target's resource name means: which operation an occurrence runs, with which input."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from trunkline.aws.calls import SERVED, Request
from trunkline.aws.json_text import read_object
from trunkline.aws.models import read_model
from trunkline.aws.scheduler.errors import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_UNIVERSAL = re.compile(r"arn:aws[a-z-]*:scheduler:::aws-sdk:([a-z0-9-]+):([A-Za-z0-9]+)")
_ARN = re.compile(r"arn:aws[a-z-]*:([a-z0-9-]+):([a-z0-9-]*):(\d{12})?:(.+)", re.DOTALL)

# The names of services in universal targets that are not those of their models.
_MODELS = {"eventbridge": "events", "sfn": "stepfunctions", "cloudwatchlogs": "logs"}
# Universal targets that only read are refused, as AWS refuses them.
_READS = re.compile(
    "get|describe|list|poll|receive|search|scan|query|select|read|lookup|discover|validate"
    "|batchGet|batchDescribe|batchRead|transactGet|adminGet|adminList|testMigration|retrieve"
    "|testConnection|translateDocument|isAuthorized|isVpcPeered|invokeModel"
)


@dataclass(frozen=True, slots=True)
class Target:
    """A resource name, taken apart."""

    arn: str
    service: str
    """The name of the service's model."""
    region: str
    account: str
    resource: str
    action: str | None = None
    """The operation of a universal target."""


def parse(arn: str) -> Target:
    """The parts of a target's resource name; raises for one that no schedule may have."""
    universal = _UNIVERSAL.fullmatch(arn)
    if universal is not None:
        service, action = _MODELS.get(universal[1], universal[1]), universal[2]
        return Target(arn, service, "", "", "", action[:1].upper() + action[1:])
    parts = _ARN.fullmatch(arn)
    if parts is None or parts[1] not in _TEMPLATES:
        raise invalid("Provided Arn is not in correct format.")
    return Target(arn, parts[1], parts[2], parts[3] or "", parts[4])


def check(definition: Mapping[str, Any]) -> None:
    """Raises for a target that can never run: AWS refuses it when the schedule is made."""
    target = parse(definition["Arn"])
    if target.action is not None:
        _check_universal(target, definition.get("Input"))
        return
    needed = {"events": "EventBridgeParameters", "kinesis": "KinesisParameters"}.get(target.service)
    if needed is not None and needed not in definition:
        raise invalid(f"{needed} is required for target {target.arn}.")
    is_fifo = target.service == "sqs" and target.resource.endswith(".fifo")
    if is_fifo and "MessageGroupId" not in definition.get("SqsParameters", {}):
        raise invalid("SqsParameters.MessageGroupId is required for a FIFO queue.")
    if target.service == "events" and read_object(definition.get("Input", "{}")) is None:
        raise invalid("Input of an event bus target must be a JSON object, the detail.")


def _check_universal(target: Target, given: str | None) -> None:
    action = target.action or ""
    written = target.arn.rpartition(":")[2]
    if target.service not in SERVED:
        served = ", ".join(sorted(SERVED))
        raise invalid(f"{target.service} is not a supported service for a target. Served: {served}")
    if _READS.match(written) or action not in _operations_of(target.service):
        raise invalid(f"{written} is not a supported api for {target.service}.")
    if read_object(given or "{}") is None:
        raise invalid("Invalid RequestJson provided. Reason: Input must be a JSON object.")


def _operations_of(service: str) -> frozenset[str]:
    return frozenset(json.loads(read_model(service))["operations"])


def request(
    definition: Mapping[str, Any], payload: str, owner: tuple[str, str], schedule_arn: str
) -> Request:
    """The call that an occurrence makes: `payload` is the input, `owner` account and region."""
    target = parse(definition["Arn"])
    region = target.region or owner[1]
    if target.action is not None:
        params = read_object(payload)
        if params is None:
            raise invalid("Invalid RequestJson provided. Reason: Input must be a JSON object.")
        return Request(target.service, target.action, region, params)
    operation, params_of = _TEMPLATES[target.service]
    params = params_of(target, definition, payload)
    if target.service == "events":
        params["Entries"][0]["Resources"] = [schedule_arn]
    return Request(target.service, operation, region, params)


def _sqs(target: Target, definition: Mapping[str, Any], payload: str) -> dict[str, Any]:
    group = definition.get("SqsParameters", {}).get("MessageGroupId")
    url = f"http://trunkline.local/queue/{target.region}/{target.account}/{target.resource}"
    params = {"QueueUrl": url, "MessageBody": payload}
    return params if group is None else params | {"MessageGroupId": group}


def _sns(target: Target, definition: Mapping[str, Any], payload: str) -> dict[str, Any]:
    return {"TopicArn": target.arn, "Message": payload}


def _events(target: Target, definition: Mapping[str, Any], payload: str) -> dict[str, Any]:
    given = definition["EventBridgeParameters"]
    entry = {"EventBusName": target.arn, "Detail": payload}
    return {"Entries": [entry | {name: given[name] for name in ("DetailType", "Source")}]}


def _kinesis(target: Target, definition: Mapping[str, Any], payload: str) -> dict[str, Any]:
    key = definition["KinesisParameters"]["PartitionKey"]
    return {"StreamARN": target.arn, "PartitionKey": key, "Data": payload.encode()}


def _firehose(target: Target, definition: Mapping[str, Any], payload: str) -> dict[str, Any]:
    name = target.resource.rpartition("/")[2]
    return {"DeliveryStreamName": name, "Record": {"Data": payload.encode()}}


def _lambda(target: Target, definition: Mapping[str, Any], payload: str) -> dict[str, Any]:
    return {"FunctionName": target.arn, "InvocationType": "Event", "Payload": payload.encode()}


def _states(target: Target, definition: Mapping[str, Any], payload: str) -> dict[str, Any]:
    return {"stateMachineArn": target.arn, "input": payload}


_TEMPLATES: dict[str, tuple[str, Callable[..., dict[str, Any]]]] = {
    "sqs": ("SendMessage", _sqs),
    "sns": ("Publish", _sns),
    "events": ("PutEvents", _events),
    "kinesis": ("PutRecord", _kinesis),
    "firehose": ("PutRecord", _firehose),
    "lambda": ("Invoke", _lambda),
    "states": ("StartExecution", _states),
}
"""The templated targets. One of a service that is not served fails when it falls due."""
