"""Records of failed batches in a bucket: what the other destinations are told, and the batch."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import uuid4

from trunkline._core import Buckets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Engine as CoreEngine


def bucket_of(arn: str | None) -> str | None:
    """The bucket of an ARN; None for another resource.

    >>> bucket_of("arn:aws:s3:::failed"), bucket_of("arn:aws:sqs:eu-west-1:000000000000:failed")
    ('failed', None)
    """
    parts = (arn or "").split(":", 5)
    return parts[5] if len(parts) == 6 and parts[2] == "s3" and parts[5] else None


def key_of(uuid: str, shard: str, at: float) -> str:
    """The key of a record, as Lambda makes it, without its random end.

    >>> key_of("a1", "shardId-000000000000", 1_000.5)
    'aws/lambda/a1/shardId-000000000000/1970/01/01/1970-01-01T00.16.40-'
    """
    moment = datetime.fromtimestamp(at, UTC)
    return f"aws/lambda/{uuid}/{shard}/{moment:%Y/%m/%d}/{moment:%Y-%m-%dT%H.%M.%S}-"


def keep_letter(
    core: CoreEngine,
    bucket: str,
    uuid: str,
    shard: str,
    told: dict[str, Any],
    batch: list[dict[str, Any]],
) -> None:
    """Puts the record of a batch into a bucket; one that is not there is told nothing."""
    found = Buckets(core).find(bucket)
    if found is None:
        return
    body = json.dumps({**told, "payload": json.dumps({"Records": batch})})
    writer = found.writer()
    try:
        writer.write(body.encode())
        key = key_of(uuid, shard, core.now()) + str(uuid4())
        found.put(key, writer, [("content-type", "application/json")], [], False, None)
    finally:
        writer.discard()
