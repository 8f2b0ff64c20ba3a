"""The attributes of a queue: names, limits, defaults, and where each one lives.

All values travel as strings. A change is first worked out as a whole and then made at once, so that
a request with one bad attribute changes nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from trunkline._core import policy_flaw
from trunkline.aws.errors import ServiceError
from trunkline.aws.limits import (
    KMS_REUSE_DEFAULT,
    KMS_REUSE_SECONDS,
    POLICY_BYTES_MAX,
)
from trunkline.aws.sqs.dead_letter import Redrive
from trunkline.aws.sqs.errors import invalid_attribute, invalid_value, unknown_attribute
from trunkline.aws.sqs.resources import arn_of
from trunkline.queues.options import TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline._core import Queue
    from trunkline.aws.operation import Call

# By AWS's name; ranges and defaults are those of every surface. Times are in seconds here.
_NUMBERS = {
    option.aws_name: (option, 1_000 if option.unit == "milliseconds" else 1)
    for option in TABLE.values()
    if option.unit in ("milliseconds", "bytes")
}
_FIFO = ("DeduplicationScope", "FifoThroughputLimit")
_COUNTERS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
_READ_ONLY = (*_COUNTERS, "CreatedTimestamp", "LastModifiedTimestamp", "QueueArn")
_KEPT = ("Policy", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds")
_WRITABLE = (
    *_NUMBERS,
    *_FIFO,
    *_KEPT,
    "ContentBasedDeduplication",
    "FifoQueue",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
)
NAMES = frozenset((*_WRITABLE, *_READ_ONLY, "All"))
"""Every name that GetQueueAttributes takes."""


class Change(NamedTuple):
    """What a request changes: settings of the engine, what SQS keeps, and the shared document."""

    settings: dict[str, Any]
    kept: dict[str, Any]
    document: dict[str, Any]


def apply(call: Call, change: Change, given: Mapping[str, str], *, arn: str, new: bool) -> None:
    """Works out what `given` changes; raises for the first attribute that may not be so."""
    fifo = change.settings["fifo"]
    for name, raw in given.items():
        value = _normalised(raw)
        if name in _NUMBERS:
            option, unit = _NUMBERS[name]
            least, most = option.bounds(call.store.limits)
            change.settings[option.setting] = (
                _number(name, value, -(-least // unit), most // unit) * unit
            )
        elif name == "FifoQueue":
            _check_fifo(value, fifo=fifo, new=new)
        elif name == "ContentBasedDeduplication":
            if not fifo:
                raise unknown_attribute(name)
            change.settings["content_based_dedup"] = _flag(name, value)
        elif name in _FIFO:
            _apply_fifo(change, name, value, fifo=fifo)
        elif name in ("RedrivePolicy", "RedriveAllowPolicy"):
            redrive = Redrive(call, arn, fifo=fifo)
            redrive.apply(change, name, raw)
        elif name == "SqsManagedSseEnabled":
            change.kept[name] = "true" if _flag(name, value) else "false"
        elif name in _KEPT:
            _keep(change, name, raw)
        else:
            raise unknown_attribute(name)
    _check_encryption(change, given)
    _check_throughput(change)


def _normalised(value: str) -> str:
    return value.lower() if value in ("True", "False") else value


def _number(name: str, value: str, low: int, high: int) -> int:
    try:
        number = int(value)
    except ValueError:
        raise invalid_attribute(name) from None
    if not low <= number <= high:
        raise invalid_attribute(name)
    return number


def _flag(name: str, value: str) -> bool:
    if value not in ("true", "false"):
        raise invalid_attribute(name)
    return value == "true"


def _check_fifo(value: str, *, fifo: bool, new: bool) -> None:
    if fifo and value == "true":
        return
    if fifo and not new and value == "false":
        raise ServiceError(
            "InvalidAttributeValue",
            "Invalid value for the parameter FifoQueue. "
            "Reason: Modifying queue type is not supported.",
        )
    raise unknown_attribute("FifoQueue")


def _apply_fifo(change: Change, name: str, value: str, *, fifo: bool) -> None:
    if not fifo:
        raise ServiceError(
            "InvalidAttributeName",
            f"You can specify the {name} only when FifoQueue is set to true.",
        )
    if name == "DeduplicationScope":
        if value not in ("queue", "messageGroup"):
            raise invalid_attribute(name)
        change.settings["dedup_per_group"] = value == "messageGroup"
    else:
        if value not in ("perQueue", "perMessageGroupId"):
            raise invalid_attribute(name)
        change.kept[name] = value


def _keep(change: Change, name: str, raw: str) -> None:
    if raw == "":
        change.kept.pop(name, None)
        return
    if name == "Policy":
        _check_policy(raw)
    elif name == "KmsDataKeyReusePeriodSeconds":
        raw = str(_number(name, raw, *KMS_REUSE_SECONDS))
    change.kept[name] = raw


def _check_policy(raw: str) -> None:
    # AWS stores nothing that it could not enforce later.
    if len(raw.encode()) > POLICY_BYTES_MAX:
        raise invalid_attribute("Policy")
    flaw = policy_flaw(raw)
    if flaw is None:
        return
    is_json, why = flaw
    if not is_json:
        raise invalid_attribute("Policy")
    raise ServiceError(
        "InvalidAttributeValue", f"Invalid value for the parameter Policy. Reason: {why}"
    )


def _check_encryption(change: Change, given: Mapping[str, str]) -> None:
    with_key = bool(given.get("KmsMasterKeyId"))
    if with_key and _normalised(given.get("SqsManagedSseEnabled", "")) == "true":
        raise ServiceError(
            "InvalidAttributeName",
            "You can use one type of server-side encryption (SSE) at one time. "
            "You can either enable KMS SSE or SQS SSE.",
        )
    if with_key:
        change.kept["SqsManagedSseEnabled"] = "false"


def _check_throughput(change: Change) -> None:
    limit = change.kept.get("FifoThroughputLimit")
    if limit == "perMessageGroupId" and not change.settings["dedup_per_group"]:
        raise invalid_value(
            limit,
            "FifoThroughputLimit",
            "FifoThroughputLimit can be set to perMessageGroupId only when DeduplicationScope "
            "is messageGroup.",
        )


def describe(
    call: Call, queue: Queue, kept: Mapping[str, Any], document: Mapping[str, Any]
) -> dict[str, str]:
    """The attributes of a queue as GetQueueAttributes gives them, counters left out."""
    settings = queue.settings
    found = {
        name: str(getattr(settings, option.setting) // unit)
        for name, (option, unit) in _NUMBERS.items()
    }
    found["QueueArn"] = arn_of(queue)
    found["CreatedTimestamp"] = str(int(queue.created_at))
    found["LastModifiedTimestamp"] = str(int(queue.modified_at))
    found["SqsManagedSseEnabled"] = kept.get("SqsManagedSseEnabled", "true")
    if settings.fifo:
        found["FifoQueue"] = "true"
        found["ContentBasedDeduplication"] = str(settings.content_based_dedup).lower()
        found["DeduplicationScope"] = "messageGroup" if settings.dedup_per_group else "queue"
        found["FifoThroughputLimit"] = kept.get("FifoThroughputLimit", "perQueue")
    for name in _KEPT:
        if name in kept:
            found[name] = kept[name]
    if found.get("KmsDataKeyReusePeriodSeconds") == KMS_REUSE_DEFAULT:
        del found["KmsDataKeyReusePeriodSeconds"]
    redrive = Redrive(call, found["QueueArn"], fifo=settings.fifo)
    found.update(redrive.describe(queue, kept, document))
    return found


def counters(queue: Queue) -> dict[str, str]:
    """How many messages there are, in the three states."""
    statistics = queue.statistics()
    counts = (statistics.visible, statistics.in_flight, statistics.delayed)
    return {name: str(count) for name, count in zip(_COUNTERS, counts, strict=True)}


def is_counter(name: str) -> bool:
    """Whether an attribute counts messages."""
    return name in _COUNTERS
