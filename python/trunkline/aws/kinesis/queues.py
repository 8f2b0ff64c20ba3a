"""Queues of streams: create, describe, list, update, delete. `queue_store` says how they are kept.

A record that waits costs a queue about 44 bytes and a place of 77 bytes, in memory without a folder
and on the disk with one; the record itself is read from the stream when it is received. Feeding
holds at most some 20,000 places that nothing has received (`feeding`), so a queue on a stream of
100,000,000 records costs about 2.5 MB, and what is in flight on top.
"""

from __future__ import annotations

from uuid import uuid4

from trunkline._core import WireStream
from trunkline.aws.kinesis import consumers, names, queue_store, stored
from trunkline.aws.kinesis.errors import in_use, invalid, violation
from trunkline.aws.kinesis.feeding import feeders_of
from trunkline.aws.kinesis.names import change_duration, find_active
from trunkline.aws.kinesis.registry import operations
from trunkline.aws.kinesis.tag_rules import check_tags
from trunkline.aws.limits import KINESIS_PAGE_DEFAULT
from trunkline.aws.pages import page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline.aws.kinesis.queue_store import StreamQueue
    from trunkline.aws.operation import Call

VISIBILITY_SECONDS = 30
MAX_RECEIVE_COUNT = 6
"""What a queue has that names no attributes."""


def _described(call: Call, queue: StreamQueue) -> dict[str, Any]:
    kept, status = queue.kept, queue.status(call.store)
    start: dict[str, Any] = {"Type": kept["start"]["Type"]}
    # Before it is active a queue tells the position that it was given.
    shown = kept["start"].get("Timestamp") if status == "CREATING" else kept["from"]
    if shown is not None:
        start["Timestamp"] = shown
    return {
        "QueueName": kept["name"],
        "QueueARN": queue.arn,
        "QueueStatus": status,
        "QueueCreationTimestamp": kept["created"],
        "StreamConfigurationList": [
            {"StreamARN": names.stream_arn(queue.stream), "StartingPosition": start}
        ],
        "QueueAttributes": {
            "VisibilityTimeoutSeconds": kept["visibility"],
            "DeadLetterConfiguration": kept["dead"],
        },
    }


def _start(given: Mapping[str, Any] | None) -> dict[str, Any]:
    start = dict(given or {"Type": "LATEST"})
    if (start["Type"] == "AT_TIMESTAMP") is not ("Timestamp" in start):
        raise violation(
            "StartingPosition.Timestamp must be specified with the type AT_TIMESTAMP, and with no "
            "other type."
        )
    return start


def _dead_letters(given: Mapping[str, Any]) -> dict[str, Any]:
    if given["TargetType"] != queue_store.BUILT_IN:
        return {"TargetType": given["TargetType"]}
    if "MaxReceiveCount" not in given:
        raise violation("MaxReceiveCount must be specified with the TargetType BUILT_IN.")
    return dict(given)


def on_demand_stream(call: Call, what: str) -> WireStream:
    """The stream on which the caller creates something that needs the on-demand mode."""
    stream = find_active(call)
    if stream.full_name[:2] != (call.account, call.region):
        raise invalid(f"{what} must be created in the account and the region of their stream.")
    if stored.mode(stored.read(stream)) != stored.ON_DEMAND:
        account, _, name = stream.full_name
        raise violation(
            f"{what} are supported only on streams of the mode ON_DEMAND. Stream {name} under "
            f"account {account} has the mode PROVISIONED."
        )
    return stream


def only_one(given: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The one stream configuration that there has to be."""
    if len(given) != 1:
        raise violation("StreamConfigurationList must contain exactly one entry.")
    return given[0]


@operations.add("CreateQueue", writes=True)
def create_queue(
    call: Call,
    *,
    queue_name: str,
    stream_configuration_list: Sequence[Mapping[str, Any]],
    queue_attributes: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Creates a queue on a stream; it is CREATING for a while, and gets records from then on."""
    start = _start(only_one(stream_configuration_list).get("StartingPosition"))
    attributes = queue_attributes or {}
    built_in = {"TargetType": queue_store.BUILT_IN, "MaxReceiveCount": MAX_RECEIVE_COUNT}
    dead = _dead_letters(attributes.get("DeadLetterConfiguration", built_in))
    check_tags(tags or {}, {}, queue_name, call.account)
    with call.store.lock:
        stream = on_demand_stream(call, "Queues")
        if any(
            queue.kept["name"] == queue_name
            for queue in queue_store.all_of(call.store, call.account, call.region)
        ):
            raise in_use(f"Queue {queue_name} under account {call.account} already exists.")
        consumers.check_capacity(call, stream)
        now = call.store.now()
        earliest = max(stream.created_at, now - stream.retention / 1_000)
        begins = {"LATEST": now, "TRIM_HORIZON": earliest}
        kept = {
            "name": queue_name,
            "stream": list(stream.full_name),
            "stream_created": stream.created_at,
            "created": now,
            "active": now + change_duration(call) / 1_000,
            "start": start,
            "from": begins.get(start["Type"]) or max(start["Timestamp"], earliest),
            "visibility": attributes.get("VisibilityTimeoutSeconds", VISIBILITY_SECONDS),
            "dead": dead,
            "retention": call.store.limit("stream_retention_max"),
            "tags": dict(tags or {}),
        }
        owner = (call.account, call.region)
        queue = queue_store.create(call.store.core, owner, uuid4().hex, kept)
        feeders_of(call.store).open(queue)
    return {"QueueDescription": _described(call, queue)}


@operations.add("DescribeQueue")
def describe_queue(call: Call, *, queue_arn: str) -> dict[str, Any]:
    """A queue, with its attributes."""
    return {"QueueDescription": _described(call, queue_store.find(call, queue_arn))}


@operations.add("ListQueues")
def list_queues(
    call: Call,
    *,
    max_results: int = KINESIS_PAGE_DEFAULT,
    next_token: str | None = None,
    stream_filter: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The queues of the caller, sorted by name; those on some streams, if it names them."""
    found = [
        queue
        for queue in queue_store.all_of(call.store, call.account, call.region)
        if passes(stream_filter, queue.stream, queue.kept["stream_created"])
    ]
    name, refusal = lambda queue: str(queue.kept["name"]), lambda: invalid("Invalid NextToken.")
    shown, rest = page(found, name, max_results, next_token, refusal)
    summaries = [
        {
            "QueueName": queue.kept["name"],
            "QueueARN": queue.arn,
            "QueueStatus": queue.status(call.store),
            "QueueCreationTimestamp": queue.kept["created"],
            "Streams": [
                {
                    "StreamARN": names.stream_arn(queue.stream),
                    "StreamCreationTimestamp": queue.kept["stream_created"],
                }
            ],
        }
        for queue in shown
    ]
    return {"QueueSummaries": summaries, **rest}


def passes(
    filters: Sequence[Mapping[str, Any]], stream: tuple[str, str, str], created: float
) -> bool:
    """Whether a list that has these filters shows what is on a stream."""
    arn = names.stream_arn(stream)
    return not filters or any(
        one["StreamARN"] == arn
        # Clients tell times in seconds, or with a fraction.
        and int(one.get("StreamCreationTimestamp", created)) == int(created)
        for one in filters
    )


@operations.add("UpdateQueue", writes=True)
def update_queue(
    call: Call, *, queue_arn: str, queue_attributes: Mapping[str, Any]
) -> dict[str, Any]:
    """Changes attributes of a queue; it is UPDATING for a while, and can be used meanwhile."""
    with call.store.lock:
        queue = queue_store.find_active(call, queue_arn)
        changes: dict[str, Any] = {}
        if "DeadLetterConfiguration" in queue_attributes:
            changes["dead"] = _dead_letters(queue_attributes["DeadLetterConfiguration"])
        if "VisibilityTimeoutSeconds" in queue_attributes:
            changes["visibility"] = queue_attributes["VisibilityTimeoutSeconds"]
        until = call.store.now() + change_duration(call) / 1_000
        queue.change(**changes, updated=until)
    return {"QueueDescription": _described(call, queue)}


@operations.add("DeleteQueue", writes=True)
def delete_queue(call: Call, *, queue_arn: str) -> None:
    """Removes a queue with its receipt handles; it is DELETING for a while."""
    with call.store.lock:
        queue = queue_store.find(call, queue_arn)
        if "gone" in queue.kept:
            return
        feeders_of(call.store).close(queue.id)
        if duration := change_duration(call):
            queue.change(gone=call.store.now() + duration / 1_000)
            queue.records.purge()
            queue.dead.purge()
        else:
            queue.remove()
        queue_store.forget_reader(call.store.core, queue)


def check_no_queues(call: Call, stream: WireStream, what: str) -> None:
    """Raises for a stream that has queues."""
    if queue_store.of_stream(call.store, stream.full_name):
        account, _, name = stream.full_name
        raise in_use(
            f"Stream {name} under account {account} has queues. Delete them with DeleteQueue "
            f"before you {what}."
        )
