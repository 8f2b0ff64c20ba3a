"""Requests made from botocore's model of Kinesis, valid and then damaged, in JSON and CBOR.

Whatever comes, the answer has the form of AWS, and the engine works on.
"""

from __future__ import annotations

import base64

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kinesis_calls import cbor
from model_requests import BASE, Words, check, http_request, model_of, requests

import trunkline
from trunkline.aws.dispatcher import dispatcher_of
from trunkline.aws.kinesis import queue_store

SERVICE = model_of("kinesis")
OWNER = ("000000000000", "us-east-1")
HEAD = "arn:aws:kinesis:us-east-1:000000000000:stream/"
OTHER = "arn:aws:kinesis:us-east-1:000000000000:"
NUMBERS = ["0", "1", str(2**127), str(2**128), "9" * 60, "01", "x"]
SHARDS = ["0", "shardId-000000000000", "shardId-000000000009", "x", ""]
WORDS = Words(
    known={
        **dict.fromkeys(("ShardId", "ShardToSplit", "ShardToMerge"), SHARDS),
        "AdjacentShardToMerge": ["0", "1", "x"],
        **dict.fromkeys(("NewStartingHashKey", "ExplicitHashKey"), NUMBERS),
        **dict.fromkeys(("SequenceNumberForOrdering", "StartingSequenceNumber"), NUMBERS),
        "StreamId": ["a" * 20 + "-abc", "x"],
        "NextToken": ["clicks", "x", base64.b64encode(b'{"stream":[1,2,3]}').decode()],
        # A receive that finds nothing waits.
        "WaitTimeSeconds": [1, 0, 21],
        "BucketARN": ["arn:aws:s3:::lake", "arn:aws:s3:::none", "x"],
        "ExpectedBucketOwner": ["000000000000", "111111111111", "x"],
        "OutputKeyTemplate": ["a/", "!{timestamp:yyyy}/", "!{firehose:x}", "!{"],
        "ReceiptHandle": ["x", "", "A" * 60, "x" * 1_025],
        "Policy": ['{"Statement":[1]}', "{}", "x", "[" * 5_000],
    },
    arns=[
        *(HEAD + "jobs", HEAD + "jobs", OTHER + "queue/q", OTHER + "queue/q-dead"),
        *(OTHER + "queue/none", OTHER + "channel/lake", OTHER + "channel/none"),
        *(HEAD + "clicks", HEAD + "none", HEAD + "clicks/consumer/c:1", HEAD, "arn:", "", "x"),
    ],
    names=["clicks", "none", "", "x" * 200, "a b"],
)
QUEUE = {
    "name": "q",
    "stream": [*OWNER, "jobs"],
    **dict.fromkeys(("stream_created", "created", "active", "from"), 0),
    "start": {"Type": "LATEST"},
    "visibility": 30,
    "dead": {"TargetType": "BUILT_IN", "MaxReceiveCount": 6},
    "retention": 86_400_000,
}
CHANNEL = {
    "ChannelName": "lake",
    "ServiceExecutionRoleARN": "arn:aws:iam::000000000000:role/r",
    "StreamConfigurationList": [
        {"StreamARN": HEAD + "jobs", "RecordConfiguration": {"RecordFormatType": "STRING"}}
    ],
    "S3DestinationConfiguration": {
        "StorageConfiguration": {
            "BucketARN": "arn:aws:s3:::lake",
            "ExpectedBucketOwner": "000000000000",
            "CompressionType": "NONE",
        }
    },
}
# A subscription in the process lasts until it ends.
OPERATIONS = [name for name in SERVICE.operation_names if name != "SubscribeToShard"]


@pytest.fixture(scope="module")
def world():
    with trunkline.open() as engine:
        yield engine, dispatcher_of(engine)


def prepare(engine, dispatcher):
    """The same world for every example: a failure comes from one request alone."""
    dispatcher.call(("POST", "/_trunkline/reset", [], b"", BASE))
    engine.stream("clicks", shards=2).put("home", key="k")
    engine.bucket("lake")
    for name, made in (
        ("CreateStream", {"StreamName": "jobs"}),
        ("CreateChannel", CHANNEL),
    ):
        answer = dispatcher.call(http_request(SERVICE, name, made))
        assert answer[0] == 200, answer
    put = engine.stream("jobs").put("home", key="k")
    queue = queue_store.create(engine._core, OWNER, "q", QUEUE)
    for one in (queue.records, queue.dead):
        one.begin_send_batch([f"{put.shard} {put.sequence}"])


def is_unharmed(engine):
    stream = engine.stream("unharmed")
    stream.put("body", key="k")
    assert [record.text() for record in stream.read()] == ["body"]


@pytest.mark.botocore_knows("kinesis", "CreateChannel", "CreateQueue")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(request=requests(SERVICE, WORDS, OPERATIONS), in_cbor=st.booleans())
def test_requests_are_answered_as_aws_does(world, request, in_cbor):
    engine, dispatcher = world
    prepare(engine, dispatcher)
    name, made = request
    method, path, headers, body, base = http_request(SERVICE, name, made)
    if in_cbor:
        headers = [*headers[:2], ("content-type", "application/x-amz-cbor-1.1")]
        status, answered, content = dispatcher.call((method, path, headers, cbor(made), base))
        assert status in (200, 400, 501), (name, content)
        assert dict(answered)["x-amzn-requestid"]
    else:
        answer = dispatcher.call((method, path, headers, body, base))
        check(SERVICE, name, "json", answer, allowed=(200, 400, 501))
    is_unharmed(engine)
