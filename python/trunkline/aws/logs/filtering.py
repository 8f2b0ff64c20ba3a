"""FilterLogEvents: events of several streams that match a pattern of terms."""

from __future__ import annotations

import re

from trunkline.aws.limits import LOG_EVENTS_MAX
from trunkline.aws.logs.events import read_token, write_token
from trunkline.aws.logs.groups import find
from trunkline.aws.logs.registry import invalid, operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from trunkline.aws.operation import Call

_TERM = re.compile(r'\s*([-?]?)(?:"((?:[^"\\]|\\.)*)"|([A-Za-z0-9_]+))(?=\s|$)')


@operations.add("FilterLogEvents")
def filter_log_events(
    call: Call,
    *,
    log_group_name: str | None = None,
    log_group_identifier: str | None = None,
    log_stream_names: Sequence[str] | None = None,
    log_stream_name_prefix: str = "",
    start_time: int = 0,
    end_time: int | None = None,
    filter_pattern: str = "",
    next_token: str | None = None,
    limit: int = LOG_EVENTS_MAX,
    interleaved: bool = True,
    unmask: bool = False,
    start_from_head: bool = True,
) -> dict[str, Any]:
    """The events of a group that match, by time."""
    if log_stream_names and log_stream_name_prefix:
        raise invalid("Give either logStreamNames or logStreamNamePrefix.")
    matches = compile_pattern(filter_pattern)
    group = find(call, log_group_name, log_group_identifier)
    after = None if next_token is None else read_token(next_token)[1]

    def keep(stream: str, timestamp: int) -> bool:
        named = not log_stream_names or stream in log_stream_names
        in_time = start_time <= timestamp and (end_time is None or timestamp <= end_time)
        return named and in_time and stream.startswith(log_stream_name_prefix)

    found = [
        event
        for event in group.events()
        if keep(event.stream, event.timestamp)
        and (after is None or event.position > after)
        and matches(event.message)
    ]
    events = [
        {
            "logStreamName": event.stream,
            "timestamp": event.timestamp,
            "message": event.message,
            "ingestionTime": event.ingested,
            "eventId": event.sequence,
        }
        for event in found[:limit]
    ]
    answer: dict[str, Any] = {"events": events, "searchedLogStreams": []}
    if len(found) > limit:
        answer["nextToken"] = write_token("f", found[limit - 1].position)
    return answer


def compile_pattern(pattern: str) -> Callable[[str], bool]:
    """A test for messages. A term has to be there, one with ``-`` not, of those with ``?`` one.

    >>> compile_pattern('ERROR -"not found"')("ERROR: file not found")
    False
    >>> compile_pattern("?WARN ?ERROR")("an ERROR")
    True
    """
    text = pattern.strip()
    if text[:1] in ("{", "[", "%"):
        raise invalid(
            "Invalid filter pattern: patterns for JSON, for columns and regular expressions are "
            "not served here. Use terms."
        )
    terms: dict[str, list[str]] = {"": [], "-": [], "?": []}
    position = 0
    while position < len(text):
        term = _TERM.match(text, position)
        if term is None:
            raise invalid(f"Invalid filter pattern: {text[position : position + 40]!r} is no term.")
        quoted = term[2]
        terms[term[1]].append(term[3] if quoted is None else re.sub(r"\\(.)", r"\1", quoted))
        position = term.end()

    def matches(message: str) -> bool:
        wanted = all(term in message for term in terms[""])
        unwanted = any(term in message for term in terms["-"])
        optional = not terms["?"] or any(term in message for term in terms["?"])
        return wanted and not unwanted and optional

    return matches
