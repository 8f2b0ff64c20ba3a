"""Kinesis in CBOR, as the KCL and older Java clients speak it."""

from __future__ import annotations

import time

import pytest
from kinesis_calls import arn, cbor, from_cbor

from trunkline.aws.dispatcher import dispatcher_of

CBOR = "application/x-amz-cbor-1.1"


@pytest.fixture
def call(engine):
    dispatcher = dispatcher_of(engine)
    engine.stream("clicks", shards=1)

    def make(operation, **given):
        headers = [
            ("host", "trunkline.local"),
            ("x-amz-target", f"Kinesis_20131202.{operation}"),
            ("content-type", CBOR),
        ]
        status, answered, body = dispatcher.call(
            ("POST", "/", headers, cbor(given), "http://trunkline.local")
        )
        answered = dict(answered)
        assert answered["content-type"] == CBOR
        return status, answered, from_cbor(body) if body else {}

    return make


def read(call, kind="TRIM_HORIZON", **more):
    _, _, answer = call(
        "GetShardIterator", StreamName="clicks", ShardId="0", ShardIteratorType=kind, **more
    )
    return call("GetRecords", ShardIterator=answer["ShardIterator"])[2]


def test_records_go_both_ways_as_bytes(call):
    before = time.time()
    entry = {"Data": b"\x00\xff", "PartitionKey": "k"}
    status, _, answer = call("PutRecords", StreamARN=arn("clicks"), Records=[entry, entry])
    assert (status, answer["FailedRecordCount"], len(answer["Records"])) == (200, 0, 2)
    assert call("PutRecord", StreamName="clicks", **entry)[0] == 200
    answer = read(call)
    assert [one["Data"] for one in answer["Records"]] == [b"\x00\xff"] * 3
    assert answer["MillisBehindLatest"] == 0
    arrived = answer["Records"][0]["ApproximateArrivalTimestamp"]
    assert isinstance(arrived, int)
    assert before - 1 <= arrived / 1_000 <= time.time() + 1


def test_times_of_requests_are_milliseconds(call):
    call("PutRecord", StreamName="clicks", Data=b"x", PartitionKey="k")
    now = int(time.time() * 1_000)
    assert len(read(call, "AT_TIMESTAMP", Timestamp=now - 60_000)["Records"]) == 1
    status, _, answer = call(
        "GetShardIterator",
        StreamName="clicks",
        ShardId="0",
        ShardIteratorType="AT_TIMESTAMP",
        Timestamp=now + 600_000,
    )
    assert (status, answer["__type"]) == (400, "InvalidArgumentException")


def test_errors_and_the_control_plane_answer_in_cbor_too(call):
    status, headers, answer = call("DescribeStream", StreamName="absent")
    assert status == 400
    assert answer["__type"] == headers["x-amzn-errortype"] == "ResourceNotFoundException"
    assert answer["message"] == "Stream absent under account 000000000000 not found."
    status, _, answer = call("DescribeStreamSummary", StreamName="clicks")
    assert answer["StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE"


def test_queues_of_streams_speak_cbor_too(call):
    call("CreateStream", StreamName="jobs", StreamModeDetails={"StreamMode": "ON_DEMAND"})
    now = int(time.time() * 1_000)
    # The time of a structure in a list is in milliseconds too.
    start = {"Type": "AT_TIMESTAMP", "Timestamp": now - 60_000}
    source = [{"StreamARN": arn("jobs"), "StartingPosition": start}]
    answer = call("CreateQueue", QueueName="q", StreamConfigurationList=source)[2]
    described = answer["QueueDescription"]
    assert abs(described["QueueCreationTimestamp"] - now) < 60_000
    call("PutRecord", StreamName="jobs", Data=b"\x00\xff", PartitionKey="k")
    queue = {"QueueARN": described["QueueARN"]}
    (record,) = call("ReceiveQueueRecords", **queue)[2]["QueueRecords"]
    assert (record["Data"], record["ReceiveCount"]) == (b"\x00\xff", 1)
    assert 0 <= record["FirstReceiveTimestamp"] - record["ApproximateArrivalTimestamp"] < 60_000
    handle = {"ReceiptHandle": record["ReceiptHandle"]}
    answer = call("AcknowledgeQueueRecords", **queue, Entries=[handle])[2]
    assert answer == {"Successful": [handle], "Failed": []}
    status, _, answer = call("ReceiveQueueRecords", QueueARN=described["QueueARN"] + "x")
    assert (status, answer["__type"]) == (400, "ResourceNotFoundException")
