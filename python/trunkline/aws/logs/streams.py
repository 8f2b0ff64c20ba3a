"""Streams of log groups."""

from __future__ import annotations

from trunkline.aws.limits import LOGS_PAGE_MAX
from trunkline.aws.logs.groups import arn_of, find
from trunkline.aws.logs.registry import exists, invalid, missing, operations
from trunkline.aws.logs.storage import DELIVERED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline.aws.logs.storage import LogEvent
    from trunkline.aws.operation import Call


@operations.add("CreateLogStream", writes=True)
def create_log_stream(call: Call, *, log_group_name: str, log_stream_name: str) -> None:
    """Creates a stream in a group."""
    with call.store.lock:
        group = find(call, log_group_name)
        if group.find_stream(log_stream_name) is not None:
            raise exists("stream")
        group.put_stream(log_stream_name)


@operations.add("DeleteLogStream", writes=True)
def delete_log_stream(call: Call, *, log_group_name: str, log_stream_name: str) -> None:
    """Removes a stream; its events are not shown any more."""
    with call.store.lock:
        group = find(call, log_group_name)
        if group.find_stream(log_stream_name) is None:
            raise missing("stream")
        call.store.put(group.stream_key(log_stream_name), None)


@operations.add("DescribeLogStreams")
def describe_log_streams(
    call: Call,
    *,
    log_group_name: str | None = None,
    log_group_identifier: str | None = None,
    log_stream_name_prefix: str = "",
    order_by: str = "LogStreamName",
    descending: bool = False,
    next_token: str | None = None,
    limit: int = LOGS_PAGE_MAX,
) -> dict[str, Any]:
    """The streams of a group, by name or by the time of their last events."""
    if order_by == "LastEventTime" and log_stream_name_prefix:
        raise invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
    group = find(call, log_group_name, log_group_identifier)
    kept = list(call.store.every(group.stream_key("")))
    by_name: dict[str, list[LogEvent]] = {}
    for event in group.events():
        by_name.setdefault(event.stream, []).append(event)
    if DELIVERED in by_name and all(document["name"] != DELIVERED for document in kept):
        created = by_name[DELIVERED][0].ingested / 1_000
        kept.append({"name": DELIVERED, "created": created})
    group_arn = arn_of(call, group.document["name"])
    shown = [
        _shown(document, by_name.get(document["name"], ()), group_arn)
        for document in kept
        if document["name"].startswith(log_stream_name_prefix)
    ]

    def key(stream: Mapping[str, Any]) -> tuple[int, str]:
        last = stream.get("lastEventTimestamp", 0) if order_by == "LastEventTime" else 0
        return last, str(stream["logStreamName"])

    shown.sort(key=key, reverse=descending)
    start = int(next_token) if next_token and next_token.isdecimal() else 0
    answer: dict[str, Any] = {"logStreams": shown[start : start + limit]}
    if len(shown) > start + limit:
        answer["nextToken"] = str(start + limit)
    return answer


def _shown(
    document: Mapping[str, Any], events: Sequence[LogEvent], group_arn: str
) -> dict[str, Any]:
    shown = {
        "logStreamName": document["name"],
        "creationTime": int(document["created"] * 1_000),
        "arn": f"{group_arn}:log-stream:{document['name']}",
    }
    if events:
        shown["firstEventTimestamp"] = events[0].timestamp
        shown["lastEventTimestamp"] = events[-1].timestamp
        shown["lastIngestionTime"] = max(event.ingested for event in events)
    return shown
