"""What the tests of Kinesis share."""

from __future__ import annotations

import struct

import pytest
from refusals import refused as refusal

ACCOUNT, REGION = "000000000000", "us-east-1"
HASH_MAX = 2**128 - 1


def arn(name: str) -> str:
    return f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{name}"


def refused(call, code: str, message: str | None = None, **given) -> str:
    """The message with which a call is refused."""
    found, text = refusal(call, **given)
    assert found == code, text
    if message is not None:
        assert text == message
    return text


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


def cbor(value: object) -> bytes:
    """A value as CBOR, as older Java clients write it."""
    if value is None or isinstance(value, bool):
        return {None: b"\xf6", False: b"\xf4", True: b"\xf5"}[value]
    if isinstance(value, int):
        number = value if value >= 0 else -1 - value
        if number >= 2**64:
            return b"\xfb" + struct.pack(">d", value)
        return _head(0 if value >= 0 else 1, number)
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        text = value.encode("utf-8", "surrogatepass")
        return _head(3, len(text)) + text
    if isinstance(value, (list, tuple)):
        return _head(4, len(value)) + b"".join(map(cbor, value))
    assert isinstance(value, dict)
    pairs = (cbor(part) for pair in value.items() for part in pair)
    return _head(5, len(value)) + b"".join(pairs)


def _head(major: int, number: int) -> bytes:
    for info, form, size in ((24, "B", 2**8), (25, "H", 2**16), (26, "I", 2**32), (27, "Q", 2**64)):
        if number < 24:
            return bytes([major << 5 | number])
        if number < size:
            return bytes([major << 5 | info]) + struct.pack(f">{form}", number)
    raise ValueError("a number of more than 64 bits")


def from_cbor(data: bytes) -> object:
    """A value that CBOR says; times are numbers in the unit of the sender."""
    parsers = pytest.importorskip("botocore.parsers")
    if not hasattr(parsers, "RpcV2CBORParser"):
        pytest.skip("the oldest botocore reads no CBOR")
    reader = parsers.RpcV2CBORParser(timestamp_parser=lambda number: number)
    return reader.parse_data_item(reader.get_peekable_stream_from_bytes(data))
