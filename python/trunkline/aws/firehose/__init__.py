"""Firehose: delivery streams, which deliver records to buckets, folders and HTTP endpoints."""

from __future__ import annotations

from trunkline.aws.firehose import encryption, records, streams, tags, updates
from trunkline.aws.firehose.registry import operations

__all__ = ["encryption", "operations", "records", "streams", "tags", "updates"]
