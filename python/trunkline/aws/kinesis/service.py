"""The control plane of Kinesis. What carries records takes the data plane, in Rust."""

from __future__ import annotations

from trunkline.aws.kinesis import (
    account,
    channels,
    consumers,
    policies,
    queues,
    settings,
    shards,
    streams,
    tags,
)
from trunkline.aws.kinesis.registry import operations

__all__ = [
    "account",
    "channels",
    "consumers",
    "operations",
    "policies",
    "queues",
    "settings",
    "shards",
    "streams",
    "tags",
]
