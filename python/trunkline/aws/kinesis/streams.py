"""Streams come and go: create, describe, list, delete."""

from __future__ import annotations

from trunkline._core import WireStream
from trunkline.aws.kinesis import (
    channel_store,
    channels,
    consumers,
    names,
    queue_store,
    queues,
    stored,
)
from trunkline.aws.kinesis.account import check_new_stream
from trunkline.aws.kinesis.errors import in_use, invalid, violation
from trunkline.aws.kinesis.names import change_duration, find
from trunkline.aws.kinesis.registry import operations
from trunkline.aws.kinesis.shards import as_output, page_of_shards
from trunkline.aws.kinesis.stored import ON_DEMAND, PROVISIONED
from trunkline.aws.kinesis.tag_rules import check_tags
from trunkline.aws.limits import (
    HOUR_MS,
    KIB,
    KINESIS_PAGE_DEFAULT,
    ON_DEMAND_SHARDS,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.aws.operation import Call


@operations.add("CreateStream", writes=True)
def create_stream(
    call: Call,
    *,
    stream_name: str,
    shard_count: int | None = None,
    stream_mode_details: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    warm_throughput_mi_bps: int | None = None,
    max_record_size_in_ki_b: int | None = None,
    record_distribution_strategy: str | None = None,
) -> None:
    """Creates a stream; it is CREATING for a while."""
    mode = (stream_mode_details or {}).get("StreamMode")
    if mode is None:
        mode = ON_DEMAND if shard_count is None else PROVISIONED
    if mode == ON_DEMAND and shard_count is not None:
        raise violation("ShardCount must not be specified with the stream mode ON_DEMAND.")
    if mode == PROVISIONED and shard_count is None:
        raise violation("ShardCount must be specified with the stream mode PROVISIONED.")
    check_strategy(mode, record_distribution_strategy)
    check_tags(tags or {}, {}, stream_name, call.account)
    kept = {
        "mode": mode,
        "tags": dict(tags or {}),
        "warm": warm_throughput_mi_bps,
        "strategy": record_distribution_strategy,
    }
    name = (call.account, call.region, stream_name)
    core = call.store.core
    with call.store.lock:
        if WireStream.find(core, name) is not None:
            raise in_use(f"Stream {stream_name} under account {call.account} already exists.")
        shards = ON_DEMAND_SHARDS if shard_count is None else shard_count
        check_new_stream(call, mode, shards)
        document = stored.write(b"", kept)
        stream = WireStream.create(core, name, shards, 24 * HOUR_MS, document)
        if max_record_size_in_ki_b is not None:
            stream.set_record_bytes_max(max_record_size_in_ki_b * KIB)
        stream.begin_change("CREATING", change_duration(call))


def check_strategy(mode: str, strategy: str | None) -> None:
    """Only on-demand streams let Kinesis choose the shards of records."""
    if strategy == "AUTO" and mode != ON_DEMAND:
        raise invalid(
            "The record distribution strategy AUTO is supported only for streams of the mode "
            "ON_DEMAND."
        )


@operations.add("DescribeStream")
def describe_stream(
    call: Call,
    *,
    stream_name: str | None = None,
    stream_arn: str | None = None,
    stream_id: str | None = None,
    limit: int = KINESIS_PAGE_DEFAULT,
    exclusive_start_shard_id: str | None = None,
) -> dict[str, Any]:
    """A stream with its shards."""
    stream = find(call)
    rows = [] if stream.status == "CREATING" else stream.shards()
    shown, more = page_of_shards(rows, exclusive_start_shard_id, limit)
    description = _common(stream) | {
        "Shards": [as_output(row) for row in shown],
        "HasMoreShards": more,
    }
    return {"StreamDescription": description}


def _common(stream: WireStream) -> dict[str, Any]:
    kept = stored.read(stream)
    return {
        "StreamName": stream.full_name[2],
        "StreamARN": names.stream_arn(stream.full_name),
        "StreamStatus": stream.status,
        "StreamModeDetails": {"StreamMode": stored.mode(kept)},
        "RetentionPeriodHours": stream.retention // HOUR_MS,
        "StreamCreationTimestamp": stream.created_at,
        "EnhancedMonitoring": [{"ShardLevelMetrics": kept.get("monitoring", [])}],
        "EncryptionType": kept.get("encryption", "NONE"),
        "KeyId": kept.get("key"),
    }


@operations.add("DescribeStreamSummary")
def describe_stream_summary(
    call: Call,
    *,
    stream_name: str | None = None,
    stream_arn: str | None = None,
    stream_id: str | None = None,
) -> dict[str, Any]:
    """A stream without its shards."""
    stream = find(call)
    kept = stored.read(stream)
    warm = kept.get("warm")
    summary = _common(stream) | {
        "OpenShardCount": 0 if stream.status == "CREATING" else stream.open_shards,
        "ConsumerCount": len(consumers.present(call, kept)),
        "ChannelCount": len(channel_store.of_stream(call.store, stream.full_name)),
        "QueueCount": len(queue_store.of_stream(call.store, stream.full_name)),
        "MaxRecordSizeInKiB": stream.record_bytes_max // KIB,
        "RecordDistributionStrategy": kept.get("strategy"),
    }
    if warm is not None:
        summary["WarmThroughput"] = {"TargetMiBps": warm, "CurrentMiBps": warm}
    return {"StreamDescriptionSummary": summary}


@operations.add("ListStreams")
def list_streams(
    call: Call,
    *,
    limit: int = KINESIS_PAGE_DEFAULT,
    exclusive_start_stream_name: str | None = None,
    next_token: str | None = None,
) -> dict[str, Any]:
    """The streams of the caller, sorted by name."""
    after = next_token or exclusive_start_stream_name or ""
    streams = [
        stream
        for stream in WireStream.all(call.store.core, call.account, call.region)
        if stream.full_name[2] > after
    ]
    shown, more = streams[:limit], len(streams) > limit
    summaries = [
        {
            "StreamName": stream.full_name[2],
            "StreamARN": names.stream_arn(stream.full_name),
            "StreamStatus": stream.status,
            "StreamModeDetails": {"StreamMode": stored.mode(stored.read(stream))},
            "StreamCreationTimestamp": stream.created_at,
        }
        for stream in shown
    ]
    listed = [stream.full_name[2] for stream in shown]
    output = {"StreamNames": listed, "HasMoreStreams": more, "StreamSummaries": summaries}
    return output | ({"NextToken": listed[-1]} if more else {})


@operations.add("DeleteStream", writes=True)
def delete_stream(
    call: Call,
    *,
    stream_name: str | None = None,
    stream_arn: str | None = None,
    stream_id: str | None = None,
    enforce_consumer_deletion: bool = False,
) -> None:
    """Deletes a stream; it is DELETING for a while, and can be read until it is gone."""
    with call.store.lock:
        stream = find(call)
        if stream.status == "DELETING":
            return
        queues.check_no_queues(call, stream, "delete the stream")
        channels.check_no_channels(call, stream.full_name)
        if consumers.present(call, stored.read(stream)) and not enforce_consumer_deletion:
            account, _, name = stream.full_name
            raise in_use(
                f"Stream {name} under account {account} has registered consumers. Deregister "
                "them, or set EnforceConsumerDeletion."
            )
        stream.begin_change("DELETING", change_duration(call))
