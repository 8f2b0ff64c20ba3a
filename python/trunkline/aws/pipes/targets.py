"""What a pipe sends to its target: one entry a record, and which of them the target has."""

from __future__ import annotations

import json
from dataclasses import dataclass

from trunkline.aws.calls import Failed, Request, send
from trunkline.aws.limits import LOG_EVENTS_MAX, PIPE_ENTRIES_MAX, PIPE_RECORDS_MAX
from trunkline.aws.pipes.http import call_destination
from trunkline.aws.pipes.paths import MISSING, find, is_path, parsed, text_at
from trunkline.aws.pipes.resources import Resource, known
from trunkline.aws.pipes.templates import render
from trunkline.errors import TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline.aws.clients import Clients
    from trunkline.aws.pipes.documents import PipeName
    from trunkline.aws.pipes.templates import Context
    from trunkline.aws.store import Store

    Entry = dict[str, Any]
    Failures = dict[int, str]


@dataclass(frozen=True, slots=True)
class Target:
    """The target of one pipe."""

    store: Store
    clients: Clients
    pipe: PipeName
    definition: dict[str, Any]
    context: Context

    @property
    def _resource(self) -> Resource:
        return known(self.definition["Target"])

    def _own(self, member: str) -> dict[str, Any]:
        found: dict[str, Any] = self.definition.get("TargetParameters", {}).get(member, {})
        return found

    def send(self, records: Sequence[Any], *, one_by_one: bool = False) -> Failures:
        """Sends records; the answer has why those that the target lacks failed, by their places."""
        kind = self._resource.kind
        template = self.definition.get("TargetParameters", {}).get("InputTemplate")
        texts = [render(template, record, self.context) for record in records]
        if kind == "api-destination":
            return self._post(records, texts)
        entry_of, put, most = _KINDS[kind]
        failures: Failures = {}
        entries: list[tuple[int, Entry]] = []
        for place, (record, text) in enumerate(zip(records, texts, strict=True)):
            try:
                entries.append((place, entry_of(self, parsed(record), text)))
            except (LookupError, ValueError) as error:
                failures[place] = str(error)
        most = 1 if one_by_one else most
        for start in range(0, len(entries), most):
            failures |= self._put(put, entries[start : start + most])
        return failures

    def _put(
        self,
        put: Callable[[Target, list[Entry]], Failures],
        entries: list[tuple[int, Entry]],
    ) -> Failures:
        try:
            failed = put(self, [entry for _, entry in entries])
        except (Failed, TrunklineError) as error:
            if len(entries) == 1:
                return {entries[0][0]: str(error)}
            # One entry may spoil the others: too large a batch, or a value that may not be.
            failures: Failures = {}
            for entry in entries:
                failures |= self._put(put, [entry])
            return failures
        return {entries[number][0]: why for number, why in failed.items()}

    def _post(self, records: Sequence[Any], texts: list[str]) -> Failures:
        """Sends all records as one array. The answer may name those that failed."""
        body = f"[{','.join(_as_json(text) for text in texts)}]"
        own = self._own("HttpParameters")
        try:
            told = call_destination(self.store, self.pipe, self._resource.arn, own, body)
        except Failed as failed:
            return dict.fromkeys(range(len(records)), str(failed))
        return _named_failures(told, records)

    def call(self, operation: str, **params: Any) -> dict[str, Any]:
        """The answer of the target's service."""
        target = self._resource
        request = Request(target.service, operation, target.region, params)
        return send(self.clients, request, self.pipe.account)

    @property
    def core(self) -> CoreEngine:
        """The engine."""
        return self.store.core


def _as_json(text: str) -> str:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return json.dumps(text)
    return text


def _named_failures(told: str, records: Sequence[Any]) -> Failures:
    """The failures that an answer names in ``batchItemFailures``; all for a name that is none."""
    try:
        named = json.loads(told)["batchItemFailures"]
        names = {one["itemIdentifier"] for one in named}
    except (ValueError, LookupError, TypeError, RecursionError):
        return {}
    places = {}
    for place, record in enumerate(records):
        if isinstance(record, dict):
            places[record.get("messageId", record.get("eventID"))] = place
    if not names <= {name for name in places if name}:
        return dict.fromkeys(range(len(records)), "the answer names an item that was not sent")
    return {places[name]: "the target named it in batchItemFailures" for name in names}


def _batch_failures(answer: dict[str, Any]) -> Failures:
    failed = answer.get("Failed", ())
    return {int(one["Id"]): f"{one['Code']}: {one.get('Message', '')}" for one in failed}


def _sqs_entry(target: Target, record: Any, text: str) -> Entry:
    own = target._own("SqsQueueParameters")
    return {"MessageBody": text} | {name: text_at(own[name], record) for name in own}


def _sqs(target: Target, entries: list[Entry]) -> Failures:
    queue = target._resource
    url = f"http://trunkline.local/queue/{queue.region}/{queue.account}/{queue.name}"
    numbered = [{"Id": str(number), **entry} for number, entry in enumerate(entries)]
    return _batch_failures(target.call("SendMessageBatch", QueueUrl=url, Entries=numbered))


def _sns_entry(target: Target, record: Any, text: str) -> Entry:
    return {"Message": text}


def _sns(target: Target, entries: list[Entry]) -> Failures:
    numbered = [{"Id": str(number), **entry} for number, entry in enumerate(entries)]
    answer = target.call(
        "PublishBatch", TopicArn=target._resource.arn, PublishBatchRequestEntries=numbered
    )
    return _batch_failures(answer)


def _event_entry(target: Target, record: Any, text: str) -> Entry:
    own = target._own("EventBridgeEventBusParameters")
    if "EndpointId" in own:
        raise ValueError("global endpoints are not called by pipes here")
    service = target.definition["Source"].split(":")[2]
    entry = {
        "EventBusName": target._resource.arn,
        "Detail": text,
        "DetailType": text_at(own.get("DetailType", f"Event from aws:{service}"), record),
        "Source": text_at(own.get("Source", f"Pipe {target.pipe.name}"), record),
        "Resources": [text_at(one, record) for one in own.get("Resources", ())],
    }
    if "Time" in own:
        entry["Time"] = text_at(own["Time"], record)
    return entry


def _events(target: Target, entries: list[Entry]) -> Failures:
    told = target.call("PutEvents", Entries=entries).get("Entries", ())
    return {
        number: f"{one['ErrorCode']}: {one.get('ErrorMessage', '')}"
        for number, one in enumerate(told)
        if "ErrorCode" in one
    }


def _stream_entry(target: Target, record: Any, text: str) -> Entry:
    key = text_at(target._own("KinesisStreamParameters")["PartitionKey"], record)
    return {"key": key, "data": text.encode()}


def _stream(target: Target, entries: list[Entry]) -> Failures:
    resource = target._resource
    stream = target.core.find_stream((resource.account, resource.region, resource.name))
    if stream is None:
        text = f"Kinesis stream {resource.name} does not exist."
        raise Failed("ResourceNotFoundException", text, is_final=True)
    records = [(entry["key"], entry["data"]) for entry in entries]
    _, pending = stream.begin_put_batch(records)
    if pending is not None:
        pending.wait()
    return {}


def _log_entry(target: Target, record: Any, text: str) -> Entry:
    own = target._own("CloudWatchLogsParameters")
    at = target.context.now() * 1_000
    if "Timestamp" in own:
        at = find(own["Timestamp"], record) if is_path(own["Timestamp"]) else own["Timestamp"]
        if at is MISSING:
            raise LookupError(f"the record has nothing at {own['Timestamp']}")
    return {"stream": text_at(own["LogStreamName"], record), "at": int(at), "message": text}


def _logs(target: Target, entries: list[Entry]) -> Failures:
    names = {entry["stream"] for entry in entries}
    if len(names) > 1:
        raise Failed("InvalidParameterException", "one call is for one stream", is_final=True)
    events = [{"timestamp": entry["at"], "message": entry["message"]} for entry in entries]
    group = target._resource.resource.removeprefix("log-group:").removesuffix(":*")
    told = target.call(
        "PutLogEvents",
        logGroupName=group,
        logStreamName=names.pop(),
        logEvents=sorted(events, key=lambda event: event["timestamp"]),
    )
    rejected = told.get("rejectedLogEventsInfo")
    if rejected and len(entries) == 1:
        return {0: f"CloudWatch Logs rejected it: {rejected}"}
    if rejected:
        raise Failed("RejectedLogEvents", str(rejected), is_final=False)
    return {}


_KINDS: dict[
    str,
    tuple[Callable[[Target, Any, str], Entry], Callable[[Target, list[Entry]], Failures], int],
] = {
    "sqs": (_sqs_entry, _sqs, PIPE_ENTRIES_MAX),
    "sns": (_sns_entry, _sns, PIPE_ENTRIES_MAX),
    "event-bus": (_event_entry, _events, PIPE_ENTRIES_MAX),
    "kinesis": (_stream_entry, _stream, PIPE_RECORDS_MAX),
    "logs": (_log_entry, _logs, LOG_EVENTS_MAX),
}
"""How records become entries, how entries are put, and how many at once."""
