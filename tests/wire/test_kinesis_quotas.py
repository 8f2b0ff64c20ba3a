"""Quotas of an account, with the limits of AWS: calls a second, changes a day, streams, shards."""

from __future__ import annotations

import pytest
from botocore.config import Config
from kinesis_calls import arn, iterator, refused
from test_kinesis_channels import given as channel

import trunkline
import trunkline.aws
from trunkline.aws import limits, quotas
from trunkline.aws.services import choose

ACCOUNT = "000000000000"
OF_STREAM = f"Rate exceeded for stream clicks under account {ACCOUNT}."
OF_ACCOUNT = f"Rate exceeded for account {ACCOUNT}."
OVER = "LimitExceededException"


@pytest.fixture
def clock():
    return trunkline.VirtualClock()


def opened(clock, path=None, **changes):
    return trunkline.open(path, clock=clock, limits=trunkline.Limits.aws(**changes))


def client(engine, service="kinesis", region="us-east-1"):
    config = Config(retries={"max_attempts": 0})
    return trunkline.aws.client(service, engine=engine, region_name=region, config=config)


def created(engine, clock, **given):
    kinesis = client(engine)
    kinesis.create_stream(StreamName="clicks", **(given or {"ShardCount": 2}))
    clock.advance(1)
    return kinesis


def test_an_account_calls_an_operation_so_often_in_a_second(clock):
    with opened(clock) as engine:
        kinesis = created(engine, clock)
        for call, rate, given, text in [
            (kinesis.describe_stream, 10, {"StreamName": "clicks"}, OF_STREAM),
            (kinesis.describe_stream_summary, 20, {"StreamName": "clicks"}, OF_STREAM),
            (kinesis.list_streams, 5, {}, OF_ACCOUNT),
            (kinesis.describe_limits, 1, {}, OF_ACCOUNT),
        ]:
            for _ in range(rate):
                call(**given)
            refused(call, OVER, text, **given)
        # Another region has its own.
        client(engine, region="eu-west-1").list_streams()
        clock.advance(1)
        for _ in range(5):
            kinesis.list_streams()
        refused(kinesis.list_streams, OVER, OF_ACCOUNT)


def test_each_stream_has_calls_of_its_own(clock):
    with opened(clock) as engine:
        kinesis = created(engine, clock)
        kinesis.create_stream(StreamName="orders", ShardCount=1)
        for _ in range(1_000):
            kinesis.list_shards(StreamName="clicks")
        refused(kinesis.list_shards, OVER, OF_STREAM, StreamName="clicks")
        kinesis.list_shards(StreamName="orders")


def test_a_shard_gives_five_iterators_a_second(clock):
    with opened(clock) as engine:
        kinesis = created(engine, clock)
        for _ in range(5):
            iterator(kinesis, "clicks")
        refused(
            kinesis.get_shard_iterator,
            "ProvisionedThroughputExceededException",
            f"Rate exceeded for shard shardId-000000000000 in stream clicks under account "
            f"{ACCOUNT}.",
            StreamName="clicks",
            ShardId="0",
            ShardIteratorType="LATEST",
        )
        iterator(kinesis, "clicks", shard="1")
        clock.advance(1)
        iterator(kinesis, "clicks")


def test_a_stream_is_scaled_ten_times_a_day_and_a_restart_gives_none_back(clock, tmp_path):
    def scale(kinesis, shards, after=60):
        clock.advance(after)
        given = {"StreamName": "clicks", "ScalingType": "UNIFORM_SCALING"}
        return kinesis.update_shard_count(**given, TargetShardCount=shards)

    with opened(clock, tmp_path) as engine:
        kinesis = created(engine, clock)
        for number in range(6):
            scale(kinesis, 2 + number % 2)
        # What is refused counts for nothing.
        refused(scale, "InvalidArgumentException", kinesis=kinesis, shards=100)
    with opened(clock, tmp_path) as engine:
        kinesis = client(engine)
        for number in range(4):
            scale(kinesis, 2 + number % 2)
        refused(scale, OVER, OF_STREAM, kinesis=kinesis, shards=2)
        # A day after the first one, one is free again.
        clock.advance(86_400 - 12 * 60 - 30)
        refused(scale, OVER, OF_STREAM, kinesis=kinesis, shards=2)
        scale(kinesis, 2)
        refused(scale, OVER, OF_STREAM, kinesis=kinesis, shards=2, after=1)
        # A stream that is made anew has none of it.
        kinesis.delete_stream(StreamName="clicks")
        clock.advance(1)
        kinesis.create_stream(StreamName="clicks", ShardCount=2)
        scale(kinesis, 3)


def test_the_mode_is_switched_twice_a_day(clock):
    with opened(clock) as engine:
        kinesis = created(engine, clock)

        def switch(mode):
            clock.advance(60)
            details = {"StreamMode": mode}
            kinesis.update_stream_mode(StreamARN=arn("clicks"), StreamModeDetails=details)

        for mode in ("PROVISIONED", "ON_DEMAND", "ON_DEMAND", "PROVISIONED", "PROVISIONED"):
            switch(mode)
        refused(switch, OVER, OF_STREAM, mode="ON_DEMAND")
        clock.advance(86_400)
        switch("ON_DEMAND")


@pytest.mark.parametrize(
    ("service", "given", "verbs"),
    [
        (
            "kinesis",
            {"StreamName": "clicks", "EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"},
            ["start_stream_encryption"],
        ),
        (
            "firehose",
            {"DeliveryStreamName": "clicks"},
            ["start_delivery_stream_encryption", "stop_delivery_stream_encryption"],
        ),
    ],
)
def test_encryption_changes_twenty_five_times_a_day(clock, service, given, verbs):
    with opened(clock) as engine:
        created(engine, clock)
        client(engine, "s3").create_bucket(Bucket="clicks")
        firehose = client(engine, "firehose")
        to = {"BucketARN": "arn:aws:s3:::clicks", "RoleARN": f"arn:aws:iam::{ACCOUNT}:role/r"}
        firehose.create_delivery_stream(
            DeliveryStreamName="clicks", ExtendedS3DestinationConfiguration=to
        )
        calls = client(engine, service)
        for number in range(25):
            clock.advance(60)
            getattr(calls, verbs[number % len(verbs)])(**given)
        clock.advance(60)
        refused(getattr(calls, verbs[0]), OVER, OF_STREAM, **given)


def test_firehose_answers_calls_too_many_in_its_own_words(clock):
    with opened(clock) as engine:
        firehose = client(engine, "firehose")
        for _ in range(5):
            firehose.list_delivery_streams()
        text = f"Please slow down. Max limit of 5 RPS has breached for account {ACCOUNT}."
        refused(firehose.list_delivery_streams, "ThrottlingException", text)


def test_an_account_has_so_many_streams_and_shards(clock):
    with opened(clock, account_quotas_percent=10) as engine:
        kinesis = client(engine)

        def create(name, **given):
            clock.advance(10)
            kinesis.create_stream(StreamName=name, **given)

        for number in range(5):
            create(f"demand-{number}")
        refused(
            create,
            OVER,
            "This request would exceed the limit on the number of On-Demand streams for the "
            f"account {ACCOUNT} in us-east-1. Current On-Demand streams count: 5. Limit: 5.",
            name="demand-5",
        )
        create("provisioned", ShardCount=1_999)
        refused(
            create,
            OVER,
            f"This request would exceed the shard limit for the account {ACCOUNT} in us-east-1. "
            "Current shard count for the account: 1999. Limit: 2000. Number of additional shards "
            "that would have resulted from this request: 2.",
            name="more",
            ShardCount=2,
        )
        create("one", ShardCount=1)
        told = kinesis.describe_limits()
        assert (told["ShardLimit"], told["OnDemandStreamCountLimit"]) == (2_000, 5)
        split = {"StreamName": "one", "ShardToSplit": "0", "NewStartingHashKey": "99"}
        clock.advance(1)
        refused(kinesis.split_shard, OVER, **split)


def test_an_account_has_so_many_channels(clock):
    with opened(clock, account_quotas_percent=4) as engine:
        kinesis = created(engine, clock, StreamModeDetails={"StreamMode": "ON_DEMAND"})
        client(engine, "s3").create_bucket(Bucket="lake")
        for number in range(2):
            clock.advance(10)
            kinesis.create_channel(**channel(f"channel-{number}"))
        clock.advance(10)
        refused(
            kinesis.create_channel,
            OVER,
            f"This request would exceed the limit on the number of channels for the account "
            f"{ACCOUNT} in us-east-1. Current channels count: 2. Limit: 2.",
            **channel("more"),
        )


def test_five_streams_are_being_created_at_once(clock):
    with opened(clock, stream_change_duration=60_000) as engine:
        kinesis = client(engine)
        for number in range(5):
            kinesis.create_stream(StreamName=f"s-{number}", ShardCount=1)
        clock.advance(1)
        refused(
            kinesis.create_stream,
            OVER,
            "This request would have exceed the limit on the number of streams that can "
            f"simultaneously be in CREATING or DELETING for the account {ACCOUNT}. Limit: 5.",
            StreamName="s-5",
            ShardCount=1,
        )


def test_without_the_limits_of_aws_nothing_is_counted():
    with trunkline.open(clock=trunkline.VirtualClock()) as engine:
        kinesis = client(engine)
        kinesis.create_stream(StreamName="clicks", ShardCount=1)
        for number in range(60):
            kinesis.describe_stream(StreamName="clicks")
            given = {"StreamName": "clicks", "ScalingType": "UNIFORM_SCALING"}
            kinesis.update_shard_count(**given, TargetShardCount=1 + number % 2)


@pytest.mark.parametrize(
    "table", [limits.ACCOUNT_CALLS_A_SECOND, limits.RESOURCE_CALLS_A_SECOND, limits.CHANGES_A_DAY]
)
def test_the_tables_name_operations_that_there_are(table):
    for service in choose(table):
        assert service.name in quotas.TOO_FAST
        for operation in table[service.name]:
            is_group = operation == "DeliveryStreamEncryption"
            assert is_group or operation in service.operations(), operation
