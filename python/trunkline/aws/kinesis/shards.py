"""Shards: lists of them, splits, merges, and the number of them."""

from __future__ import annotations

import base64
import binascii
import json

from trunkline._core import WireStream
from trunkline.aws.kinesis import names, stored
from trunkline.aws.kinesis.account import check_shards
from trunkline.aws.kinesis.errors import expired_token, invalid, not_found, violation
from trunkline.aws.kinesis.names import check_active, find, find_active, note_change, updating
from trunkline.aws.kinesis.registry import operations
from trunkline.aws.limits import (
    KINESIS_TOKEN_SECONDS,
    LIST_SHARDS_DEFAULT,
    SHARD_ID_CHARS_MAX,
    SHARDS_PER_SCALING_MAX,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, TypeAlias

    from trunkline.aws.operation import Call

    Row: TypeAlias = tuple[
        str, tuple[str | None, str | None], tuple[str, str], tuple[str, str | None]
    ]

_SHARD_MAX = 2**31 - 1
_MILLIS_MAX = 2.0**53
_FILTERS = (
    "AFTER_SHARD_ID",
    "AT_TRIM_HORIZON",
    "FROM_TRIM_HORIZON",
    "AT_LATEST",
    "AT_TIMESTAMP",
    "FROM_TIMESTAMP",
)


def as_output(row: Row) -> dict[str, Any]:
    """A shard as AWS shows it."""
    id, (parent, adjacent), (first, last), (start, end) = row
    return {
        "ShardId": id,
        "ParentShardId": parent,
        "AdjacentParentShardId": adjacent,
        "HashKeyRange": {"StartingHashKey": first, "EndingHashKey": last},
        "SequenceNumberRange": {"StartingSequenceNumber": start, "EndingSequenceNumber": end},
    }


def page_of_shards(
    rows: Sequence[Row], after: str | None, limit: int
) -> tuple[Sequence[Row], bool]:
    """At most `limit` shards behind the shard `after`, and whether there are more."""
    start = "" if after is None else shard_id(after) or after
    left = [row for row in rows if row[0] > start]
    return left[:limit], len(left) > limit


def shard_id(text: str) -> str | None:
    """The long form of a shard's id; None for what is none.

    >>> shard_id("shardId-7"), shard_id("0"), shard_id("x")
    ('shardId-000000000007', 'shardId-000000000000', None)
    """
    digits = text.removeprefix("shardId-")
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= SHARD_ID_CHARS_MAX
    if not is_number or int(digits) > _SHARD_MAX:
        return None
    return f"shardId-{int(digits):012}"


def existing_shard(stream: WireStream, text: str) -> Row:
    """The shard that a text names."""
    id = shard_id(text)
    for row in stream.shards():
        if row[0] == id:
            return row
    account, _, name = stream.full_name
    raise not_found(f"Could not find shard {id or text} in stream {name} under account {account}.")


@operations.add("ListShards")
def list_shards(
    call: Call,
    *,
    stream_name: str | None = None,
    stream_arn: str | None = None,
    stream_id: str | None = None,
    next_token: str | None = None,
    exclusive_start_shard_id: str | None = None,
    max_results: int = LIST_SHARDS_DEFAULT,
    stream_creation_timestamp: float | None = None,
    shard_filter: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The shards of a stream that pass a filter, page by page."""
    if next_token is not None:
        if stream_name is not None or stream_arn is not None:
            raise invalid("NextToken and StreamName cannot be provided together.")
        return _next_page(call, next_token, max_results)
    stream = find(call)
    _check_created(stream, stream_creation_timestamp)
    chosen = dict(shard_filter or {"Type": "FROM_TRIM_HORIZON"})
    return _page(call, stream, chosen, exclusive_start_shard_id, max_results)


def _check_created(stream: WireStream, created: float | None) -> None:
    if created is not None and abs(created - stream.created_at) >= 1:
        account, _, name = stream.full_name
        raise not_found(
            f"Stream {name} under account {account} with this creation timestamp not found."
        )


def _page(
    call: Call, stream: WireStream, chosen: dict[str, Any], after: str | None, limit: int
) -> dict[str, Any]:
    rows = [] if stream.status == "CREATING" else _filtered(stream, chosen)
    shown, more = page_of_shards(rows, after, limit)
    output: dict[str, Any] = {"Shards": [as_output(row) for row in shown]}
    if more:
        token = {
            "stream": stream.full_name,
            "created": stream.created_at,
            "filter": chosen,
            "after": shown[-1][0],
            "at": call.store.now(),
        }
        output["NextToken"] = base64.b64encode(json.dumps(token).encode()).decode()
    return output


def _filtered(stream: WireStream, chosen: Mapping[str, Any]) -> list[Row]:
    kind = chosen["Type"]
    shard, time = chosen.get("ShardId"), chosen.get("Timestamp")
    if (kind == "AFTER_SHARD_ID") is not (shard is not None):
        raise invalid("ShardId must be specified with the filter AFTER_SHARD_ID, and no other.")
    if kind.endswith("_TIMESTAMP") is not (time is not None):
        raise invalid(
            "Timestamp must be specified with the filters AT_TIMESTAMP and FROM_TIMESTAMP, and no "
            "other."
        )
    if shard is not None and (shard := shard_id(shard)) is None:
        raise invalid(f"ShardId {chosen['ShardId']} of the filter is not the id of a shard.")
    return stream.shards(kind, shard, _millis(time))


def _millis(time: float | None) -> int:
    """A time for the engine: one that is out of its range, or no number, is at an end of it."""
    return int(min(max(0.0, (time or 0.0) * 1_000), _MILLIS_MAX))


def _next_page(call: Call, token: str, limit: int) -> dict[str, Any]:
    try:
        read = json.loads(base64.b64decode(token, validate=True))
        account, region, name = read["stream"]
        created, chosen, after = (
            float(read["created"]),
            dict(read["filter"]),
            shard_id(read["after"]),
        )
        age = call.store.now() - float(read["at"])
        _check_token(name, chosen, after)
    except (
        binascii.Error,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        OverflowError,
    ):
        raise invalid("Invalid NextToken.") from None
    if age > KINESIS_TOKEN_SECONDS:
        raise expired_token()
    if (account, region) != (call.account, call.region):
        raise invalid("Invalid NextToken.")
    stream = WireStream.find(call.store.core, (account, region, name))
    if stream is None or stream.created_at != created:
        raise not_found(f"Stream {name} under account {account} not found.")
    return _page(call, stream, chosen, after, limit)


def _check_token(name: object, chosen: Mapping[str, Any], after: str | None) -> None:
    """Raises ValueError for a token that no answer had: callers may write their own."""
    kind, shard, time = chosen["Type"], chosen.get("ShardId"), chosen.get("Timestamp")
    is_known = (
        isinstance(name, str)
        and kind in _FILTERS
        and isinstance(shard, str | None)
        and isinstance(time, int | float | None)
        and after is not None
    )
    if not is_known:
        raise ValueError("a member of the token has another type")


@operations.add("SplitShard", writes=True)
def split_shard(
    call: Call,
    *,
    shard_to_split: str,
    new_starting_hash_key: str,
    stream_name: str | None = None,
    stream_arn: str | None = None,
    stream_id: str | None = None,
) -> None:
    """Splits a shard; the stream is UPDATING for a while."""
    with call.store.lock:
        stream = find(call)
        row = existing_shard(stream, shard_to_split)
        id, _, (first, last), _ = row
        account, _, name = stream.full_name
        key = int(new_starting_hash_key)
        if not int(first) + 1 < key < int(last):
            raise invalid(
                f"NewStartingHashKey {key} used in SplitShard() on shard {id} in stream {name} "
                f"under account {account} is not both greater than one plus the shard's "
                f"StartingHashKey {first} and less than the shard's EndingHashKey {last}."
            )
        _check_reshardable(stream)
        _check_open(stream, row)
        check_shards(call, 1)
        stream.split(id, str(key))
        updating(call, stream)


@operations.add("MergeShards", writes=True)
def merge_shards(
    call: Call,
    *,
    shard_to_merge: str,
    adjacent_shard_to_merge: str,
    stream_name: str | None = None,
    stream_arn: str | None = None,
    stream_id: str | None = None,
) -> None:
    """Merges two neighbours, the one with the lower hash keys first."""
    with call.store.lock:
        stream = find(call)
        rows = [existing_shard(stream, text) for text in (shard_to_merge, adjacent_shard_to_merge)]
        account, _, name = stream.full_name
        if int(rows[0][2][1]) + 1 != int(rows[1][2][0]):
            raise invalid(
                f"Shards {rows[0][0]} and {rows[1][0]} in stream {name} under account {account} "
                "are not an adjacent pair of shards eligible for merging"
            )
        _check_reshardable(stream)
        for row in rows:
            _check_open(stream, row)
        stream.merge(rows[0][0], rows[1][0])
        updating(call, stream)


def _check_reshardable(stream: WireStream) -> None:
    check_active(stream)
    if stored.mode(stored.read(stream)) == stored.ON_DEMAND:
        raise violation(
            f"The stream {stream.full_name[2]} has the mode ON_DEMAND: Kinesis scales its shards."
        )


def _check_open(stream: WireStream, row: Row) -> None:
    if row[3][1] is not None:
        account, _, name = stream.full_name
        raise invalid(
            f"Shard {row[0]} in stream {name} under account {account} is closed: it was split or "
            "merged before."
        )


@operations.add("UpdateShardCount", writes=True)
def update_shard_count(
    call: Call,
    *,
    target_shard_count: int,
    scaling_type: str,
    stream_name: str | None = None,
    stream_arn: str | None = None,
    stream_id: str | None = None,
) -> dict[str, Any]:
    """Brings a stream to a number of shards of equal width."""
    with call.store.lock:
        stream = find_active(call)
        _check_reshardable(stream)
        current = stream.open_shards
        if target_shard_count > SHARDS_PER_SCALING_MAX:
            raise invalid(f"TargetShardCount must not be more than {SHARDS_PER_SCALING_MAX}.")
        if not current / 2 <= target_shard_count <= current * 2:
            raise invalid(
                "UpdateShardCount cannot scale up over double your current open shard count, or "
                f"scale down below half of it. Current open shard count: {current}. Target shard "
                f"count: {target_shard_count}."
            )
        check_shards(call, target_shard_count - current)
        note_change(call, "UpdateShardCount", stream)
        if target_shard_count != current:
            stream.resize(target_shard_count)
        updating(call, stream)
    return {
        "StreamName": stream.full_name[2],
        "CurrentShardCount": current,
        "TargetShardCount": target_shard_count,
        "StreamARN": names.stream_arn(stream.full_name),
    }
