"""What an account has, and how it pays."""

from __future__ import annotations

from trunkline._core import WireStream
from trunkline.aws.kinesis import channel_store, stored
from trunkline.aws.kinesis.registry import operations
from trunkline.aws.limits import ACCOUNT_CHANNELS, ACCOUNT_SHARDS, ON_DEMAND_STREAMS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.aws.operation import Call


@operations.add("DescribeLimits")
def describe_limits(call: Call) -> dict[str, Any]:
    """How many shards and on-demand streams the account has, and AWS's usual quotas."""
    streams = WireStream.all(call.store.core, call.account, call.region)
    on_demand = [one for one in streams if stored.mode(stored.read(one)) == stored.ON_DEMAND]
    own = f"{call.account}/{call.region}/"
    return {
        "ShardLimit": ACCOUNT_SHARDS,
        "OpenShardCount": sum(stream.open_shards for stream in streams),
        "OnDemandStreamCount": len(on_demand),
        "OnDemandStreamCountLimit": ON_DEMAND_STREAMS,
        "ChannelCount": sum(1 for _ in channel_store.all_of(call.store, own)),
        "ChannelCountLimit": ACCOUNT_CHANNELS,
    }


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
