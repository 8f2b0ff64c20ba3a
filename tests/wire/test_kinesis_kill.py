"""`kill -9` of a server under PutRecords: what was acknowledged is there, once and in order."""

from __future__ import annotations

from kinesis_calls import arn
from test_kill import client, exceptions, serve

KILLS = 20
BATCHES = 6
"""So many batches are acknowledged before a kill; the next one is under way."""
KEYS = ("a", "b", "c")


def put_until_killed(kinesis, process, round):
    """The acknowledged records by key, and every sequence number that was told."""
    acknowledged, numbers = [], []
    for batch in range(BATCHES + 2):
        entries = [
            {"Data": f"{round}-{batch}-{n}", "PartitionKey": KEYS[n % len(KEYS)]} for n in range(30)
        ]
        if batch == BATCHES:
            process.kill()
        try:
            answer = kinesis.put_records(StreamName="clicks", Records=entries)
        except (exceptions.HTTPClientError, exceptions.ConnectionError):
            break
        assert answer["FailedRecordCount"] == 0
        for entry, result in zip(entries, answer["Records"], strict=True):
            acknowledged.append((entry["PartitionKey"], entry["Data"].encode()))
            numbers.append((result["ShardId"], result["SequenceNumber"]))
    process.wait()
    return acknowledged, numbers


def everything(kinesis):
    """All records: key and data in the order of each shard, and their sequence numbers."""
    found, numbers = [], []
    for shard in kinesis.list_shards(StreamName="clicks")["Shards"]:
        token = kinesis.get_shard_iterator(
            StreamARN=arn("clicks"), ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while True:
            answer = kinesis.get_records(ShardIterator=token)
            if not answer["Records"]:
                break
            for record in answer["Records"]:
                found.append((record["PartitionKey"], record["Data"]))
                numbers.append((shard["ShardId"], record["SequenceNumber"]))
            token = answer["NextShardIterator"]
    return found, numbers


def test_nothing_acknowledged_is_missing_and_no_number_is_used_twice(tmp_path):
    acknowledged, told = [], []
    for round in range(KILLS):
        with serve(tmp_path) as (process, url):
            kinesis = client("kinesis", url)
            if round == 0:
                kinesis.create_stream(StreamName="clicks", ShardCount=2)
            more, numbers = put_until_killed(kinesis, process, round)
            acknowledged += more
            told += numbers
    with serve(tmp_path) as (_, url):
        found, numbers = everything(client("kinesis", url))
    assert len(set(told)) == len(told), "a sequence number was told twice"
    assert len(set(numbers)) == len(numbers)
    stored = dict(zip(numbers, found, strict=True))
    assert all(
        stored.get(number) == record for number, record in zip(told, acknowledged, strict=True)
    )
    for key in KEYS:
        wanted = [data for one, data in acknowledged if one == key]
        there = [data for one, data in found if one == key]
        # What was under way at a kill may be there too, in its place.
        rest = iter(there)
        assert all(data in rest for data in wanted), f"the records of {key} lost their order"
