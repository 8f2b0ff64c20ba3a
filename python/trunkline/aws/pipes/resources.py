"""Which resources a pipe may send to, by their names."""

from __future__ import annotations

import re
from dataclasses import dataclass

from trunkline.aws.pipes.errors import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.aws.pipes.documents import PipeName

_ARN = re.compile(r"arn:aws[a-z-]*:([a-z0-9-]+):([a-z0-9-]*):(\d{12}):(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource name, taken apart."""

    arn: str
    service: str
    region: str
    account: str
    resource: str

    @property
    def kind(self) -> str:
        """What targets are told apart by: the service; of EventBridge, what of it is meant."""
        return self.resource.partition("/")[0] if self.service == "events" else self.service

    @property
    def name(self) -> str:
        """The last part of the name: of a queue, a topic, a stream."""
        return self.resource.rpartition("/")[2]


def read(arn: str) -> Resource | None:
    """The parts of a resource name; None for a text that is none."""
    parts = _ARN.fullmatch(arn)
    return None if parts is None else Resource(arn, parts[1], parts[2], parts[3], parts[4])


def known(arn: str) -> Resource:
    """The parts of a resource name that was checked."""
    found = read(arn)
    if found is None:
        raise invalid("Provided Arn is not in correct format.")
    return found


# What each kind of target takes of TargetParameters, beside InputTemplate.
_TARGETS = {
    "sqs": "SqsQueueParameters",
    "sns": None,
    "kinesis": "KinesisStreamParameters",
    "event-bus": "EventBridgeEventBusParameters",
    "logs": "CloudWatchLogsParameters",
    "api-destination": "HttpParameters",
}


def check_target(name: PipeName, definition: Mapping[str, Any]) -> None:
    """Raises for a target that is not served, or lacks what it needs."""
    target = known(definition["Target"])
    if target.kind not in _TARGETS:
        served = ", ".join(sorted(_TARGETS))
        raise invalid(f"Targets of {target.kind} are not served here. There are: {served}.")
    given = definition.get("TargetParameters", {})
    own = _TARGETS[target.kind]
    other = next((one for one in given if one not in ("InputTemplate", own)), None)
    if other is not None:
        raise invalid(f"TargetParameters.{other} is not for a target of {target.kind}.")
    if target.kind == "event-bus" and (target.account, target.region) != (
        name.account,
        name.region,
    ):
        raise invalid("An event bus must be of the pipe's account and region.")
    if target.kind == "sns" and target.name.endswith(".fifo"):
        raise invalid("FIFO topics are not supported as targets of pipes.")
    needed = None
    if target.kind == "sqs" and target.name.endswith(".fifo"):
        needed = "MessageGroupId"
    needed = {"kinesis": "PartitionKey", "logs": "LogStreamName"}.get(target.kind, needed)
    if needed is not None and needed not in given.get(own, {}):
        raise invalid(f"TargetParameters.{own}.{needed} is required for target {target.arn}.")


def check_enrichment(arn: str) -> None:
    """Raises for an enrichment that is not served."""
    enrichment = known(arn)
    if enrichment.kind != "api-destination":
        raise invalid(
            f"Enrichments of {enrichment.kind} are not served here. There are: api-destination."
        )
