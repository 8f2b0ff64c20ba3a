"""Kinesis over the wire, with boto3: streams, shards and what belongs to them."""

from __future__ import annotations

import base64
import json
import time

import pytest
from botocore.config import Config
from kinesis_calls import HASH_MAX, arn, iterator, records, refused, shards_of

import trunkline
import trunkline.aws


@pytest.fixture
def kinesis(connect):
    return connect("kinesis")


@pytest.fixture
def clicks(kinesis):
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    return "clicks"


@pytest.mark.botocore_knows("kinesis", "CreateStream.Tags")
def test_a_stream_is_described_as_aws_does(kinesis):
    kinesis.create_stream(StreamName="clicks", ShardCount=2, Tags={"team": "web"})
    described = kinesis.describe_stream(StreamName="clicks")["StreamDescription"]
    created = described.pop("StreamCreationTimestamp")
    shards = described.pop("Shards")
    assert described == {
        "StreamName": "clicks",
        "StreamARN": arn("clicks"),
        "StreamStatus": "ACTIVE",
        "StreamModeDetails": {"StreamMode": "PROVISIONED"},
        "HasMoreShards": False,
        "RetentionPeriodHours": 24,
        "EnhancedMonitoring": [{"ShardLevelMetrics": []}],
        "EncryptionType": "NONE",
    }
    assert [shard["HashKeyRange"]["EndingHashKey"] for shard in shards] == [
        "170141183460469231731687303715884105727",
        str(HASH_MAX),
    ]
    summary = kinesis.describe_stream_summary(StreamARN=arn("clicks"))["StreamDescriptionSummary"]
    assert summary["StreamCreationTimestamp"] == created
    assert (summary["OpenShardCount"], summary["ConsumerCount"]) == (2, 0)
    assert summary["MaxRecordSizeInKiB"] == 1024
    assert kinesis.list_tags_for_stream(StreamName="clicks")["Tags"] == [
        {"Key": "team", "Value": "web"}
    ]
    page = kinesis.describe_stream(StreamName="clicks", Limit=1)["StreamDescription"]
    assert (len(page["Shards"]), page["HasMoreShards"]) == (1, True)
    page = kinesis.describe_stream(
        StreamName="clicks", ExclusiveStartShardId=page["Shards"][0]["ShardId"]
    )["StreamDescription"]
    assert [one["ShardId"] for one in page["Shards"]] == ["shardId-000000000001"]


def test_streams_are_created_once_and_with_what_their_mode_needs(kinesis, clicks):
    create = kinesis.create_stream
    refused(
        create,
        "ResourceInUseException",
        "Stream clicks under account 000000000000 already exists.",
        StreamName=clicks,
        ShardCount=1,
    )
    on_demand = {"StreamMode": "ON_DEMAND"}
    more = {"StreamName": "b", "StreamModeDetails": on_demand}
    refused(create, "ValidationException", ShardCount=1, **more)
    create(**more)
    assert len(shards_of(kinesis, "b")) == 4
    create(StreamName="a")
    assert len(shards_of(kinesis, "a")) == 4
    listed = kinesis.list_streams(Limit=2)
    assert (listed["StreamNames"], listed["HasMoreStreams"]) == (["a", "b"], True)
    rest = kinesis.list_streams(NextToken=listed["NextToken"])
    assert rest["StreamNames"] == ["clicks"]
    assert rest["StreamSummaries"][0]["StreamARN"] == arn("clicks")
    limits = kinesis.describe_limits()
    assert (limits["OpenShardCount"], limits["OnDemandStreamCount"]) == (9, 2)
    kinesis.delete_stream(StreamName="a")
    refused(kinesis.describe_stream, "ResourceNotFoundException", StreamName="a")


def test_a_split_shard_ends_and_names_its_children(kinesis, clicks):
    put = {"StreamName": clicks, "PartitionKey": "k"}
    kinesis.put_record(Data=b"before", **put)
    at = str(2**127)
    kinesis.split_shard(StreamName=clicks, ShardToSplit="0", NewStartingHashKey=at)
    kinesis.put_record(Data=b"behind", ExplicitHashKey="0", **put)
    parent, low, high = shards_of(kinesis, clicks)
    assert "EndingSequenceNumber" in parent["SequenceNumberRange"]
    assert "EndingSequenceNumber" not in low["SequenceNumberRange"]
    assert (low["ParentShardId"], high["ParentShardId"]) == (parent["ShardId"],) * 2
    assert high["HashKeyRange"]["StartingHashKey"] == at
    answer = kinesis.get_records(ShardIterator=iterator(kinesis, clicks))
    assert [one["Data"] for one in answer["Records"]] == [b"before"]
    assert "NextShardIterator" not in answer
    assert [child["ShardId"] for child in answer["ChildShards"]] == [
        "shardId-000000000001",
        "shardId-000000000002",
    ]
    assert answer["ChildShards"][0]["ParentShards"] == [parent["ShardId"]]
    assert answer["ChildShards"][0]["HashKeyRange"] == low["HashKeyRange"]
    assert [one["Data"] for one in records(kinesis, clicks, shard="1")] == [b"behind"]
    kinesis.merge_shards(StreamName=clicks, ShardToMerge="1", AdjacentShardToMerge="2")
    child = shards_of(kinesis, clicks)[3]
    assert (child["ParentShardId"], child["AdjacentParentShardId"]) == (
        low["ShardId"],
        high["ShardId"],
    )
    answer = kinesis.update_shard_count(
        StreamName=clicks, TargetShardCount=2, ScalingType="UNIFORM_SCALING"
    )
    assert (answer["CurrentShardCount"], answer["TargetShardCount"]) == (1, 2)
    summary = kinesis.describe_stream_summary(StreamName=clicks)["StreamDescriptionSummary"]
    assert summary["OpenShardCount"] == 2


def test_resharding_is_refused_in_the_words_of_aws(kinesis):
    kinesis.create_stream(StreamName="clicks", ShardCount=3)
    tail = "in stream clicks under account 000000000000"
    first = shards_of(kinesis, "clicks")[0]["HashKeyRange"]["EndingHashKey"]
    for key in ("0", "1", first):
        refused(
            kinesis.split_shard,
            "InvalidArgumentException",
            f"NewStartingHashKey {key} used in SplitShard() on shard shardId-000000000000 {tail} "
            "is not both greater than one plus the shard's StartingHashKey 0 and less than the "
            f"shard's EndingHashKey {first}.",
            StreamName="clicks",
            ShardToSplit="shardId-0",
            NewStartingHashKey=key,
        )
    refused(
        kinesis.split_shard,
        "ResourceNotFoundException",
        f"Could not find shard shardId-000000000009 {tail}.",
        StreamName="clicks",
        ShardToSplit="9",
        NewStartingHashKey="5",
    )
    for pair in ((0, 2), (1, 0)):
        refused(
            kinesis.merge_shards,
            "InvalidArgumentException",
            f"Shards shardId-00000000000{pair[0]} and shardId-00000000000{pair[1]} {tail} are not "
            "an adjacent pair of shards eligible for merging",
            StreamName="clicks",
            ShardToMerge=str(pair[0]),
            AdjacentShardToMerge=str(pair[1]),
        )
    for count in (1, 7):
        refused(
            kinesis.update_shard_count,
            "InvalidArgumentException",
            StreamName="clicks",
            TargetShardCount=count,
            ScalingType="UNIFORM_SCALING",
        )


def test_shards_are_listed_by_filters_and_pages(kinesis, clicks):
    # A shard that is split in the millisecond of its stream was never open at a time.
    time.sleep(0.01)
    kinesis.split_shard(StreamName=clicks, ShardToSplit="0", NewStartingHashKey=str(2**127))

    def listed(**given):
        return [one["ShardId"][-1] for one in kinesis.list_shards(**given)["Shards"]]

    def filtered(kind, **more):
        return listed(StreamName=clicks, ShardFilter={"Type": kind, **more})

    assert listed(StreamName=clicks) == ["0", "1", "2"]
    assert filtered("AT_LATEST") == ["1", "2"]
    assert filtered("AT_TRIM_HORIZON") == ["0"]
    assert filtered("FROM_TRIM_HORIZON") == ["0", "1", "2"]
    assert filtered("AFTER_SHARD_ID", ShardId="shardId-000000000001") == ["2"]
    assert filtered("AT_TIMESTAMP", Timestamp=32_503_680_000) == ["1", "2"]
    assert filtered("FROM_TIMESTAMP", Timestamp=0) == ["0", "1", "2"]
    wrong = {"Type": "AT_LATEST", "ShardId": "0"}
    refused(kinesis.list_shards, "InvalidArgumentException", StreamName=clicks, ShardFilter=wrong)
    page = kinesis.list_shards(StreamARN=arn(clicks), MaxResults=2)
    assert listed(NextToken=page["NextToken"]) == ["2"]
    refused(
        kinesis.list_shards,
        "InvalidArgumentException",
        "NextToken and StreamName cannot be provided together.",
        StreamName=clicks,
        NextToken=page["NextToken"],
    )
    refused(kinesis.list_shards, "InvalidArgumentException", NextToken="nonsense")


def test_retention_grows_and_shrinks_by_the_operation_for_it(kinesis, clicks, engine):
    grow, shrink = (
        kinesis.increase_stream_retention_period,
        kinesis.decrease_stream_retention_period,
    )
    grow(StreamName=clicks, RetentionPeriodHours=48)
    assert engine.stream(clicks, create=False).retention == 48 * 3_600
    refused(
        grow,
        "InvalidArgumentException",
        "Requested retention period (24 hours) for stream clicks can not be shorter than existing "
        "retention period (48 hours). Use DecreaseRetentionPeriod API.",
        StreamName=clicks,
        RetentionPeriodHours=24,
    )
    refused(
        shrink,
        "InvalidArgumentException",
        "Requested retention period (72 hours) for stream clicks can not be longer than existing "
        "retention period (48 hours). Use IncreaseRetentionPeriod API.",
        StreamName=clicks,
        RetentionPeriodHours=72,
    )
    for change, hours, why in ((shrink, 23, "Minimum"), (grow, 8_761, "Maximum")):
        text = refused(
            change, "InvalidArgumentException", StreamName=clicks, RetentionPeriodHours=hours
        )
        assert text.startswith(f"{why} allowed retention period is")


@pytest.mark.botocore_knows("kinesis", "UpdateMaxRecordSize")
def test_encryption_monitoring_and_sizes_are_told(kinesis, clicks):
    kinesis.start_stream_encryption(
        StreamName=clicks, EncryptionType="KMS", KeyId="alias/aws/kinesis"
    )
    put = kinesis.put_record(StreamName=clicks, Data=b"x", PartitionKey="k")
    assert put["EncryptionType"] == "KMS"
    assert records(kinesis, clicks)[0]["EncryptionType"] == "KMS"
    described = kinesis.describe_stream(StreamName=clicks)["StreamDescription"]
    assert (described["EncryptionType"], described["KeyId"]) == ("KMS", "alias/aws/kinesis")
    kinesis.stop_stream_encryption(
        StreamName=clicks, EncryptionType="KMS", KeyId="alias/aws/kinesis"
    )
    put = kinesis.put_record(StreamName=clicks, Data=b"x", PartitionKey="k")
    assert "EncryptionType" not in put
    answer = kinesis.enable_enhanced_monitoring(StreamName=clicks, ShardLevelMetrics=["ALL"])
    assert (answer["CurrentShardLevelMetrics"], len(answer["DesiredShardLevelMetrics"])) == ([], 7)
    answer = kinesis.disable_enhanced_monitoring(
        StreamName=clicks, ShardLevelMetrics=["IncomingBytes"]
    )
    assert len(answer["DesiredShardLevelMetrics"]) == 6
    large = {"StreamName": clicks, "Data": b"x" * 2_000_000, "PartitionKey": "k"}
    refused(kinesis.put_record, "InvalidArgumentException", **large)
    kinesis.update_max_record_size(StreamARN=arn(clicks), MaxRecordSizeInKiB=2_048)
    assert kinesis.put_record(**large)["ShardId"]
    kinesis.update_stream_mode(StreamARN=arn(clicks), StreamModeDetails={"StreamMode": "ON_DEMAND"})
    refused(
        kinesis.split_shard,
        "ValidationException",
        StreamName=clicks,
        ShardToSplit="0",
        NewStartingHashKey="50",
    )


@pytest.mark.botocore_knows("kinesis", "TagResource")
def test_tags_of_both_families_are_the_same(kinesis, clicks):
    kinesis.add_tags_to_stream(StreamName=clicks, Tags={"a": "1", "b": ""})
    kinesis.tag_resource(ResourceARN=arn(clicks), Tags={"c": "3"})
    listed = kinesis.list_tags_for_resource(ResourceARN=arn(clicks))["Tags"]
    assert {one["Key"]: one["Value"] for one in listed} == {"a": "1", "b": "", "c": "3"}
    kinesis.remove_tags_from_stream(StreamName=clicks, TagKeys=["a"])
    kinesis.untag_resource(ResourceARN=arn(clicks), TagKeys=["c"])
    page = kinesis.list_tags_for_stream(StreamName=clicks, ExclusiveStartTagKey="a")
    assert (page["Tags"], page["HasMoreTags"]) == ([{"Key": "b", "Value": ""}], False)
    refused(
        kinesis.add_tags_to_stream,
        "InvalidArgumentException",
        "Some tags contain invalid characters. Valid characters: Unicode letters, digits, white "
        "space, _ . / = + - % @ :.",
        StreamName=clicks,
        Tags={"a;": "1"},
    )


@pytest.mark.botocore_knows("kinesis", "RegisterStreamConsumer.Tags")
def test_policies_and_consumers(kinesis, clicks):
    assert json.loads(kinesis.get_resource_policy(ResourceARN=arn(clicks))["Policy"]) == {}
    policy = json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*"}]})
    kinesis.put_resource_policy(ResourceARN=arn(clicks), Policy=policy)
    assert kinesis.get_resource_policy(ResourceARN=arn(clicks))["Policy"] == policy
    kinesis.delete_resource_policy(ResourceARN=arn(clicks))
    refused(kinesis.delete_resource_policy, "ResourceNotFoundException", ResourceARN=arn(clicks))
    register = {"StreamARN": arn(clicks), "ConsumerName": "billing"}
    made = kinesis.register_stream_consumer(**register, Tags={"a": "1"})["Consumer"]
    seconds = int(made["ConsumerCreationTimestamp"].timestamp())
    assert made["ConsumerARN"] == f"{arn(clicks)}/consumer/billing:{seconds}"
    assert made["ConsumerStatus"] == "ACTIVE"
    refused(kinesis.register_stream_consumer, "ResourceInUseException", **register)
    described = kinesis.describe_stream_consumer(ConsumerARN=made["ConsumerARN"])
    assert described["ConsumerDescription"] == made | {"StreamARN": arn(clicks)}
    assert kinesis.list_stream_consumers(StreamARN=arn(clicks))["Consumers"] == [made]
    tags = kinesis.list_tags_for_resource(ResourceARN=made["ConsumerARN"])["Tags"]
    assert tags == [{"Key": "a", "Value": "1"}]
    refused(kinesis.delete_stream, "ResourceInUseException", StreamName=clicks)
    kinesis.deregister_stream_consumer(**register)
    refused(
        kinesis.describe_stream_consumer,
        "ResourceNotFoundException",
        ConsumerARN=made["ConsumerARN"],
    )
    kinesis.register_stream_consumer(**register)
    kinesis.delete_stream(StreamName=clicks, EnforceConsumerDeletion=True)


def test_streams_change_on_the_clock_of_the_engine():
    clock = trunkline.VirtualClock()
    limits = trunkline.Limits(stream_change_duration=500)
    with trunkline.open(limits=limits, clock=clock) as engine:
        kinesis = trunkline.aws.client("kinesis", engine=engine, region_name="us-east-1")

        def status():
            return kinesis.describe_stream(StreamName="clicks")["StreamDescription"]["StreamStatus"]

        kinesis.create_stream(StreamName="clicks", ShardCount=1)
        put = {"StreamName": "clicks", "Data": b"x", "PartitionKey": "k"}
        assert (status(), shards_of(kinesis, "clicks")) == ("CREATING", [])
        missing = "Stream clicks under account 000000000000 not found."
        refused(kinesis.put_record, "ResourceNotFoundException", missing, **put)
        split = {"StreamName": "clicks", "ShardToSplit": "0", "NewStartingHashKey": "50"}
        clock.advance(0.5)
        assert status() == "ACTIVE"
        kinesis.split_shard(**split)
        assert status() == "UPDATING"
        refused(
            kinesis.split_shard,
            "ResourceInUseException",
            "Stream clicks under account 000000000000 not ACTIVE, instead in state UPDATING",
            **split | {"ShardToSplit": "2", "NewStartingHashKey": "90"},
        )
        kinesis.put_record(**put)
        clock.advance(0.5)
        kinesis.delete_stream(StreamName="clicks")
        assert status() == "DELETING"
        assert records(kinesis, "clicks", shard="2")
        clock.advance(0.5)
        refused(kinesis.describe_stream, "ResourceNotFoundException", missing, StreamName="clicks")
        assert engine.streams() == []


def test_iterators_expire_after_five_minutes():
    clock = trunkline.VirtualClock()
    with trunkline.open(clock=clock) as engine:
        kinesis = trunkline.aws.client("kinesis", engine=engine, region_name="us-east-1")
        kinesis.create_stream(StreamName="clicks", ShardCount=1)
        token = iterator(kinesis, "clicks")
        clock.advance(300)
        assert kinesis.get_records(ShardIterator=token)["Records"] == []
        clock.advance(1)
        text = refused(kinesis.get_records, "ExpiredIteratorException", ShardIterator=token)
        assert text.startswith("Iterator expired. The iterator was created at time ")
        assert text.endswith(
            "which is further in the future than the tolerated delay of 300000 milliseconds."
        )


def test_shards_are_throttled_where_the_limits_say_so():
    clock = trunkline.VirtualClock()
    limits = trunkline.Limits(
        shard_write_records_rate=3, shard_write_bytes_rate=1_000, shard_reads_rate=2
    )
    with trunkline.open(limits=limits, clock=clock) as engine:
        kinesis = trunkline.aws.client(
            "kinesis",
            engine=engine,
            region_name="us-east-1",
            config=Config(retries={"max_attempts": 0}),
        )
        kinesis.create_stream(StreamName="clicks", ShardCount=1)
        entries = [{"Data": str(n), "PartitionKey": "k"} for n in range(5)]
        answer = kinesis.put_records(StreamName="clicks", Records=entries)
        assert answer["FailedRecordCount"] == 2
        assert [one.get("ErrorCode") for one in answer["Records"]] == [
            *(None, None, None),
            *("ProvisionedThroughputExceededException",) * 2,
        ]
        text = (
            "Rate exceeded for shard shardId-000000000000 in stream clicks under account "
            "000000000000."
        )
        assert answer["Records"][4]["ErrorMessage"] == text
        put = {"StreamName": "clicks", "Data": b"x", "PartitionKey": "k"}
        code = "ProvisionedThroughputExceededException"
        refused(kinesis.put_record, code, text, **put)
        clock.advance(1)
        kinesis.put_record(**put)
        refused(kinesis.put_record, code, **put | {"Data": b"x" * 1_000})
        token = iterator(kinesis, "clicks")
        for _ in range(2):
            kinesis.get_records(ShardIterator=token)
        refused(kinesis.get_records, code, ShardIterator=token)


@pytest.mark.parametrize(
    "changes",
    [
        {"after": "9" * 5_000},
        {"after": None},
        {"filter": {}},
        {"filter": {"Type": "ALL"}},
        {"filter": {"Type": ["AT_LATEST"]}},
        {"filter": {"Type": "AFTER_SHARD_ID", "ShardId": 7}},
        {"filter": {"Type": "AT_TIMESTAMP", "Timestamp": "now"}},
        {"stream": ["000000000000", "us-east-1", 7]},
        {"stream": "clicks"},
    ],
)
def test_a_token_that_a_caller_wrote_is_refused(kinesis, changes):
    kinesis.create_stream(StreamName="clicks", ShardCount=3)
    token = kinesis.list_shards(StreamName="clicks", MaxResults=1)["NextToken"]
    forged = json.dumps(json.loads(base64.b64decode(token)) | changes).encode()
    refused(
        kinesis.list_shards,
        "InvalidArgumentException",
        NextToken=base64.b64encode(forged).decode(),
    )
