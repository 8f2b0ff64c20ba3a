"""What an account has, and how it pays."""

from __future__ import annotations

from trunkline._core import WireStream
from trunkline.aws.kinesis import channel_store, stored
from trunkline.aws.kinesis.errors import over_limit
from trunkline.aws.kinesis.registry import operations
from trunkline.aws.limits import (
    ACCOUNT_CHANNELS,
    ACCOUNT_SHARDS,
    ON_DEMAND_STREAMS,
    STREAMS_CREATING_MAX,
)
from trunkline.aws.quotas import share

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.aws.operation import Call


@operations.add("DescribeLimits")
def describe_limits(call: Call) -> dict[str, Any]:
    """How many shards and on-demand streams the account has, and its quotas or AWS's usual ones."""
    streams = WireStream.all(call.store.core, call.account, call.region)
    on_demand = [one for one in streams if stored.mode(stored.read(one)) == stored.ON_DEMAND]
    own = f"{call.account}/{call.region}/"
    return {
        "ShardLimit": share(call, ACCOUNT_SHARDS) or ACCOUNT_SHARDS,
        "OpenShardCount": sum(stream.open_shards for stream in streams),
        "OnDemandStreamCount": len(on_demand),
        "OnDemandStreamCountLimit": share(call, ON_DEMAND_STREAMS) or ON_DEMAND_STREAMS,
        "ChannelCount": sum(1 for _ in channel_store.all_of(call.store, own)),
        "ChannelCountLimit": share(call, ACCOUNT_CHANNELS) or ACCOUNT_CHANNELS,
    }


def check_shards(call: Call, more: int) -> None:
    """Raises if the provisioned streams of the account may not have so many shards more."""
    most = share(call, ACCOUNT_SHARDS)
    if most is None or more <= 0:
        return
    streams = WireStream.all(call.store.core, call.account, call.region)
    modes = [(stream, stored.mode(stored.read(stream))) for stream in streams]
    known = sum(stream.open_shards for stream, mode in modes if mode == stored.PROVISIONED)
    if known + more > most:
        raise over_limit(
            f"This request would exceed the shard limit for the account {call.account} in "
            f"{call.region}. Current shard count for the account: {known}. Limit: {most}. Number "
            f"of additional shards that would have resulted from this request: {more}."
        )


def check_channels(call: Call, known: int) -> None:
    """Raises if the account, which has `known` channels, may not have another one."""
    most = share(call, ACCOUNT_CHANNELS)
    if most is not None and known >= most:
        raise over_limit(
            f"This request would exceed the limit on the number of channels for the account "
            f"{call.account} in {call.region}. Current channels count: {known}. Limit: {most}."
        )


def check_new_stream(call: Call, mode: str, shards: int) -> None:
    """Raises if the account may not have such a stream more."""
    most = share(call, ON_DEMAND_STREAMS)
    if most is None:
        return None
    streams = WireStream.all(call.store.core, call.account, call.region)
    if sum(stream.status == "CREATING" for stream in streams) >= STREAMS_CREATING_MAX:
        raise over_limit(
            "This request would have exceed the limit on the number of streams that can "
            f"simultaneously be in CREATING or DELETING for the account {call.account}. "
            f"Limit: {STREAMS_CREATING_MAX}."
        )
    if mode == stored.PROVISIONED:
        return check_shards(call, shards)
    known = sum(stored.mode(stored.read(stream)) == stored.ON_DEMAND for stream in streams)
    if known >= most:
        raise over_limit(
            "This request would exceed the limit on the number of On-Demand streams for the "
            f"account {call.account} in {call.region}. Current On-Demand streams count: {known}. "
            f"Limit: {most}."
        )
    return None


def _key(call: Call) -> str:
    return f"kinesis-account/{call.account}/{call.region}"


def is_committed(call: Call) -> bool:
    """Whether the account has committed itself to a least throughput."""
    return (call.store.get(_key(call)) or {}).get("Status") == "ENABLED"


@operations.add("DescribeAccountSettings")
def describe_account_settings(call: Call) -> dict[str, Any]:
    """Whether the account has committed itself to a least throughput."""
    kept = call.store.get(_key(call)) or {"Status": "DISABLED"}
    return {"MinimumThroughputBillingCommitment": kept}


@operations.add("UpdateAccountSettings", writes=True)
def update_account_settings(
    call: Call, *, minimum_throughput_billing_commitment: Mapping[str, str]
) -> dict[str, Any]:
    """Begins or ends the commitment of the account."""
    status = minimum_throughput_billing_commitment["Status"]
    kept = {"Status": status}
    with call.store.lock:
        before = call.store.get(_key(call)) or {}
        times = {name: before[name] for name in ("StartedAt", "EndedAt") if name in before}
        times["StartedAt" if status == "ENABLED" else "EndedAt"] = call.store.now()
        call.store.put(_key(call), kept | times)
    return {"MinimumThroughputBillingCommitment": kept | times}
