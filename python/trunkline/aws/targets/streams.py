"""Kinesis data streams and Firehose delivery streams as targets."""

from __future__ import annotations

from trunkline.aws.calls import Failed
from trunkline.aws.firehose.documents import direct_put_id
from trunkline.aws.limits import PIPE_RECORDS_MAX
from trunkline.aws.pipes.paths import text_at
from trunkline.aws.targets.kind import Absent, Batch, Endpoint, PipeTarget, TargetKind, Template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.arns import Resource
    from trunkline.aws.operation import Call
    from trunkline.aws.targets.kind import Definition, Entry, Failures, Sender


def _endpoint(call: Call, arn: Resource, target: Definition) -> Endpoint:
    stream = call.store.core.find_stream((*arn.owner, arn.name))
    if stream is None:
        raise Absent(f"Kinesis stream {arn.name}")
    return Endpoint(resource=stream.id)


def _params(stream: Resource, target: Definition, text: str) -> dict[str, Any]:
    key = target["KinesisParameters"]["PartitionKey"]
    return {"StreamARN": stream.arn, "PartitionKey": key, "Data": text.encode()}


def _entry(sender: Sender, record: Any, text: str) -> Entry:
    return {"key": text_at(sender.own["PartitionKey"], record), "data": text.encode()}


def _put(sender: Sender, entries: list[Entry]) -> Failures:
    resource = sender.resource
    stream = sender.core.find_stream((*resource.owner, resource.name))
    if stream is None:
        text = f"Kinesis stream {resource.name} does not exist."
        raise Failed("ResourceNotFoundException", text, is_final=True)
    _, pending = stream.begin_put_batch([(entry["key"], entry["data"]) for entry in entries])
    if pending is not None:
        pending.wait()
    return {}


def _buffer(call: Call, arn: Resource, target: Definition) -> Endpoint:
    id = direct_put_id(call.store.core, arn)
    if id is None:
        raise Absent(f"Firehose delivery stream {arn.name} with the type DirectPut")
    # A key that tells events from the notifications of topics.
    return Endpoint(resource=id, key_path="$.account")


def _firehose_params(stream: Resource, target: Definition, text: str) -> dict[str, Any]:
    return {"DeliveryStreamName": stream.name, "Record": {"Data": text.encode()}}


def _firehose_entry(sender: Sender, record: Any, text: str) -> Entry:
    return {"Data": text.encode()}


def _firehose_put(sender: Sender, entries: list[Entry]) -> Failures:
    params = {"DeliveryStreamName": sender.resource.name, "Records": entries}
    told = sender.call("firehose", "PutRecordBatch", **params).get("RequestResponses", ())
    return {
        place: f"{one['ErrorCode']}: {one.get('ErrorMessage', '')}"
        for place, one in enumerate(told)
        if "ErrorCode" in one
    }


STREAM = TargetKind(
    "kinesis",
    rule=_endpoint,
    template=Template("kinesis", "PutRecord", _params, lambda _: "KinesisParameters"),
    pipe=PipeTarget(
        Batch(_entry, _put, PIPE_RECORDS_MAX), "KinesisStreamParameters", lambda _: "PartitionKey"
    ),
)

DELIVERY_STREAM = TargetKind(
    "firehose",
    rule=_buffer,
    template=Template("firehose", "PutRecord", _firehose_params),
    pipe=PipeTarget(Batch(_firehose_entry, _firehose_put, PIPE_RECORDS_MAX)),
)
