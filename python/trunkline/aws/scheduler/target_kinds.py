"""What a target's resource name means: which operation an occurrence runs, with which input."""

from __future__ import annotations

import json
import re

from trunkline._dataclasses import dataclass
from trunkline.aws.arns import Resource, read_resource
from trunkline.aws.calls import SERVED, Request
from trunkline.aws.json_text import read_object
from trunkline.aws.models import read_model
from trunkline.aws.scheduler.errors import invalid
from trunkline.aws.targets.table import TARGETS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.aws.targets.kind import Template

_UNIVERSAL = re.compile(r"arn:aws[a-z-]*:scheduler:::aws-sdk:([a-z0-9-]+):([A-Za-z0-9]+)")

# The names of services in universal targets that are not those of their models.
_MODELS = {"eventbridge": "events", "sfn": "stepfunctions", "cloudwatchlogs": "logs"}
# Universal targets that only read are refused, as AWS refuses them.
_READS = re.compile(
    "get|describe|list|poll|receive|search|scan|query|select|read|lookup|discover|validate"
    "|batchGet|batchDescribe|batchRead|transactGet|adminGet|adminList|testMigration|retrieve"
    "|testConnection|translateDocument|isAuthorized|isVpcPeered|invokeModel"
)


@dataclass(frozen=True, slots=True)
class Universal:
    """The target that is any operation of a service."""

    arn: str
    service: str
    """The name of the service's model."""
    action: str


def parse(arn: str) -> Universal | Resource:
    """The parts of a target's resource name; raises for one that no schedule may have."""
    universal = _UNIVERSAL.fullmatch(arn)
    if universal is not None:
        service, action = _MODELS.get(universal[1], universal[1]), universal[2]
        return Universal(arn, service, action[:1].upper() + action[1:])
    parts = read_resource(arn)
    if parts is None or _template_of(parts) is None:
        raise invalid("Provided Arn is not in correct format.")
    return parts


def _template_of(target: Resource) -> Template | None:
    kind = TARGETS.get(target.kind)
    return None if kind is None else kind.template


def takes_detail(target: Universal | Resource) -> bool:
    """Whether its input is the detail of an event or a request, and no text of any form."""
    return isinstance(target, Universal) or target.service == "events"


def check(definition: Mapping[str, Any]) -> None:
    """Raises for a target that can never run: AWS refuses it when the schedule is made."""
    target = parse(definition["Arn"])
    if isinstance(target, Universal):
        _check_universal(target, definition.get("Input"))
        return
    template = _template_of(target)
    needed = None if template is None else template.needs(target)
    if needed is not None:
        member, _, inner = needed.partition(".")
        given = definition.get(member)
        if given is None or (inner and inner not in given):
            raise invalid(f"{needed} is required for target {target.arn}.")
    if target.service == "events" and read_object(definition.get("Input", "{}")) is None:
        raise invalid("Input of an event bus target must be a JSON object, the detail.")


def _check_universal(target: Universal, given: str | None) -> None:
    written = target.arn.rpartition(":")[2]
    if target.service not in SERVED:
        served = ", ".join(sorted(SERVED))
        raise invalid(f"{target.service} is not a supported service for a target. Served: {served}")
    if _READS.match(written) or target.action not in _operations_of(target.service):
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
    if isinstance(target, Universal):
        params = read_object(payload)
        if params is None:
            raise invalid("Invalid RequestJson provided. Reason: Input must be a JSON object.")
        return Request(target.service, target.action, owner[1], params)
    template = _template_of(target)
    assert template is not None, "parse looked for it"
    params = template.params(target, definition, payload)
    if target.service == "events":
        params["Entries"][0]["Resources"] = [schedule_arn]
    return Request(template.service, template.operation, target.region or owner[1], params)
