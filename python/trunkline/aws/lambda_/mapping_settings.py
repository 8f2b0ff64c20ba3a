"""What an event source mapping may be set to: defaults, ranges, and what belongs together."""

from __future__ import annotations

from trunkline.aws.errors import ServiceError
from trunkline.aws.lambda_.errors import invalid, unsupported
from trunkline.aws.lambda_.pollers.letters import bucket_of
from trunkline.aws.lambda_.running import target_of
from trunkline.aws.limits import (
    PIPE_BATCH_DEFAULT,
    PIPE_FILTERS_MAX,
    PIPE_STREAM_BATCH_DEFAULT,
)
from trunkline.aws.pipes.filters import Filters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.arns import Resource
    from trunkline.aws.operation import Call

MEMBERS = {
    "batch_size": "BatchSize",
    "filter_criteria": "FilterCriteria",
    "maximum_batching_window_in_seconds": "MaximumBatchingWindowInSeconds",
    "parallelization_factor": "ParallelizationFactor",
    "starting_position": "StartingPosition",
    "starting_position_timestamp": "StartingPositionTimestamp",
    "destination_config": "DestinationConfig",
    "maximum_record_age_in_seconds": "MaximumRecordAgeInSeconds",
    "bisect_batch_on_function_error": "BisectBatchOnFunctionError",
    "maximum_retry_attempts": "MaximumRetryAttempts",
    "tumbling_window_in_seconds": "TumblingWindowInSeconds",
    "function_response_types": "FunctionResponseTypes",
    "scaling_config": "ScalingConfig",
}
"""The members of a mapping, by the names of the arguments."""

_QUEUE: dict[str, Any] = {
    "BatchSize": PIPE_BATCH_DEFAULT,
    "MaximumBatchingWindowInSeconds": 0,
    "FunctionResponseTypes": [],
}
_STREAM: dict[str, Any] = {
    "BatchSize": PIPE_STREAM_BATCH_DEFAULT,
    "MaximumBatchingWindowInSeconds": 0,
    "ParallelizationFactor": 1,
    "MaximumRecordAgeInSeconds": -1,
    "MaximumRetryAttempts": -1,
    "BisectBatchOnFunctionError": False,
    "TumblingWindowInSeconds": 0,
    "DestinationConfig": {"OnFailure": {}},
    "FunctionResponseTypes": [],
}
_OF_QUEUES = {"BatchSize", "FilterCriteria", "MaximumBatchingWindowInSeconds", "ScalingConfig"}
_OF_QUEUES |= {"FunctionResponseTypes"}
AGE_SECONDS_MIN = 60
"""The smallest age of a record, where one is given."""


def given_members(arguments: dict[str, Any]) -> dict[str, Any]:
    """What a caller gave of the settings; what is not served is refused by name."""
    for name in arguments:
        if name not in MEMBERS:
            raise unsupported(f"{name} of an event source mapping")
    found = {MEMBERS[name]: value for name, value in arguments.items()}
    if "StartingPositionTimestamp" in found:
        at = found["StartingPositionTimestamp"]
        found["StartingPositionTimestamp"] = at.timestamp() if hasattr(at, "timestamp") else at
    return found


def checked(call: Call, source: Resource, given: dict[str, Any]) -> dict[str, Any]:
    """The settings of a mapping with their defaults; raises for what may not be."""
    is_queue = source.service == "sqs"
    settings = {**(_QUEUE if is_queue else _STREAM), **given}
    criteria = settings.get("FilterCriteria")
    if criteria is not None:
        _check_filters(criteria)
        if not criteria.get("Filters"):
            del settings["FilterCriteria"]
    if is_queue:
        _check_queue(source, settings)
    else:
        _check_stream(call, settings)
    return settings


def _check_queue(source: Resource, settings: dict[str, Any]) -> None:
    foreign = sorted(set(settings) - _OF_QUEUES)
    if foreign:
        raise invalid(f"Unsupported parameter for given event source mapping type: {foreign[0]}.")
    most = PIPE_BATCH_DEFAULT
    if settings["BatchSize"] > most:
        if source.name.endswith(".fifo"):
            raise invalid(f"Batch size more than {most} is not supported for FIFO queues.")
        if not settings["MaximumBatchingWindowInSeconds"]:
            raise invalid(
                "Maximum batch window in seconds must be greater than 0 if maximum batch size is "
                f"greater than {most}"
            )
    if source.name.endswith(".fifo") and settings["MaximumBatchingWindowInSeconds"]:
        raise invalid("Batching window is not supported for FIFO queues.")


def _check_stream(call: Call, settings: dict[str, Any]) -> None:
    if "ScalingConfig" in settings:
        raise invalid("ScalingConfig is for queues alone.")
    position = settings.get("StartingPosition")
    if position is None:
        raise ServiceError(
            "ValidationException",
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy "
            "constraint: Member must not be null.",
        )
    if (position == "AT_TIMESTAMP") != ("StartingPositionTimestamp" in settings):
        raise invalid(
            "StartingPositionTimestamp is for the position AT_TIMESTAMP, and needed there."
        )
    if 0 <= settings["MaximumRecordAgeInSeconds"] < AGE_SECONDS_MIN:
        raise invalid(f"MaximumRecordAgeInSeconds is -1, or at least {AGE_SECONDS_MIN}.")
    settings["DestinationConfig"] = {"OnFailure": {}} | settings["DestinationConfig"]
    arn = settings["DestinationConfig"]["OnFailure"].get("Destination")
    if bucket_of(arn) is None:
        target_of(call.store.core, arn)


def _check_filters(criteria: dict[str, Any]) -> None:
    if len(criteria.get("Filters", ())) > PIPE_FILTERS_MAX:
        raise invalid(f"At most {PIPE_FILTERS_MAX} filters may be given.")
    try:
        Filters(criteria)
    except ServiceError:
        raise invalid("Invalid filter pattern definition.") from None
