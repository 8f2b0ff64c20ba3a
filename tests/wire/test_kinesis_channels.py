"""Channels of Kinesis streams over the wire, with boto3."""

from __future__ import annotations

import gzip
import json

import pytest
from firehose_calls import until
from kinesis_calls import ACCOUNT, arn, records, refused
from test_kill import client, serve

import trunkline
import trunkline.aws

ON_DEMAND = {"StreamMode": "ON_DEMAND"}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
BUCKET = {"BucketARN": "arn:aws:s3:::lake", "ExpectedBucketOwner": ACCOUNT}

pytestmark = pytest.mark.botocore_knows("kinesis", "CreateChannel")


@pytest.fixture
def s3(connect):
    s3 = connect("s3")
    s3.create_bucket(Bucket="lake")
    return s3


@pytest.fixture
def kinesis(connect, s3):
    kinesis = connect("kinesis")
    kinesis.create_stream(StreamName="clicks", StreamModeDetails=ON_DEMAND)
    return kinesis


def given(name="lake", format="JSON", fresh=0, **storage):
    """The input of CreateChannel."""
    return {
        "ChannelName": name,
        "ServiceExecutionRoleARN": ROLE,
        "StreamConfigurationList": [
            {"StreamARN": arn("clicks"), "RecordConfiguration": {"RecordFormatType": format}}
        ],
        "S3DestinationConfiguration": {
            "DataFreshnessInSeconds": fresh,
            "StorageConfiguration": {**BUCKET, "CompressionType": "NONE", **storage},
        },
    }


def create(kinesis, *args, **more):
    return kinesis.create_channel(**given(*args, **more))["ChannelDescription"]["ChannelARN"]


def put(kinesis, *records):
    entries = [{"Data": record, "PartitionKey": "k"} for record in records]
    assert kinesis.put_records(StreamName="clicks", Records=entries)["FailedRecordCount"] == 0


def stored(s3, prefix=""):
    """The objects below a prefix, by their keys."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="lake", Prefix=prefix)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
    return {key: s3.get_object(Bucket="lake", Key=key)["Body"].read() for key in keys}


def lines(s3, prefix=""):
    return b"".join(stored(s3, prefix).values()).splitlines()


def test_a_channel_delivers_what_is_put_from_its_creation_on(kinesis, s3):
    put(kinesis, b'{"n":0}')
    description = kinesis.create_channel(**given())["ChannelDescription"]
    channel = description["ChannelARN"]
    assert description["ChannelStatus"] == "ACTIVE"
    assert description["S3DestinationConfiguration"] == {
        "DataFreshnessInSeconds": 0,
        "StorageConfiguration": {**BUCKET, "CompressionType": "NONE", "StorageClass": "STANDARD"},
        "DeadLetterQueueS3Configuration": {**BUCKET, "ErrorOutputPrefix": "errors/"},
    }
    assert description["LoggingConfiguration"]["CloudWatchLogs"] == {
        "Enabled": False,
        "LogGroupName": f"/aws/kinesis/lake/{description['ChannelId']}",
        "LogStreamName": "DestinationDelivery",
    }
    assert kinesis.describe_channel(ChannelARN=channel)["ChannelDescription"] == description
    put(kinesis, b'{"n":1}', b'{"n":\n2}')
    until(lambda: len(lines(s3, "lake/")) == 2, "two lines")
    assert lines(s3, "lake/") == [b'{"n":1}', b'{"n":2}']
    # The stream keeps its records.
    kept = [one for shard in "0123" for one in records(kinesis, "clicks", shard=shard)]
    assert len(kept) == 3


def test_an_object_is_due_when_its_oldest_record_is(clock, engine, kinesis, s3):
    channel = create(kinesis, fresh=300)
    put(kinesis, b'{"n":1}')
    clock.advance(200)
    put(kinesis, b'{"n":2}')
    assert stored(s3) == {}
    clock.advance(101)
    until(lambda: stored(s3), "an object")
    assert lines(s3) == [b'{"n":1}', b'{"n":2}']
    put(kinesis, b'{"n":3}')
    changed = kinesis.update_channel(
        ChannelARN=channel, S3DestinationConfiguration={"DataFreshnessInSeconds": 10}
    )["ChannelDescription"]
    assert changed["S3DestinationConfiguration"]["DataFreshnessInSeconds"] == 10
    clock.advance(11)
    until(lambda: len(stored(s3)) == 2, "a second object")


@pytest.mark.parametrize("compression", ["NONE", "GZIP", "ZSTD"])
def test_formats_compressions_and_keys(kinesis, s3, compression):
    if compression == "ZSTD":
        zstd = pytest.importorskip("cramjam").zstd
    template = "raw/day=!{timestamp:yyyy-MM-dd}/"
    create(kinesis, format="BYTE_ARRAY", OutputKeyTemplate=template, CompressionType=compression)
    put(kinesis, b"\xff\x00", b"\n\xfe")
    until(lambda: stored(s3), "an object")
    unpack = {
        "NONE": bytes,
        "GZIP": gzip.decompress,
        "ZSTD": lambda data: bytes(zstd.decompress(data)),
    }[compression]
    contents = [unpack(data) for data in stored(s3).values()]
    until(lambda: b"".join(map(unpack, stored(s3).values())) == b"\xff\x00\n\xfe", contents)
    ending = {"NONE": "", "GZIP": ".gz", "ZSTD": ".zst"}[compression]
    assert all(key.startswith("raw/day=2") and key.endswith(ending) for key in stored(s3))


def test_records_of_another_format_go_to_the_dead_letters(kinesis, s3):
    s3.create_bucket(Bucket="dead")
    config = given()
    letters = {**BUCKET, "BucketARN": "arn:aws:s3:::dead", "ErrorOutputPrefix": "bad/"}
    config["S3DestinationConfiguration"]["DeadLetterQueueS3Configuration"] = letters
    kinesis.create_channel(**config)
    create(kinesis, "texts", format="STRING")
    put(kinesis, b"no JSON", b"\xff")
    until(lambda: lines(s3, "texts/") == [b"no JSON"], "the text")

    def failed():
        listed = s3.list_objects_v2(Bucket="dead", Prefix="bad/").get("Contents", ())
        keys = [entry["Key"] for entry in listed]
        bodies = [s3.get_object(Bucket="dead", Key=key)["Body"].read() for key in keys]
        return [json.loads(line) for line in b"".join(bodies).splitlines()]

    until(lambda: len(failed()) == 2, "two failures")
    assert {one["rawData"] for one in failed()} == {"bm8gSlNPTg==", "/w=="}
    assert {one["errorCode"] for one in failed()} == {"InvalidRecordFormat"}
    # The other channel cannot read one of them either.
    until(lambda: len(lines(s3, "errors/")) == 1, "a failure")


def test_channels_are_refused_that_cannot_be(kinesis):
    create(kinesis)
    make = kinesis.create_channel
    refused(
        make,
        "ResourceInUseException",
        "Channel lake under account 000000000000 already exists.",
        **given(),
    )
    plain = given("b")
    both = {key: value for key, value in plain.items() if key != "S3DestinationConfiguration"}
    refused(make, "ValidationException", **both)
    table = {
        "TableBucketARN": f"arn:aws:s3tables:us-east-1:{ACCOUNT}:bucket/lake",
        "Namespace": "n",
        "TableName": "t",
        "CompressionType": "ZSTD",
    }
    tables = {"DeadLetterQueueS3Configuration": BUCKET, "S3TablesConfigurationList": [table]}
    text = refused(
        make, "InvalidArgumentException", **both, S3TablesDestinationConfiguration=tables
    )
    assert "S3 Tables" in text
    refused(make, "ValidationException", **plain, S3TablesDestinationConfiguration=tables)
    refused(make, "ValidationException", **given("b", format="GSR_JSON"))
    refused(make, "InvalidArgumentException", **given("b", fresh=-1))
    refused(make, "InvalidArgumentException", **given("b", StorageClass="GLACIER_IR"))
    refused(make, "InvalidArgumentException", **given("b", OutputKeyTemplate="!{a:b}"))
    service_key = {"EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"}
    refused(make, "InvalidArgumentException", **plain, EncryptionConfiguration=service_key)
    kinesis.create_stream(StreamName="fixed", ShardCount=1)
    plain["StreamConfigurationList"][0]["StreamARN"] = arn("fixed")
    refused(make, "ValidationException", **plain)
    plain["StreamConfigurationList"][0]["StreamARN"] = arn("none")
    refused(make, "ResourceNotFoundException", **plain)


def test_a_channel_to_a_bucket_that_is_not_there_fails(kinesis):
    create(kinesis)
    for bucket in ({"BucketARN": "arn:aws:s3:::none"}, {"ExpectedBucketOwner": "111111111111"}):
        description = kinesis.create_channel(**given("b", **bucket))["ChannelDescription"]
        assert description["ChannelStatus"] == "FAILED"
        assert "bucket" in description["ChannelStatusReason"]
        channel = description["ChannelARN"]
        log = {"CloudWatchLogs": {"Enabled": True}}
        refused(
            kinesis.update_channel,
            "ResourceInUseException",
            ChannelARN=channel,
            LoggingConfiguration=log,
        )
        kinesis.delete_channel(ChannelARN=channel)
    summaries = kinesis.list_channels()["ChannelSummaries"]
    assert [one["ChannelName"] for one in summaries] == ["lake"]


def test_channels_are_listed_and_hold_their_stream(kinesis):
    made = {name: create(kinesis, name) for name in ("c", "a", "b")}
    pages = list(kinesis.get_paginator("list_channels").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["ChannelSummaries"]) for page in pages] == [2, 1]
    first = pages[0]["ChannelSummaries"][0]
    assert (first["ChannelARN"], first["ChannelDestinationType"]) == (made["a"], "S3")
    assert first["Streams"][0]["StreamARN"] == arn("clicks")
    other = [{"StreamARN": arn("other")}]
    assert kinesis.list_channels(StreamFilter=other)["ChannelSummaries"] == []
    summary = kinesis.describe_stream_summary(StreamName="clicks")["StreamDescriptionSummary"]
    assert summary["ChannelCount"] == 3
    limits = kinesis.describe_limits()
    assert (limits["ChannelCount"], limits["ChannelCountLimit"]) == (3, 50)
    refused(kinesis.delete_stream, "ResourceInUseException", StreamName="clicks")
    for channel in made.values():
        kinesis.delete_channel(ChannelARN=channel)
    refused(kinesis.describe_channel, "ResourceNotFoundException", ChannelARN=made["a"])
    refused(kinesis.delete_channel, "ResourceNotFoundException", ChannelARN=made["a"])
    kinesis.delete_stream(StreamName="clicks")


def test_tags_of_channels(kinesis):
    channel = kinesis.create_channel(**given(), Tags={"team": "web"})["ChannelDescription"]
    name = {"ResourceARN": channel["ChannelARN"]}
    kinesis.tag_resource(**name, Tags={"stage": "test"})
    kinesis.untag_resource(**name, TagKeys=["team"])
    tags = kinesis.list_tags_for_resource(**name)["Tags"]
    assert tags == [{"Key": "stage", "Value": "test"}]


def test_what_cannot_be_written_is_logged_and_tried_again(connect, kinesis, s3):
    channel = create(kinesis)
    log = {"Enabled": True, "LogGroupName": "deliveries"}
    kinesis.update_channel(ChannelARN=channel, LoggingConfiguration={"CloudWatchLogs": log})
    s3.delete_bucket(Bucket="lake")
    put(kinesis, b'{"n":1}')
    logs = connect("logs")

    def told():
        groups = logs.describe_log_groups(logGroupNamePrefix="deliveries")["logGroups"]
        return groups and logs.filter_log_events(logGroupName="deliveries")["events"]

    events = until(told, "an event")
    assert "lake" in events[0]["message"]
    assert events[0]["logStreamName"] == "DestinationDelivery"
    s3.create_bucket(Bucket="lake")
    until(lambda: lines(s3) == [b'{"n":1}'], "the record")


def test_states_of_channels_move_on_the_clock_of_the_engine(clock):
    with trunkline.open(clock=clock, limits=trunkline.Limits.aws()) as engine:

        def connect(service):
            return trunkline.aws.client(service, engine=engine, region_name="us-east-1")

        connect("s3").create_bucket(Bucket="lake")
        kinesis = connect("kinesis")
        kinesis.create_stream(StreamName="clicks", StreamModeDetails=ON_DEMAND)
        clock.advance(1)
        channel = create(kinesis)

        def status():
            return kinesis.describe_channel(ChannelARN=channel)["ChannelDescription"][
                "ChannelStatus"
            ]

        assert status() == "CREATING"
        clock.advance(1)
        assert status() == "ACTIVE"
        log = {"CloudWatchLogs": {"Enabled": False}}
        kinesis.update_channel(ChannelARN=channel, LoggingConfiguration=log)
        assert status() == "UPDATING"
        clock.advance(1)
        kinesis.delete_channel(ChannelARN=channel)
        kinesis.delete_channel(ChannelARN=channel)
        assert status() == "DELETING"
        clock.advance(1)
        refused(kinesis.describe_channel, "ResourceNotFoundException", ChannelARN=channel)
        assert create(kinesis) == channel


def test_nothing_acknowledged_is_missing_in_the_bucket_over_kills(tmp_path):
    acknowledged = set()
    for round in range(6):
        with serve(tmp_path) as (process, url):
            kinesis = client("kinesis", url)
            if round == 0:
                client("s3", url).create_bucket(Bucket="lake")
                kinesis.create_stream(StreamName="clicks", StreamModeDetails=ON_DEMAND)
                create(kinesis)
            for batch in range(5):
                texts = [f'{{"n":"{round}-{batch}-{n}"}}' for n in range(40)]
                put(kinesis, *texts)
                acknowledged |= {text.encode() for text in texts}
            process.kill()
            process.wait()
    with serve(tmp_path) as (_, url):
        s3 = client("s3", url)
        until(lambda: acknowledged <= set(lines(s3)), "what was acknowledged")
        assert set(lines(s3)) == acknowledged
