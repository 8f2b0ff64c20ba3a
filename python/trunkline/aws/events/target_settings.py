"""Targets in the caller's words, as the engine takes them and as it tells of them."""

from __future__ import annotations

from trunkline._core import TargetSettings
from trunkline.aws.arns import Resource
from trunkline.aws.errors import ServiceError
from trunkline.aws.events import stored
from trunkline.aws.events.errors import invalid, invalid_parameter
from trunkline.aws.events.names import bus_arn, read_arn, write_arn
from trunkline.aws.targets.kind import Endpoint
from trunkline.aws.targets.table import OF_RULES
from trunkline.buses.targets import AGE_MS_MAX, LEASE_MS, RETRIES_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline._core import Bus
    from trunkline.aws.operation import Call

_INPUTS = ("Input", "InputPath", "InputTransformer")


def check(target: Mapping[str, Any]) -> None:
    """Raises for what makes the whole request invalid."""
    if sum(name in target for name in _INPUTS) > 1:
        raise invalid(
            "Only one of Input, InputPath, or InputTransformer must be provided for target "
            f"{target['Id']}."
        )
    if read_arn(target["Arn"]) is None:
        raise invalid_parameter("Arn", "Provided Arn is not in correct format.")


def _resolve(call: Call, target: Mapping[str, Any]) -> Endpoint:
    """Where the events of a target go. Raises Absent for one whose resource does not exist."""
    parts = read_arn(target["Arn"])
    if parts is None:
        raise invalid_parameter("Arn", "Provided Arn is not in correct format.")
    arn = Resource(target["Arn"], *parts)
    found = OF_RULES.get(arn.kind)
    if found is None:
        served = ", ".join(sorted(OF_RULES))
        raise invalid_parameter(
            "Arn",
            f"Targets of {arn.kind} are not served here, for target {target['Id']}. There are: "
            f"{served}.",
        )
    return Endpoint() if found.rule is None else found.rule(call, arn, target)


def resource_of(call: Call, arn: str) -> int | None:
    """The resource of the engine that a target of this name gets its events by, if there is one."""
    try:
        # A queue that keeps order wants to know its group.
        target = {"Id": "", "Arn": arn, "SqsParameters": {"MessageGroupId": "group"}}
        return _resolve(call, target).resource
    except ServiceError:
        return None


def settings(
    call: Call, target: Mapping[str, Any], endpoint: Endpoint | None = None
) -> TargetSettings:
    """The target as the engine takes it; raises if it may not be one."""
    endpoint = endpoint or _resolve(call, target)
    transformer = target.get("InputTransformer") or {}
    retry = target.get("RetryPolicy") or {}
    seconds = retry.get("MaximumEventAgeInSeconds")
    paths = list(transformer.get("InputPathsMap", {}).items()) if transformer else None
    return TargetSettings(
        target["Id"],
        resource=endpoint.resource,
        **_http(endpoint),
        unavailable=endpoint.unavailable,
        lease=LEASE_MS,
        input=target.get("Input"),
        input_path=target.get("InputPath"),
        input_paths=paths,
        input_template=transformer.get("InputTemplate"),
        dead_letter=_dead_letter(call, target),
        retries_max=retry.get("MaximumRetryAttempts", RETRIES_MAX),
        age_max=AGE_MS_MAX if seconds is None else seconds * 1_000,
        group=(target.get("SqsParameters") or {}).get("MessageGroupId"),
        partition_key_path=(target.get("KinesisParameters") or {}).get(
            "PartitionKeyPath", endpoint.key_path
        ),
        address=target["Arn"],
        document=stored.write(b"", dict(target)),
    )


def _http(endpoint: Endpoint) -> dict[str, Any]:
    request = endpoint.request
    if request is None:
        return {}
    token = None
    if request.token is not None and endpoint.notices is not None:
        token = (request.token, endpoint.notices)
    return {
        "url": request.url,
        "method": request.method,
        "headers": request.headers,
        "parameters": request.parameters,
        "rate": request.rate,
        "token": token,
    }


def _dead_letter(call: Call, target: Mapping[str, Any]) -> int | None:
    text = (target.get("DeadLetterConfig") or {}).get("Arn")
    if not text:
        return None
    arn = read_arn(text)
    queue = None
    if arn is not None and arn.service == "sqs":
        queue = call.store.core.find_queue((*arn.owner, arn.resource))
    if queue is None:
        raise invalid_parameter(
            "DeadLetterConfig.Arn", f"It names no SQS queue that exists, for target {target['Id']}."
        )
    return queue.id


def described(call: Call, bus: Bus, plain: Mapping[str, Any]) -> dict[str, Any]:
    """A target in the caller's words, or in those that a caller would have for it."""
    given = stored.read(plain["document"])
    if given:
        return given
    template = plain["input_template"]
    found: dict[str, Any] = {
        "Id": plain["id"],
        "Arn": _arn_of(call, bus, plain),
        "Input": plain["input"],
        "InputPath": plain["input_path"],
    }
    if template is not None:
        paths = dict(plain["input_paths"] or ())
        found["InputTransformer"] = {"InputPathsMap": paths, "InputTemplate": template}
    if plain["group"] is not None:
        found["SqsParameters"] = {"MessageGroupId": plain["group"]}
    if plain["partition_key_path"] is not None:
        found["KinesisParameters"] = {"PartitionKeyPath": plain["partition_key_path"]}
    return found


def _arn_of(call: Call, bus: Bus, plain: Mapping[str, Any]) -> str:
    """The resource name of a target that was put in the process."""
    name = call.store.core.name_of(plain["resource"])
    if name is None or plain["outside"]:
        # A function or a URL has no resource name on AWS; this one says what it is.
        kind = "url" if str(plain["address"]).startswith("http") else "function"
        return write_arn(bus.account, bus.region, f"trunkline-{kind}/{plain['id']}")
    kind, account, region, short = name
    if kind == "bus":
        return write_arn(account, region, f"event-bus/{short}")
    services = {"queue": "sqs", "topic": "sns", "stream": "kinesis"}
    resource = f"stream/{short}" if kind == "stream" else short
    head = bus_arn(bus).split(":")[1]
    return f"arn:{head}:{services.get(kind, kind)}:{region}:{account}:{resource}"
