"""Kinesis over the wire, with boto3: putting and reading records."""

from __future__ import annotations

import base64
import time
from itertools import pairwise

import pytest
from kinesis_calls import HASH_MAX, arn, iterator, records, refused, shards_of


@pytest.fixture
def kinesis(connect):
    return connect("kinesis")


@pytest.fixture
def clicks(kinesis):
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    return "clicks"


def test_a_record_comes_back_as_it_was_put(kinesis, clicks):
    before = time.time()
    put = kinesis.put_record(StreamName=clicks, Data=b"\x00home\xff", PartitionKey="user-1")
    assert put["ShardId"] == "shardId-000000000000"
    assert len(put["SequenceNumber"]) == 56
    assert "EncryptionType" not in put
    answer = kinesis.get_records(ShardIterator=iterator(kinesis, clicks))
    (record,) = answer["Records"]
    assert (record["Data"], record["PartitionKey"]) == (b"\x00home\xff", "user-1")
    assert record["SequenceNumber"] == put["SequenceNumber"]
    assert before - 1 <= record["ApproximateArrivalTimestamp"].timestamp() <= time.time() + 1
    assert (answer["MillisBehindLatest"], "ChildShards" in answer) == (0, False)
    assert answer["NextShardIterator"] != iterator(kinesis, clicks)


def test_records_of_a_batch_are_answered_in_their_order(kinesis):
    kinesis.create_stream(StreamName="clicks", ShardCount=4)
    keys = ["1", "a", "partition-key", "a", ""]
    entries = [{"Data": key.encode(), "PartitionKey": key or "x"} for key in keys]
    entries[4]["ExplicitHashKey"] = str(HASH_MAX)
    answer = kinesis.put_records(StreamARN=arn("clicks"), Records=entries)
    assert answer["FailedRecordCount"] == 0
    # The hash keys of the reference: 3, 0 and 2 of four shards.
    assert [one["ShardId"][-1] for one in answer["Records"]] == ["3", "0", "2", "0", "3"]
    second, fourth = (int(answer["Records"][place]["SequenceNumber"]) for place in (1, 3))
    assert second < fourth
    assert [one["Data"] for one in records(kinesis, "clicks", shard="shardId-3")] == [b"1", b""]


def test_an_iterator_starts_where_its_type_says(kinesis, clicks):
    numbers = [
        kinesis.put_record(StreamName=clicks, Data=str(n), PartitionKey="k")["SequenceNumber"]
        for n in range(4)
    ]
    latest = iterator(kinesis, clicks, "LATEST")
    kinesis.put_record(StreamName=clicks, Data=b"4", PartitionKey="k")

    def data(kind, **more):
        return b"".join(one["Data"] for one in records(kinesis, clicks, kind, **more))

    assert data("TRIM_HORIZON") == b"01234"
    assert data("AT_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[2]) == b"234"
    assert data("AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[2]) == b"34"
    start = shards_of(kinesis, clicks)[0]["SequenceNumberRange"]["StartingSequenceNumber"]
    assert data("AT_SEQUENCE_NUMBER", StartingSequenceNumber=start) == b"01234"
    assert data("AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=start) == b"01234"
    assert data("AT_TIMESTAMP", Timestamp=0) == b"01234"
    for _ in range(2):
        read = kinesis.get_records(ShardIterator=latest)
        assert [one["Data"] for one in read["Records"]] == [b"4"]
    quoted = kinesis.get_records(ShardIterator=f'"{latest}"')
    assert [one["Data"] for one in quoted["Records"]] == [b"4"]


def test_a_read_ends_at_its_limit_and_goes_on(kinesis, clicks):
    entries = [{"Data": str(n), "PartitionKey": "k"} for n in range(5)]
    kinesis.put_records(StreamName=clicks, Records=entries)
    token, seen = iterator(kinesis, clicks), []
    for expected in (2, 2, 1, 0):
        answer = kinesis.get_records(ShardIterator=token, Limit=2)
        assert len(answer["Records"]) == expected
        seen += [one["Data"] for one in answer["Records"]]
        token = answer["NextShardIterator"]
    assert b"".join(seen) == b"01234"


def test_streams_of_the_process_and_of_the_wire_are_the_same(kinesis, engine):
    stream = engine.stream("made-here", shards=2, retention=86_400)
    stream.put("home", key="1")
    (record,) = records(kinesis, "made-here", shard="1")
    assert record["Data"] == b"home"
    kinesis.create_stream(StreamName="made-there", ShardCount=1)
    kinesis.put_record(StreamName="made-there", Data=b"cart", PartitionKey="1")
    found = engine.stream("made-there", create=False)
    assert [one.text() for one in found.read()] == ["cart"]
    assert kinesis.list_streams()["StreamNames"] == ["made-here", "made-there"]
    described = kinesis.describe_stream(StreamName="made-here")["StreamDescription"]
    assert described["StreamModeDetails"] == {"StreamMode": "PROVISIONED"}


def test_a_record_is_refused_in_the_words_of_aws(kinesis, clicks):
    number = kinesis.put_record(StreamName=clicks, Data=b"", PartitionKey="k")["SequenceNumber"]
    put = kinesis.put_record
    given = {"StreamName": clicks, "Data": b"", "PartitionKey": "k"}
    refused(
        put,
        "InvalidArgumentException",
        "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified "
        f"value was {2**128}",
        **given | {"ExplicitHashKey": str(2**128)},
    )
    message = (
        "1 validation error detected: Value '01' at 'explicitHashKey' failed to satisfy "
        r"constraint: Member must satisfy regular expression pattern: 0|([1-9]\d{0,38})"
    )
    refused(put, "ValidationException", message, **given | {"ExplicitHashKey": "01"})
    for minimum in ("5", str(int(number) + (10**9 << 36))):
        refused(
            put,
            "InvalidArgumentException",
            f"ExclusiveMinimumSequenceNumber {minimum} used in PutRecord on stream clicks under "
            "account 000000000000 is invalid.",
            **given | {"SequenceNumberForOrdering": minimum},
        )
    later = put(**given | {"SequenceNumberForOrdering": number})["SequenceNumber"]
    assert int(later) > int(number)
    refused(
        put,
        "ResourceNotFoundException",
        "Stream absent under account 000000000000 not found.",
        **given | {"StreamName": "absent"},
    )
    message = refused(
        kinesis.put_records,
        "ValidationException",
        StreamName=clicks,
        Records=[{"Data": b"", "PartitionKey": "k"}] * 501,
    )
    assert message.endswith("Member must have length less than or equal to 500")
    large = b"x" * (1024 * 1024)
    refused(put, "InvalidArgumentException", **given | {"Data": large})
    assert put(**given | {"Data": large[1:]})["ShardId"]


def test_sequence_numbers_and_iterators_have_the_layout_of_aws(clock, engine, kinesis):
    kinesis.create_stream(StreamName="clicks", ShardCount=3)
    created = int(clock.now)
    clock.advance(100)
    put = kinesis.put_record(StreamName="clicks", Data=b"", PartitionKey="k", ExplicitHashKey="0")
    kinesis.split_shard(StreamName="clicks", ShardToSplit="0", NewStartingHashKey="5")
    shard = shards_of(kinesis, "clicks")[0]["SequenceNumberRange"]

    def layout(number):
        text = f"{int(number):x}"
        assert (len(number), len(text)) == (56, 47)
        cuts = (0, 1, 10, 11, 27, 29, 38, 46, 47)
        return [text[low:high] for low, high in pairwise(cuts)]

    head = ["2", f"{created:09x}", "0"]
    tail = ["00000000", "2"]
    start = [*head, "0" * 16, "00", f"{created:09x}", *tail]
    assert layout(shard["StartingSequenceNumber"]) == start
    end = [*head, "7fffffffffffffff", "00", f"{created + 100:09x}", *tail]
    assert layout(shard["EndingSequenceNumber"]) == end
    found = layout(put["SequenceNumber"])
    assert (found[:3], found[4:]) == (head, ["00", f"{created + 100:09x}", *tail])
    token = iterator(kinesis, "clicks")
    assert 152 <= len(base64.b64decode(token)) <= 280
    # The number of a stream that was made at another time.
    kinesis.create_stream(StreamName="other", ShardCount=1)
    foreign = shards_of(kinesis, "other")[0]["SequenceNumberRange"]["StartingSequenceNumber"]
    refused(
        kinesis.get_shard_iterator,
        "InvalidArgumentException",
        f"StartingSequenceNumber {foreign} used in GetShardIterator on shard shardId-000000000000 "
        "in stream clicks under account 000000000000 is invalid because it did not come from this "
        "stream.",
        StreamName="clicks",
        ShardId="0",
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        StartingSequenceNumber=foreign,
    )


def test_an_iterator_is_refused_in_the_words_of_aws(kinesis):
    kinesis.create_stream(StreamName="clicks", ShardCount=2)
    kinesis.create_stream(StreamName="other", ShardCount=1)
    ask, tail = kinesis.get_shard_iterator, "in stream clicks under account 000000000000"
    given = {"StreamName": "clicks", "ShardId": "0", "ShardIteratorType": "LATEST"}
    missing = f"Shard shardId-000000000005 {tail} does not exist"
    refused(ask, "ResourceNotFoundException", missing, **given | {"ShardId": "5"})
    text = f"Could not find shard x {tail}."
    refused(ask, "ResourceNotFoundException", text, **given | {"ShardId": "x"})
    rule = (
        "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and "
        "StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. "
    )
    for kind in ("LATEST", "TRIM_HORIZON"):
        more = {"StartingSequenceNumber": "5", "ShardIteratorType": kind}
        text = f"{rule}Request specified {kind} and also a StartingSequenceNumber."
        refused(ask, "InvalidArgumentException", text, **given | more)
    for kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
        text = f"{rule}Request specified {kind} and no StartingSequenceNumber."
        refused(ask, "InvalidArgumentException", text, **given | {"ShardIteratorType": kind})
    at = given | {"ShardIteratorType": "AT_SEQUENCE_NUMBER"}
    ranges = [one["SequenceNumberRange"] for one in shards_of(kinesis, "clicks")]
    start = ranges[1]["StartingSequenceNumber"]
    text = (
        "Invalid StartingSequenceNumber. It encodes shardId-000000000001, while it was used in a "
        "call to a shard with shardId-000000000000"
    )
    refused(ask, "InvalidArgumentException", text, **at | {"StartingSequenceNumber": start})
    head = "used in GetShardIterator on shard shardId-000000000000"
    text = f"StartingSequenceNumber 5 {head} {tail} is invalid."
    refused(ask, "InvalidArgumentException", text, **at | {"StartingSequenceNumber": "5"})
    text = f"StartingSequenceNumber 0 {head} {tail} is invalid because it did not come from this \
stream."
    refused(ask, "InvalidArgumentException", text, **at | {"StartingSequenceNumber": "0"})
    future = given | {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": time.time() + 9_000}
    text = refused(ask, "InvalidArgumentException", **future)
    assert text.startswith("The timestampInMillis parameter cannot be greater than")
    text = "Invalid ShardIterator."
    refused(kinesis.get_records, "InvalidArgumentException", text, ShardIterator="A" * 204)
    refused(kinesis.get_records, "InvalidArgumentException", text, ShardIterator="nonsense")
