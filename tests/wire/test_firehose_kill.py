"""`kill -9` of a server under PutRecordBatch: what was acknowledged is in the bucket."""

from __future__ import annotations

from firehose_calls import create, until
from test_kill import client, exceptions, serve

KILLS = 12
BATCHES = 8
"""So many batches are acknowledged before a kill; the next one is under way."""


def put_until_killed(firehose, process, round):
    """The acknowledged records."""
    acknowledged = []
    for batch in range(BATCHES + 2):
        records = [f"{round}-{batch}-{number};" for number in range(40)]
        if batch == BATCHES:
            process.kill()
        try:
            answer = firehose.put_record_batch(
                DeliveryStreamName="clicks", Records=[{"Data": record} for record in records]
            )
        except (exceptions.HTTPClientError, exceptions.ConnectionError):
            break
        assert answer["FailedPutCount"] == 0
        acknowledged += records
    process.wait()
    return acknowledged


def stored(s3):
    """All records of the bucket."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="lake")
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
    contents = [s3.get_object(Bucket="lake", Key=key)["Body"].read() for key in keys]
    return {part + ";" for one in contents for part in one.decode().split(";") if part}


def test_nothing_acknowledged_is_missing_in_the_bucket(tmp_path):
    acknowledged = []
    for round in range(KILLS):
        with serve(tmp_path) as (process, url):
            firehose = client("firehose", url)
            if round == 0:
                client("s3", url).create_bucket(Bucket="lake")
                # Some buffers are delivered before a kill, others are cut off by it.
                hints = {"SizeInMBs": 1, "IntervalInSeconds": 0}
                create(firehose, BufferingHints=hints)
            acknowledged += put_until_killed(firehose, process, round)
    assert len(acknowledged) >= KILLS * BATCHES * 40
    with serve(tmp_path) as (_, url):
        s3 = client("s3", url)
        until(lambda: set(acknowledged) <= stored(s3), "what was acknowledged")
        assert all(record.count("-") == 2 for record in stored(s3))
