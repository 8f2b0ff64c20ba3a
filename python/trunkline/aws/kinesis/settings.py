"""What can be changed of a stream: retention, mode, encryption, monitoring, sizes."""

from __future__ import annotations

from trunkline.aws.kinesis import names, stored
from trunkline.aws.kinesis.errors import invalid
from trunkline.aws.kinesis.names import find_active, note_change, updating
from trunkline.aws.kinesis.queues import check_no_queues
from trunkline.aws.kinesis.registry import operations
from trunkline.aws.kinesis.streams import check_strategy
from trunkline.aws.limits import HOUR_MS, KIB

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline._core import WireStream
    from trunkline.aws.operation import Call

METRICS = (
    "IncomingBytes",
    "IncomingRecords",
    "OutgoingBytes",
    "OutgoingRecords",
    "WriteProvisionedThroughputExceeded",
    "ReadProvisionedThroughputExceeded",
    "IteratorAgeMilliseconds",
)


def _check_retention(call: Call, hours: int) -> None:
    least = call.store.limit("stream_retention_min") // HOUR_MS
    most = call.store.limit("stream_retention_max") // HOUR_MS
    if hours < least:
        raise invalid(
            f"Minimum allowed retention period is {least} hours. Requested retention period "
            f"({hours} hours) is too short."
        )
    if hours > most:
        raise invalid(
            f"Maximum allowed retention period is {most} hours. Requested retention period "
            f"({hours} hours) is too long."
        )


@operations.add("IncreaseStreamRetentionPeriod", writes=True)
def increase_stream_retention_period(
    call: Call,
    *,
    retention_period_hours: int,
    stream_name: str | None = None,
    stream_arn: str | None = None,
    stream_id: str | None = None,
) -> None:
    """Keeps records longer; those that are gone do not come back."""
    _retain(call, retention_period_hours, at_least=True)


@operations.add("DecreaseStreamRetentionPeriod", writes=True)
def decrease_stream_retention_period(
    call: Call,
    *,
    retention_period_hours: int,
    stream_name: str | None = None,
    stream_arn: str | None = None,
    stream_id: str | None = None,
) -> None:
    """Keeps records for a shorter time; older ones are gone at once."""
    _retain(call, retention_period_hours, at_least=False)


def _retain(call: Call, hours: int, *, at_least: bool) -> None:
    """Changes the retention to what is at least, or at most, that of now."""
    with call.store.lock:
        stream = find_active(call)
        _check_retention(call, hours)
        current = stream.retention // HOUR_MS
        if current != hours and (hours > current) is not at_least:
            wrong, other = ("shorter", "Decrease") if at_least else ("longer", "Increase")
            raise invalid(
                f"Requested retention period ({hours} hours) for stream {stream.full_name[2]} can "
                f"not be {wrong} than existing retention period ({current} hours). Use "
                f"{other}RetentionPeriod API."
            )
        stream.set_retention(hours * HOUR_MS)
        updating(call, stream)


@operations.add("UpdateStreamMode", writes=True)
def update_stream_mode(
    call: Call,
    *,
    stream_arn: str,
    stream_mode_details: Mapping[str, str],
    stream_id: str | None = None,
    warm_throughput_mi_bps: int | None = None,
) -> None:
    """Switches between PROVISIONED and ON_DEMAND; the shards stay."""
    with call.store.lock:
        stream = find_active(call)
        mode = stream_mode_details["StreamMode"]
        if mode == stored.PROVISIONED:
            check_no_queues(call, stream, "switch it to the mode PROVISIONED")
        kept = stored.read(stream)
        changes: dict[str, Any] = {"mode": mode}
        if mode == stored.PROVISIONED:
            changes["strategy"] = None
        changes["warm"] = warm_throughput_mi_bps or kept.get("warm")
        # Terraform sets the mode that a stream has each time it looks at it: no switch.
        if mode != stored.mode(kept):
            note_change(call, "UpdateStreamMode", stream)
        stored.change(stream, **changes)
        updating(call, stream)


@operations.add("StartStreamEncryption", writes=True, stored_only=True)
def start_stream_encryption(
    call: Call,
    *,
    encryption_type: str,
    key_id: str,
    stream_name: str | None = None,
    stream_arn: str | None = None,
    stream_id: str | None = None,
) -> None:
    """Says that records are encrypted under a key; answers carry the type then."""
    with call.store.lock:
        stream = find_active(call)
        if encryption_type != "KMS":
            raise invalid(f"EncryptionType {encryption_type} cannot be started. Use KMS.")
        note_change(call, "StartStreamEncryption", stream)
        stored.change(stream, encryption="KMS", key=key_id)
        updating(call, stream)


@operations.add("StopStreamEncryption", writes=True, stored_only=True)
def stop_stream_encryption(
    call: Call,
    *,
    encryption_type: str,
    key_id: str,
    stream_name: str | None = None,
    stream_arn: str | None = None,
    stream_id: str | None = None,
) -> None:
    """Says that records are no longer encrypted."""
    with call.store.lock:
        stream = find_active(call)
        note_change(call, "StopStreamEncryption", stream)
        stored.change(stream, encryption=None, key=None)
        updating(call, stream)


@operations.add("EnableEnhancedMonitoring", writes=True, stored_only=True)
def enable_enhanced_monitoring(
    call: Call,
    *,
    shard_level_metrics: Sequence[str],
    stream_name: str | None = None,
    stream_arn: str | None = None,
    stream_id: str | None = None,
) -> dict[str, Any]:
    """Adds metrics of each shard."""
    return _monitor(call, lambda known, given: known | given, shard_level_metrics)


@operations.add("DisableEnhancedMonitoring", writes=True, stored_only=True)
def disable_enhanced_monitoring(
    call: Call,
    *,
    shard_level_metrics: Sequence[str],
    stream_name: str | None = None,
    stream_arn: str | None = None,
    stream_id: str | None = None,
) -> dict[str, Any]:
    """Takes metrics of each shard away."""
    return _monitor(call, lambda known, given: known - given, shard_level_metrics)


def _monitor(call: Call, change: Any, metrics: Sequence[str]) -> dict[str, Any]:
    given = set(METRICS if "ALL" in metrics else metrics)
    with call.store.lock:
        stream = find_active(call)
        current = list(stored.read(stream).get("monitoring", []))
        wanted = change(set(current), given)
        desired = [metric for metric in METRICS if metric in wanted]
        stored.change(stream, monitoring=desired)
        updating(call, stream)
    return {
        "StreamName": stream.full_name[2],
        "CurrentShardLevelMetrics": current,
        "DesiredShardLevelMetrics": desired,
        "StreamARN": names.stream_arn(stream.full_name),
    }


@operations.add("UpdateMaxRecordSize", writes=True)
def update_max_record_size(
    call: Call,
    *,
    max_record_size_in_ki_b: int,
    stream_arn: str | None = None,
    stream_id: str | None = None,
) -> None:
    """Sets the largest record of a stream."""
    with call.store.lock:
        stream = find_active(call)
        stream.set_record_bytes_max(max_record_size_in_ki_b * KIB)
        updating(call, stream)


@operations.add("UpdateStreamWarmThroughput", writes=True, stored_only=True)
def update_stream_warm_throughput(
    call: Call,
    *,
    warm_throughput_mi_bps: int,
    stream_arn: str | None = None,
    stream_name: str | None = None,
    stream_id: str | None = None,
) -> dict[str, Any]:
    """Sets the throughput that a stream is kept ready for."""
    with call.store.lock:
        stream = _on_demand(call)
        current = stored.read(stream).get("warm")
        stored.change(stream, warm=warm_throughput_mi_bps)
        updating(call, stream)
    return {
        "StreamARN": names.stream_arn(stream.full_name),
        "StreamName": stream.full_name[2],
        "WarmThroughput": {"TargetMiBps": warm_throughput_mi_bps, "CurrentMiBps": current},
    }


def _on_demand(call: Call) -> WireStream:
    stream = find_active(call)
    if stored.mode(stored.read(stream)) != stored.ON_DEMAND:
        raise invalid(
            f"The stream {stream.full_name[2]} has the mode PROVISIONED; this needs ON_DEMAND."
        )
    return stream


@operations.add("UpdateStreamRecordDistributionStrategy", writes=True)
def update_stream_record_distribution_strategy(
    call: Call,
    *,
    stream_arn: str,
    record_distribution_strategy: str,
    stream_id: str | None = None,
) -> None:
    """Says whether partition keys decide the shards of records."""
    with call.store.lock:
        stream = find_active(call)
        check_strategy(stored.mode(stored.read(stream)), record_distribution_strategy)
        stored.change(stream, strategy=record_distribution_strategy)
