"""CloudWatch log groups as targets."""

from __future__ import annotations

from trunkline.aws.calls import Failed
from trunkline.aws.limits import LOG_EVENTS_MAX
from trunkline.aws.pipes.paths import MISSING, find, is_path, text_at
from trunkline.aws.targets.kind import Absent, Batch, Endpoint, PipeTarget, TargetKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.arns import Resource
    from trunkline.aws.operation import Call
    from trunkline.aws.targets.kind import Definition, Entry, Failures, Sender


def _group(arn: Resource) -> str:
    return arn.resource.removeprefix("log-group:").removesuffix(":*")


def _endpoint(call: Call, arn: Resource, target: Definition) -> Endpoint:
    from trunkline.aws.logs.storage import place_of

    stream = call.store.core.find_stream(place_of(*arn.owner, _group(arn)))
    if stream is None:
        raise Absent(f"Log group {_group(arn)}")
    return Endpoint(resource=stream.id, key_path="$.id")


def _entry(sender: Sender, record: Any, text: str) -> Entry:
    own = sender.own
    at = sender.now() * 1_000
    if "Timestamp" in own:
        at = find(own["Timestamp"], record) if is_path(own["Timestamp"]) else own["Timestamp"]
        if at is MISSING:
            raise LookupError(f"the record has nothing at {own['Timestamp']}")
    return {"stream": text_at(own["LogStreamName"], record), "at": int(at), "message": text}


def _put(sender: Sender, entries: list[Entry]) -> Failures:
    names = {entry["stream"] for entry in entries}
    if len(names) > 1:
        raise Failed("InvalidParameterException", "one call is for one stream", is_final=True)
    events = [{"timestamp": entry["at"], "message": entry["message"]} for entry in entries]
    told = sender.call(
        "logs",
        "PutLogEvents",
        logGroupName=_group(sender.resource),
        logStreamName=names.pop(),
        logEvents=sorted(events, key=lambda event: event["timestamp"]),
    )
    rejected = told.get("rejectedLogEventsInfo")
    if rejected and len(entries) == 1:
        return {0: f"CloudWatch Logs rejected it: {rejected}"}
    if rejected:
        raise Failed("RejectedLogEvents", str(rejected), is_final=False)
    return {}


LOG_GROUP = TargetKind(
    "logs",
    rule=_endpoint,
    pipe=PipeTarget(
        Batch(_entry, _put, LOG_EVENTS_MAX), "CloudWatchLogsParameters", lambda _: "LogStreamName"
    ),
)
