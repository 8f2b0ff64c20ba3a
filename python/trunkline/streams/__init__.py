"""Streams: records in shards, and readers. The other public names are those of `trunkline`."""

from __future__ import annotations

from trunkline.streams.aggregation import UserRecord, deaggregate
from trunkline.streams.tables import as_table

__all__ = ["UserRecord", "as_table", "deaggregate"]
