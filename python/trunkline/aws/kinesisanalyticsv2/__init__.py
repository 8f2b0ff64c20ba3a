"""Kinesis Analytics (`kinesisanalyticsv2`): SQL applications over streams, evaluated by DuckDB.

`docs/analytics.md` says which SQL is served. Applications of Flink are refused.
"""

from __future__ import annotations

from trunkline.aws.kinesisanalyticsv2 import (
    applications,
    changes,
    discovery,
    snapshots,
    state,
    tags,
    update,
)
from trunkline.aws.kinesisanalyticsv2.registry import operations

__all__ = [
    "applications",
    "changes",
    "discovery",
    "operations",
    "snapshots",
    "state",
    "tags",
    "update",
]
