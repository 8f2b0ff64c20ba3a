"""Events of log streams: put, and read from either end."""

from __future__ import annotations

from trunkline.aws.errors import ServiceError
from trunkline.aws.limits import LOG_BATCH_BYTES_MAX, LOG_EVENT_BYTES_EXTRA, LOG_EVENTS_MAX
from trunkline.aws.logs.groups import find
from trunkline.aws.logs.registry import invalid, missing, operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline.aws.logs.storage import LogEvent
    from trunkline.aws.operation import Call

_HOUR_MS = 60 * 60_000
_DAY_MS = 24 * _HOUR_MS
_TOO_OLD_MS = 14 * _DAY_MS
_TOO_NEW_MS = 2 * _HOUR_MS


@operations.add("PutLogEvents", writes=True)
def put_log_events(
    call: Call,
    *,
    log_group_name: str,
    log_stream_name: str,
    log_events: Sequence[Mapping[str, Any]],
    sequence_token: str | None = None,
    entity: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Adds events to a stream. The token is not looked at, as AWS looks at it no more."""
    _check(log_events)
    with call.store.lock:
        group = find(call, log_group_name)
        stream = group.find_stream(log_stream_name)
        if stream is None:
            raise missing("stream")
        now = int(call.store.now() * 1_000)
        kept_for = group.document.get("retention")
        expired = now - (kept_for or 0) * _DAY_MS if kept_for else 0
        taken: list[tuple[int, str]] = []
        rejected: dict[str, int] = {}
        for number, event in enumerate(log_events):
            if event["timestamp"] > now + _TOO_NEW_MS:
                rejected.setdefault("tooNewLogEventStartIndex", number)
            elif event["timestamp"] < expired:
                rejected["expiredLogEventEndIndex"] = number + 1
            elif event["timestamp"] < now - _TOO_OLD_MS:
                rejected["tooOldLogEventEndIndex"] = number + 1
            else:
                taken.append((event["timestamp"], event["message"]))
        if taken:
            group.put(stream, taken)
    return {"rejectedLogEventsInfo": rejected} if rejected else {}


def _check(events: Sequence[Mapping[str, Any]]) -> None:
    size = sum(len(event["message"].encode()) + LOG_EVENT_BYTES_EXTRA for event in events)
    if size > LOG_BATCH_BYTES_MAX:
        raise invalid(f"Upload too large: {size} bytes exceeds limit of {LOG_BATCH_BYTES_MAX}")
    times = [event["timestamp"] for event in events]
    if times != sorted(times):
        raise invalid("Log events in a single PutLogEvents request must be in chronological order.")
    if times[-1] - times[0] > _DAY_MS:
        raise invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 "
            "hours."
        )


@operations.add("GetLogEvents")
def get_log_events(
    call: Call,
    *,
    log_stream_name: str,
    log_group_name: str | None = None,
    log_group_identifier: str | None = None,
    start_time: int = 0,
    end_time: int | None = None,
    next_token: str | None = None,
    limit: int = LOG_EVENTS_MAX,
    start_from_head: bool = False,
    unmask: bool = False,
) -> dict[str, Any]:
    """The events of one stream. The token of a page that is the last one stays the same."""
    group = find(call, log_group_name, log_group_identifier)
    found = [event for event in group.events() if event.stream == log_stream_name]
    if not found and group.find_stream(log_stream_name) is None:
        raise missing("stream")
    found = [event for event in found if start_time <= event.timestamp]
    if end_time is not None:
        found = [event for event in found if event.timestamp < end_time]
    shown, ends = _page(found, next_token, limit, start_from_head)
    return {
        "events": [
            {
                "timestamp": event.timestamp,
                "message": event.message,
                "ingestionTime": event.ingested,
            }
            for event in shown
        ],
        **ends,
    }


def _page(
    found: Sequence[LogEvent], token: str | None, limit: int, from_head: bool
) -> tuple[Sequence[LogEvent], dict[str, str]]:
    if token is None:
        shown = found[:limit] if from_head else found[-limit:]
        first = last = (0, "0")
    else:
        way, first = read_token(token)
        last = first
        if way == "f":
            shown = [event for event in found if event.position > first][:limit]
        else:
            shown = [event for event in found if event.position < first][-limit:]
    if shown:
        first, last = shown[0].position, shown[-1].position
    return shown, {
        "nextForwardToken": write_token("f", last),
        "nextBackwardToken": write_token("b", first),
    }


def write_token(way: str, position: tuple[int, str]) -> str:
    """The token for what comes behind a position, or before it.

    >>> write_token("f", (7, "12"))
    'f/7/12'
    """
    return f"{way}/{position[0]}/{position[1]}"


def read_token(token: str) -> tuple[str, tuple[int, str]]:
    """The way and the position of a token."""
    way, _, rest = token.partition("/")
    timestamp, _, sequence = rest.partition("/")
    if way not in ("f", "b") or not timestamp.isdecimal() or not sequence.isdecimal():
        raise ServiceError("InvalidParameterException", "The specified nextToken is invalid.")
    return way, (int(timestamp), sequence)
