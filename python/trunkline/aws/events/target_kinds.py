"""Which services a target may belong to, and what a resource name of each stands for here."""

from __future__ import annotations

from dataclasses import dataclass

from trunkline.aws.errors import ServiceError
from trunkline.aws.events.connection_store import destination_of, usable_connection
from trunkline.aws.events.errors import invalid, invalid_parameter
from trunkline.aws.events.names import existing_bus, read_arn
from trunkline.aws.events.requests import request_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from trunkline.aws.events.names import Arn
    from trunkline.aws.operation import Call


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the events of a target go: to a resource of the engine, or to a URL."""

    resource: int | None = None
    url: str | None = None
    method: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    """Headers beside those of every call."""
    unavailable: str | None = None
    """Why nothing can be sent: events go to the dead-letter queue when they are due."""
    key_path: str | None = None
    """For a stream: where in an event its partition key is."""


class Absent(ServiceError):
    """The resource of one target does not exist: that target alone is refused."""

    def __init__(self, what: str) -> None:
        super().__init__("ResourceNotFoundException", f"{what} does not exist.")


def resolve(call: Call, target: Mapping[str, Any]) -> Endpoint:
    """Where the events of a target go. Raises Absent for one whose resource does not exist."""
    arn = read_arn(target["Arn"])
    if arn is None:
        raise invalid_parameter("Arn", "Provided Arn is not in correct format.")
    kind = arn.service
    if kind == "events":
        kind = arn.resource.partition("/")[0]
    found = _KINDS.get(kind)
    if found is None:
        served = ", ".join(sorted(_KINDS))
        raise invalid_parameter(
            "Arn",
            f"Targets of {kind} are not served here, for target {target['Id']}. There are: "
            f"{served}.",
        )
    return found(call, arn, target)


def _queue(call: Call, arn: Arn, target: Mapping[str, Any]) -> Endpoint:
    queue = call.store.core.find_queue((*arn.owner, arn.resource))
    if queue is None:
        raise Absent(f"SQS queue {arn.resource}")
    group = (target.get("SqsParameters") or {}).get("MessageGroupId")
    if queue.settings.fifo and not group:
        raise invalid(f"Parameter(s) SqsParameters must be specified for target: {target['Id']}.")
    return Endpoint(resource=queue.id)


def _bus(call: Call, arn: Arn, target: Mapping[str, Any]) -> Endpoint:
    name = arn.resource.removeprefix("event-bus/")
    bus = existing_bus(call, (*arn.owner, name))
    if bus is None:
        raise Absent(f"Event bus {name}")
    return Endpoint(resource=bus.id)


def _topic(call: Call, arn: Arn, target: Mapping[str, Any]) -> Endpoint:
    topic = call.store.core.topic((*arn.owner, arn.resource), False, None, None)
    if topic is None:
        raise Absent(f"SNS topic {arn.resource}")
    return Endpoint(resource=topic.id)


def _stream(call: Call, arn: Arn, target: Mapping[str, Any]) -> Endpoint:
    name = arn.resource.removeprefix("stream/")
    stream = call.store.core.find_stream((*arn.owner, name))
    if stream is None:
        raise Absent(f"Kinesis stream {name}")
    return Endpoint(resource=stream.id)


def _api_destination(call: Call, arn: Arn, target: Mapping[str, Any]) -> Endpoint:
    destination = destination_of(call, target["Arn"])
    if destination is None:
        raise Absent(f"An api-destination '{arn.resource.removeprefix('api-destination/')}'")
    connection = usable_connection(call, destination)
    if isinstance(connection, str):
        return Endpoint(unavailable=connection)
    request = request_of(destination, connection, target)
    return Endpoint(url=request["url"], method=request["method"], headers=tuple(request["headers"]))


def _log_group(call: Call, arn: Arn, target: Mapping[str, Any]) -> Endpoint:
    from trunkline.aws.logs.storage import place_of

    name = arn.resource.removeprefix("log-group:").removesuffix(":*")
    stream = call.store.core.find_stream(place_of(*arn.owner, name))
    if stream is None:
        raise Absent(f"Log group {name}")
    return Endpoint(resource=stream.id, key_path="$.id")


_KINDS: dict[str, Callable[[Call, Arn, Mapping[str, Any]], Endpoint]] = {
    "sqs": _queue,
    "event-bus": _bus,
    "api-destination": _api_destination,
    "sns": _topic,
    "kinesis": _stream,
    "logs": _log_group,
}
"""How a resource name of each service is understood."""
