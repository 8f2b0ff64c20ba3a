"""What the tests of Kinesis share."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

ACCOUNT, REGION = "000000000000", "us-east-1"
HASH_MAX = 2**128 - 1


def arn(name: str) -> str:
    return f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{name}"


def refused(call, code: str, message: str | None = None, **given) -> str:
    """The message with which a call is refused."""
    with pytest.raises(ClientError) as caught:
        call(**given)
    error = caught.value.response["Error"]
    assert error["Code"] == code, error
    if message is not None:
        assert error["Message"] == message
    return error["Message"]


def iterator(kinesis, name: str, kind: str = "TRIM_HORIZON", shard: str = "0", **more) -> str:
    answer = kinesis.get_shard_iterator(
        StreamName=name, ShardId=shard, ShardIteratorType=kind, **more
    )
    return answer["ShardIterator"]


def records(kinesis, name: str, kind: str = "TRIM_HORIZON", shard: str = "0", **more) -> list:
    """What one read of a shard brings."""
    return kinesis.get_records(ShardIterator=iterator(kinesis, name, kind, shard, **more))[
        "Records"
    ]


def shards_of(kinesis, name: str) -> list:
    return kinesis.describe_stream(StreamName=name)["StreamDescription"]["Shards"]
