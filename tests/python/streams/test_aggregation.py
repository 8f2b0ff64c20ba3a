"""Records that the Kinesis Producer Library packed into one."""

from __future__ import annotations

from hashlib import md5

import pytest
from hypothesis import given
from hypothesis import strategies as st

import trunkline
from trunkline.streams import UserRecord, deaggregate

# The published vector: the key "pk", and the records "hello" and "world".
VECTOR = bytes.fromhex(
    "f3899ac20a02706b1a0908001a0568656c6c6f1a0908001a05776f726c644747b0d63591c416fdae617529bdda27"
)


def boto(data: bytes) -> dict[str, object]:
    return {"Data": data, "PartitionKey": "outer", "SequenceNumber": "7"}


def packed(message: bytes) -> bytes:
    return b"\xf3\x89\x9a\xc2" + message + md5(message).digest()


def opened(data: bytes) -> list[UserRecord]:
    return list(deaggregate([boto(data)]))


def test_the_published_vector_comes_apart():
    assert opened(VECTOR) == [
        UserRecord(b"hello", "pk", None, "7", 0),
        UserRecord(b"world", "pk", None, "7", 1),
    ]


def test_packs_pass_through_a_stream_beside_plain_records():
    with trunkline.open() as engine:
        stream = engine.stream("clicks")
        stream.put_batch([("a", b"plain"), ("b", VECTOR)])
        found = list(deaggregate(stream.read()))
        sequences = [record.sequence for record in stream.read()]
    assert [(one.key, one.text(), one.sub_sequence) for one in found] == [
        ("a", "plain", None),
        ("pk", "hello", 0),
        ("pk", "world", 1),
    ]
    assert [one.sequence for one in found] == [sequences[0], sequences[1], sequences[1]]


def test_explicit_hash_keys_tags_and_unknown_fields_are_read():
    table = b"\x0a\x01k" + b"\x12\x025\x30"
    # An index of the table of hash keys, data, a tag, and a field that the format lacks.
    record = b"\x08\x00\x10\x00\x1a\x01x\x22\x03\x0a\x01t\x48\x01"
    data = packed(table + b"\x1a" + bytes([len(record)]) + record)
    assert opened(data) == [UserRecord(b"x", "k", 50, "7", 0)]


def test_what_another_shard_has_since_a_resharding_is_left_out():
    position = int.from_bytes(md5(b"pk").digest(), "big")
    inside, outside = (position, position), (0, position - 1)
    assert len(list(deaggregate([boto(VECTOR)], hash_keys=inside))) == 2
    assert list(deaggregate([boto(VECTOR)], hash_keys=outside)) == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xf3\x89\x9a\xc2",
        VECTOR[:-1] + b"\x00",
        packed(b"\x1a\x02\x08\x05"),
        packed(b"\x1a\x02\x08"),
        packed(b"\x0a\x01\xff\x1a\x00"),
        packed(b"\x0b"),
        packed(b"\x80" * 11),
    ],
)
def test_what_is_no_pack_comes_as_it_is(data):
    assert opened(data) == [UserRecord(data, "outer", None, "7", None)]


@given(st.binary(max_size=40))
def test_any_message_is_opened_or_comes_as_it_is(message):
    assert all(one.sequence == "7" for one in opened(packed(message)))
