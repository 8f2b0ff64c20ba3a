"""What a pipe may be: its source, enrichment and target, with AWS's defaults."""

from __future__ import annotations

from trunkline.aws.arns import partition
from trunkline.aws.limits import PIPE_BATCH_DEFAULT, PIPE_FILTERS_MAX, PIPE_STREAM_BATCH_DEFAULT
from trunkline.aws.pipes import resources, templates
from trunkline.aws.pipes.errors import invalid
from trunkline.aws.pipes.filters import Filters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.aws.pipes.documents import PipeName

MEMBERS = {
    "description": "Description",
    "source": "Source",
    "source_parameters": "SourceParameters",
    "enrichment": "Enrichment",
    "enrichment_parameters": "EnrichmentParameters",
    "target": "Target",
    "target_parameters": "TargetParameters",
    "role_arn": "RoleArn",
    "log_configuration": "LogConfiguration",
    "kms_key_identifier": "KmsKeyIdentifier",
}
"""The members of a definition, by the arguments of the operations."""

_SOURCE_PARAMETERS = {"sqs": "SqsQueueParameters", "kinesis": "KinesisStreamParameters"}
_LETTERS = ("sqs", "sns")
_FIXED = ("StartingPosition", "StartingPositionTimestamp")


def members_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The members that were given; an enrichment that is empty is none."""
    return {MEMBERS[name]: value for name, value in given.items() if value != ""}


def updated(earlier: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A definition after an update: what is given replaces a member as a whole.

    Where a stream's reading began cannot be given again, so it is kept.
    """
    made = {**earlier, **members_of(given)}
    if given.get("enrichment") == "":
        made.pop("Enrichment", None)
    old = earlier["SourceParameters"].get("KinesisStreamParameters")
    if old is not None and "source_parameters" in given:
        new = made["SourceParameters"].get("KinesisStreamParameters", {})
        kept = {name: old[name] for name in _FIXED if name in old}
        made["SourceParameters"] = {
            **made["SourceParameters"],
            "KinesisStreamParameters": {**new, **kept},
        }
    return made


def checked(name: PipeName, definition: Mapping[str, Any]) -> dict[str, Any]:
    """A definition with AWS's defaults; raises for what may not be, or is not served."""
    source, parameters = _source(name, definition)
    resources.check_target(name, definition)
    enrichment = definition.get("Enrichment")
    if enrichment is not None:
        resources.check_enrichment(enrichment)
    elif definition.get("EnrichmentParameters"):
        raise invalid("EnrichmentParameters are for pipes that have an Enrichment.")
    for member in ("EnrichmentParameters", "TargetParameters"):
        template = definition.get(member, {}).get("InputTemplate")
        problem = None if template is None else templates.problem_of(template)
        if problem is not None:
            raise invalid(f"{member}.InputTemplate is invalid: {problem}.")
    if definition.get("LogConfiguration", {}).get("Level", "OFF") != "OFF":
        raise invalid("LogConfiguration: logs of pipes are not served here; use the Level OFF.")
    if "KmsKeyIdentifier" in definition:
        raise invalid("KmsKeyIdentifier: keys of KMS are not served here; leave it out.")
    given = {
        member: value
        for member, value in definition.get("SourceParameters", {}).items()
        if member == "FilterCriteria"
    }
    return {**definition, "SourceParameters": {**given, _SOURCE_PARAMETERS[source]: parameters}}


def _source(name: PipeName, definition: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The service of the source, and its parameters."""
    resource = resources.read(definition["Source"])
    given = definition.get("SourceParameters", {})
    if resource is None or resource.service not in _SOURCE_PARAMETERS:
        kind = definition["Source"] if resource is None else resource.service
        served = ", ".join(sorted(_SOURCE_PARAMETERS))
        raise invalid(f"Sources of {kind} are not served here. There are: {served}.")
    if (resource.account, resource.region) != (name.account, name.region):
        raise invalid(
            f"Source must be of the pipe's account and region, arn:{partition(name.region)}:"
            f"{resource.service}:{name.region}:{name.account}."
        )
    wanted = _SOURCE_PARAMETERS[resource.service]
    other = next((one for one in given if one not in ("FilterCriteria", wanted)), None)
    if other is not None:
        raise invalid(f"SourceParameters.{other} is not for a source of {resource.service}.")
    criteria = given.get("FilterCriteria", {})
    if len(criteria.get("Filters", ())) > PIPE_FILTERS_MAX:
        raise invalid(f"FilterCriteria has at most {PIPE_FILTERS_MAX} filters.")
    Filters(criteria)
    parameters = dict(given.get(wanted, {}))
    if resource.service == "kinesis" and "StartingPosition" not in parameters:
        raise invalid("KinesisStreamParameters.StartingPosition is required.")
    letters = resources.read(parameters.get("DeadLetterConfig", {}).get("Arn", ""))
    if "DeadLetterConfig" in parameters and (letters is None or letters.service not in _LETTERS):
        raise invalid("DeadLetterConfig.Arn must be of an SQS queue or an SNS topic.")
    return resource.service, _batching(resource.service, parameters)


def _batching(service: str, parameters: dict[str, Any]) -> dict[str, Any]:
    default = PIPE_BATCH_DEFAULT if service == "sqs" else PIPE_STREAM_BATCH_DEFAULT
    parameters.setdefault("BatchSize", default)
    window = parameters.setdefault("MaximumBatchingWindowInSeconds", 0)
    if service == "sqs" and parameters["BatchSize"] > PIPE_BATCH_DEFAULT and not window:
        raise invalid(
            "MaximumBatchingWindowInSeconds must be greater than 0 if the BatchSize of a queue is "
            f"greater than {PIPE_BATCH_DEFAULT}."
        )
    return parameters
