"""Records of a stream as pipes and event source mappings hand them on, and what they share."""

from __future__ import annotations

import asyncio
import base64
import math

from trunkline.aio.streams.waiting import records as read
from trunkline.functions.results import iso

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from trunkline._core import Record, Stream
    from trunkline.aws.arns import Resource

EXHAUSTED, TOO_OLD = "RetryAttemptsExhausted", "RecordAgeExceeded"
"""Why records are given up."""


def envelope_of(record: Record, stream: Resource, role: str) -> dict[str, Any]:
    """What a record tells of its source."""
    return {
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{record.shard}:{record.sequence}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": role,
        "awsRegion": stream.region,
        "eventSourceARN": stream.arn,
    }


def content_of(record: Record) -> dict[str, Any]:
    """What a record tells of itself."""
    return {
        "kinesisSchemaVersion": "1.0",
        "partitionKey": record.key,
        "sequenceNumber": record.sequence,
        "data": base64.b64encode(record.data).decode(),
        "approximateArrivalTimestamp": record.timestamp,
    }


def batch_info(shard: str, contents: list[dict[str, Any]], stream: Resource) -> dict[str, Any]:
    """Where the records of a batch are that was given up: they stay in the stream."""
    first, last = contents[0], contents[-1]
    return {
        "shardId": shard,
        "startSequenceNumber": first["sequenceNumber"],
        "endSequenceNumber": last["sequenceNumber"],
        "approximateArrivalOfFirstRecord": iso(first["approximateArrivalTimestamp"]),
        "approximateArrivalOfLastRecord": iso(last["approximateArrivalTimestamp"]),
        "batchSize": len(contents),
        "streamArn": stream.arn,
    }


async def pause(
    stream: Stream, now: Callable[[], float], seconds: float, stop: asyncio.Event
) -> None:
    """Lets time pass on the engine's clock, or until `stop` is set."""
    until = now() + seconds
    stopped = asyncio.ensure_future(stop.wait())
    try:
        while not stop.is_set() and (left := until - now()) > 0:
            # A read of what is not put yet waits on the engine's clock.
            span = max(1, math.ceil(left * 1_000))
            waiting = asyncio.ensure_future(read(stream.begin_read, None, "latest", None, 1, span))
            await asyncio.wait({waiting, stopped}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
    finally:
        stopped.cancel()
