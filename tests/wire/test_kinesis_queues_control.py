"""Queues of Kinesis streams over the wire, with boto3: the control plane, and who may use them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from kinesis_calls import arn, refused
from stream_queue_calls import ON_DEMAND, create, entries, put, receive, receive_all

import trunkline
import trunkline.aws
from trunkline.server import Server

ACCOUNTS = {"owner": "000000000000", "friend": "111111111111"}

pytestmark = pytest.mark.botocore_knows("kinesis", "CreateQueue")


@pytest.fixture
def kinesis(connect):
    kinesis = connect("kinesis")
    kinesis.create_stream(StreamName="clicks", StreamModeDetails=ON_DEMAND)
    return kinesis


def test_a_queue_begins_at_the_newest_record_unless_it_says_otherwise(kinesis):
    put(kinesis, "before")
    source = {"StreamARN": arn("clicks")}
    made = kinesis.create_queue(QueueName="jobs", StreamConfigurationList=[source])
    described = made["QueueDescription"]
    assert described["QueueStatus"] == "ACTIVE"
    assert described["QueueAttributes"] == {
        "VisibilityTimeoutSeconds": 30,
        "DeadLetterConfiguration": {"TargetType": "BUILT_IN", "MaxReceiveCount": 6},
    }
    (shown,) = described["StreamConfigurationList"]
    assert shown["StartingPosition"]["Type"] == "LATEST"
    assert shown["StartingPosition"]["Timestamp"] == described["QueueCreationTimestamp"]
    assert kinesis.describe_queue(QueueARN=described["QueueARN"])["QueueDescription"] == described
    put(kinesis, "behind")
    assert list(receive_all(kinesis, described["QueueARN"], 1)) == ["behind"]


def test_queues_are_created_once_and_on_streams_that_may_have_them(connect, kinesis):
    source = {"StreamARN": arn("clicks")}
    make = kinesis.create_queue
    create(kinesis)
    refused(
        make,
        "ResourceInUseException",
        "Queue jobs under account 000000000000 already exists.",
        QueueName="jobs",
        StreamConfigurationList=[source],
    )
    refused(
        make,
        "ResourceNotFoundException",
        QueueName="b",
        StreamConfigurationList=[{"StreamARN": arn("none")}],
    )
    refused(make, "ValidationException", QueueName="b", StreamConfigurationList=[source, source])
    for start in ({"Type": "AT_TIMESTAMP"}, {"Type": "LATEST", "Timestamp": datetime.now(UTC)}):
        given = [{**source, "StartingPosition": start}]
        refused(make, "ValidationException", QueueName="b", StreamConfigurationList=given)
    refused(
        make,
        "ValidationException",
        QueueName="b",
        StreamConfigurationList=[source],
        QueueAttributes={"DeadLetterConfiguration": {"TargetType": "BUILT_IN"}},
    )
    foreign = arn("clicks").replace("us-east-1", "eu-west-1")
    elsewhere = connect("kinesis", region="eu-west-1")
    elsewhere.create_stream(StreamName="clicks", StreamModeDetails=ON_DEMAND)
    refused(
        make,
        "InvalidArgumentException",
        QueueName="b",
        StreamConfigurationList=[{"StreamARN": foreign}],
    )
    kinesis.create_stream(StreamName="fixed", ShardCount=1)
    text = refused(
        make,
        "ValidationException",
        QueueName="b",
        StreamConfigurationList=[{"StreamARN": arn("fixed")}],
    )
    assert "ON_DEMAND" in text


def test_a_stream_with_queues_is_neither_deleted_nor_provisioned(kinesis):
    queue = create(kinesis)
    summary = kinesis.describe_stream_summary(StreamName="clicks")["StreamDescriptionSummary"]
    assert (summary["QueueCount"], summary["ConsumerCount"]) == (1, 0)
    provisioned = {"StreamMode": "PROVISIONED"}
    for enforced in (False, True):
        refused(
            kinesis.delete_stream,
            "ResourceInUseException",
            StreamName="clicks",
            EnforceConsumerDeletion=enforced,
        )
    refused(
        kinesis.update_stream_mode,
        "ResourceInUseException",
        StreamARN=arn("clicks"),
        StreamModeDetails=provisioned,
    )
    kinesis.delete_queue(QueueARN=queue)
    refused(kinesis.describe_queue, "ResourceNotFoundException", QueueARN=queue)
    refused(
        kinesis.receive_queue_records,
        "ResourceNotFoundException",
        f"Queue {queue} not found.",
        QueueARN=queue,
    )
    kinesis.update_stream_mode(StreamARN=arn("clicks"), StreamModeDetails=provisioned)
    kinesis.delete_stream(StreamName="clicks")


def test_queues_and_consumers_share_their_limit(kinesis):
    for number in range(19):
        create(kinesis, f"q{number}")
    kinesis.register_stream_consumer(StreamARN=arn("clicks"), ConsumerName="c")
    source = [{"StreamARN": arn("clicks")}]
    given = {"QueueName": "more", "StreamConfigurationList": source}
    refused(kinesis.create_queue, "LimitExceededException", **given)
    consumer = {"StreamARN": arn("clicks"), "ConsumerName": "d"}
    refused(kinesis.register_stream_consumer, "LimitExceededException", **consumer)
    kinesis.update_account_settings(MinimumThroughputBillingCommitment={"Status": "ENABLED"})
    kinesis.create_queue(**given)
    kinesis.register_stream_consumer(**consumer)


def test_queues_are_listed_page_by_page_and_by_stream(kinesis):
    kinesis.create_stream(StreamName="other", StreamModeDetails=ON_DEMAND)
    made = {name: create(kinesis, name) for name in ("c", "a", "b")}
    kinesis.create_queue(QueueName="d", StreamConfigurationList=[{"StreamARN": arn("other")}])
    pages = list(kinesis.get_paginator("list_queues").paginate(PaginationConfig={"PageSize": 3}))
    assert [len(one["QueueSummaries"]) for one in pages] == [3, 1]
    names = [one["QueueName"] for page in pages for one in page["QueueSummaries"]]
    assert names == ["a", "b", "c", "d"]
    first = pages[0]["QueueSummaries"][0]
    summary = kinesis.describe_stream_summary(StreamName="clicks")["StreamDescriptionSummary"]
    created = summary["StreamCreationTimestamp"]
    streams = [{"StreamARN": arn("clicks"), "StreamCreationTimestamp": created}]
    assert (first["QueueARN"], first["Streams"]) == (made["a"], streams)
    listed = kinesis.list_queues(StreamFilter=[{"StreamARN": arn("other")}])["QueueSummaries"]
    assert [one["QueueName"] for one in listed] == ["d"]
    recreated = [{"StreamARN": arn("other"), "StreamCreationTimestamp": datetime(2020, 1, 1)}]
    assert kinesis.list_queues(StreamFilter=recreated)["QueueSummaries"] == []
    refused(kinesis.list_queues, "InvalidArgumentException", NextToken="\u00ff")


def test_attributes_are_changed_one_by_one(kinesis):
    queue = create(kinesis)
    put(kinesis, "a")
    changed = kinesis.update_queue(QueueARN=queue, QueueAttributes={"VisibilityTimeoutSeconds": 0})[
        "QueueDescription"
    ]
    dead = {"TargetType": "BUILT_IN", "MaxReceiveCount": 6}
    expected = {"VisibilityTimeoutSeconds": 0, "DeadLetterConfiguration": dead}
    assert changed["QueueAttributes"] == expected
    receive_all(kinesis, queue, 1)
    assert receive_all(kinesis, queue, 1)["a"]["ReceiveCount"] == 2
    kinesis.update_queue(
        QueueARN=queue,
        QueueAttributes={"DeadLetterConfiguration": {**dead, "MaxReceiveCount": 2}},
    )
    assert receive(kinesis, queue, wait=1) == []
    assert list(receive_all(kinesis, queue, 1, dead=True)) == ["a"]


def test_tags_and_policies_of_queues(kinesis):
    source = [{"StreamARN": arn("clicks")}]
    made = kinesis.create_queue(
        QueueName="jobs", StreamConfigurationList=source, Tags={"team": "web"}
    )
    queue = made["QueueDescription"]["QueueARN"]
    kinesis.tag_resource(ResourceARN=queue, Tags={"stage": "test"})
    kinesis.untag_resource(ResourceARN=queue, TagKeys=["team"])
    tags = kinesis.list_tags_for_resource(ResourceARN=queue)["Tags"]
    assert tags == [{"Key": "stage", "Value": "test"}]
    assert kinesis.get_resource_policy(ResourceARN=queue)["Policy"] == "{}"
    policy = '{"Statement":[{"Effect":"Allow"}]}'
    kinesis.put_resource_policy(ResourceARN=queue, Policy=policy)
    assert kinesis.get_resource_policy(ResourceARN=queue)["Policy"] == policy
    kinesis.delete_resource_policy(ResourceARN=queue)
    refused(kinesis.delete_resource_policy, "ResourceNotFoundException", ResourceARN=queue)


def test_inputs_are_refused_in_the_words_of_aws(kinesis):
    queue = create(kinesis)
    text = refused(
        kinesis.receive_queue_records,
        "ValidationException",
        QueueARN=queue,
        Limit=11,
        WaitTimeSeconds=21,
        VisibilityTimeoutSeconds=43_201,
    )
    assert text == (
        "3 validation errors detected: Value '11' at 'limit' failed to satisfy constraint: Member "
        "must have value less than or equal to 10; Value '21' at 'waitTimeSeconds' failed to "
        "satisfy constraint: Member must have value less than or equal to 20; Value '43201' at "
        "'visibilityTimeoutSeconds' failed to satisfy constraint: Member must have value less than "
        "or equal to 43200"
    )
    many = [{"ReceiptHandle": "x"}] * 11
    refused(kinesis.acknowledge_queue_records, "ValidationException", QueueARN=queue, Entries=many)


def test_states_move_on_the_clock_of_the_engine(clock):
    with trunkline.open(clock=clock, limits=trunkline.Limits.aws()) as engine:
        kinesis = trunkline.aws.client("kinesis", engine=engine, region_name="us-east-1")
        kinesis.create_stream(StreamName="clicks", StreamModeDetails=ON_DEMAND)
        clock.advance(1)
        put(kinesis, "a")
        queue = create(kinesis)

        def described():
            return kinesis.describe_queue(QueueARN=queue)["QueueDescription"]

        assert described()["QueueStatus"] == "CREATING"
        assert "Timestamp" not in described()["StreamConfigurationList"][0]["StartingPosition"]
        change = {"QueueARN": queue, "QueueAttributes": {"VisibilityTimeoutSeconds": 60}}
        refused(kinesis.update_queue, "ResourceInUseException", **change)
        assert receive(kinesis, queue, wait=1) == []
        clock.advance(1)
        assert described()["QueueStatus"] == "ACTIVE"
        assert described()["StreamConfigurationList"][0]["StartingPosition"]["Timestamp"]
        found = receive_all(kinesis, queue, 1)
        kinesis.update_queue(**change)
        assert described()["QueueStatus"] == "UPDATING"
        refused(kinesis.update_queue, "ResourceInUseException", **change)
        clock.advance(1)
        kinesis.delete_queue(QueueARN=queue)
        kinesis.delete_queue(QueueARN=queue)
        assert described()["QueueStatus"] == "DELETING"
        assert receive(kinesis, queue, wait=20) == []
        answer = kinesis.restore_dead_letter_queue_records(
            QueueARN=queue, Entries=entries(found.values())
        )
        assert len(answer["Failed"]) == 1
        clock.advance(1)
        refused(kinesis.describe_queue, "ResourceNotFoundException", QueueARN=queue)
        assert kinesis.list_queues()["QueueSummaries"] == []


def test_only_who_may_uses_a_queue_where_signatures_are_proved(engine):
    boto3 = pytest.importorskip("boto3")
    known = [(name, "secret", None, account) for name, account in ACCOUNTS.items()]
    with Server(engine, port=0, auth="strict", credentials=known) as server:

        def connect(key):
            return boto3.session.Session().client(
                "kinesis",
                region_name="us-east-1",
                endpoint_url=server.url,
                aws_access_key_id=key,
                aws_secret_access_key="secret",
            )

        owner, friend = connect("owner"), connect("friend")
        owner.create_stream(StreamName="clicks", StreamModeDetails=ON_DEMAND)
        queue = create(owner)
        put(owner, "a")
        source = [{"StreamARN": arn("clicks")}]
        denied = "AccessDeniedException"
        refused(friend.create_queue, denied, QueueName="q", StreamConfigurationList=source)
        for call in (friend.describe_queue, friend.delete_queue, friend.receive_queue_records):
            refused(call, denied, QueueARN=queue)
        handles = [{"ReceiptHandle": "x"}]
        refused(friend.acknowledge_queue_records, denied, QueueARN=queue, Entries=handles)
        refused(friend.tag_resource, denied, ResourceARN=queue, Tags={"a": "b"})
        channel = queue.replace(":queue/", ":channel/")
        refused(friend.describe_channel, denied, ChannelARN=channel)
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": ACCOUNTS["friend"]},
                    "Action": "kinesis:ReceiveQueueRecords",
                    "Resource": queue,
                }
            ],
        }
        owner.put_resource_policy(ResourceARN=queue, Policy=json.dumps(policy))
        assert [one["Data"] for one in receive(friend, queue)] == [b"a"]
        refused(friend.receive_dead_letter_queue_records, denied, QueueARN=queue)
