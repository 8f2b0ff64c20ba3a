"""ArchivePolicy of FIFO topics, and ReplayPolicy of their subscriptions."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from trunkline.aws.errors import ServiceError
from trunkline.aws.json_text import read_object, write_object
from trunkline.aws.sns.errors import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Topic

_DAY_MS = 86_400_000
_DAYS_MAX = 365
_STATUS = {"RUNNING": "In progress", "COMPLETED": "Completed", "FAILED": "Failed"}


def read_archive(value: str, prefix: str = "") -> int | None:
    """For how many milliseconds a policy keeps messages; None for one that switches off.

    >>> read_archive('{"MessageRetentionPeriod": "2"}'), read_archive("{}"), read_archive("")
    (172800000, None, None)
    """
    policy = read_object(value) if value else {}
    if policy is None:
        raise invalid(f"{prefix}ArchivePolicy: failed to parse JSON.")
    if not policy:
        return None
    if set(policy) != {"MessageRetentionPeriod"}:
        raise invalid(f"{prefix}ArchivePolicy: it has MessageRetentionPeriod and nothing else.")
    days = str(policy["MessageRetentionPeriod"])
    if not (days.isascii() and days.isdecimal()) or not 1 <= int(days[:4]) <= _DAYS_MAX:
        raise invalid(
            f"{prefix}ArchivePolicy: MessageRetentionPeriod must be a number of days from 1 to "
            f"{_DAYS_MAX}."
        )
    return int(days[:4]) * _DAY_MS


def describe_archive(topic: Topic, given: str | None) -> dict[str, str]:
    """What GetTopicAttributes tells of the archive of a topic."""
    status = topic.archive().status()
    if status is None:
        return {}
    days = math.ceil(status["retention"] * 1_000 / _DAY_MS)
    return {
        "ArchivePolicy": given or write_object({"MessageRetentionPeriod": str(days)}),
        "BeginningArchiveTime": _text(status["beginning"]),
    }


def check_unarchived(topic: Topic) -> None:
    """Refuses to delete a topic whose archive is not switched off."""
    if topic.archive().status() is not None:
        raise ServiceError(
            "InvalidState",
            "The topic has an archive. Set its ArchivePolicy to {} before it is deleted.",
        )


def read_replay(value: str, prefix: str = "") -> tuple[int, int | None] | None:
    """Start and end of a replay in milliseconds since the epoch; None for one that stops it.

    >>> read_replay('{"PointType": "Timestamp", "StartingPoint": "1970-01-01T00:00:01Z"}')
    (1000, None)
    """
    policy = read_object(value) if value else {}
    if policy is None:
        raise invalid(f"{prefix}ReplayPolicy: failed to parse JSON.")
    if not policy:
        return None
    unknown = set(policy) - {"PointType", "StartingPoint", "EndingPoint"}
    if unknown:
        raise invalid(f"{prefix}ReplayPolicy: unknown field {sorted(unknown)[0][:64]}.")
    if policy.get("PointType") != "Timestamp":
        raise invalid(f"{prefix}ReplayPolicy: PointType must be Timestamp.")
    start = _moment(policy.get("StartingPoint"), "StartingPoint", prefix)
    end = None
    if "EndingPoint" in policy:
        end = _moment(policy["EndingPoint"], "EndingPoint", prefix)
        if end <= start:
            raise invalid(f"{prefix}ReplayPolicy: EndingPoint must be behind StartingPoint.")
    return start, end


def _moment(text: object, name: str, prefix: str) -> int:
    refused = invalid(
        f"{prefix}ReplayPolicy: {name} must be a time such as 2026-01-31T12:00:00.000Z."
    )
    if not isinstance(text, str):
        raise refused
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise refused from None
    if time.tzinfo is None:
        raise refused
    moment = (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    if moment < 0:
        raise refused
    return moment


def check_replay(topic: Topic, value: str, prefix: str = "") -> None:
    """Raises for a replay that cannot be started on this topic."""
    if read_replay(value, prefix) is None:
        return
    if not topic.config()[0]:
        raise invalid(f"{prefix}ReplayPolicy: only FIFO topics have an archive.")
    if topic.archive().status() is None:
        raise invalid(f"{prefix}ReplayPolicy: the topic has no ArchivePolicy.")


def set_replay(topic: Topic, id: int, value: str) -> None:
    """Starts what a policy wants for a subscription, or ends its replay."""
    span = read_replay(value)
    archive = topic.archive()
    if span is None:
        archive.stop_replay(id)
        return
    from trunkline.errors import OverLimit

    try:
        archive.start_replay(id, *span)
    except OverLimit as error:
        raise ServiceError("ReplayLimitExceeded", str(error), 403) from None


def describe_replay(topic: Topic, id: int, given: str | None) -> dict[str, Any]:
    """What GetSubscriptionAttributes tells of the replay of a subscription."""
    replay = topic.archive().replay(id)
    if replay is None:
        return {}
    status = _STATUS[replay["status"]]
    if replay["status"] == "RUNNING" and replay["replayed"] == 0:
        status = "Pending"
    policy = {"PointType": "Timestamp", "StartingPoint": _text(replay["start"])}
    if replay["end"] is not None:
        policy["EndingPoint"] = _text(replay["end"])
    return {"ReplayPolicy": given or write_object(policy), "ReplayStatus": status}


def _text(seconds: float) -> str:
    time = datetime.fromtimestamp(seconds, UTC)
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1_000:03}Z"
