"""ArchivePolicy and ReplayPolicy of FIFO topics through boto3."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest

from tests.wire.test_sns import make_queue, receive, refuses
from waiting import until

DAYS = json.dumps({"MessageRetentionPeriod": "30"})
BEGINNING = "2020-01-01T00:00:00.000Z"


def policy(**more):
    return json.dumps({"PointType": "Timestamp", "StartingPoint": BEGINNING} | more)


@pytest.fixture
def sns(connect):
    return connect("sns")


@pytest.fixture
def topic(sns):
    attributes = {
        "FifoTopic": "true",
        "ContentBasedDeduplication": "true",
        "ArchivePolicy": DAYS,
    }
    return sns.create_topic(Name="orders.fifo", Attributes=attributes)["TopicArn"]


def publish(sns, topic, *bodies):
    for body in bodies:
        sns.publish(TopicArn=topic, Message=body, MessageGroupId="g")


def attributes_of(sns, subscription):
    return sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]


def wait_until(sns, subscription, status):
    until(lambda: attributes_of(sns, subscription).get("ReplayStatus") == status)


def bodies(sqs, url):
    found = []
    while got := receive(sqs, url):
        for message in got:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        found += [json.loads(message["Body"]) for message in got]
    return found


def test_a_new_subscription_replays_the_archive_and_goes_live(sns, sqs, topic):
    publish(sns, topic, "one", "two")
    url, arn = make_queue(sqs, "late.fifo", FifoQueue="true")
    subscription = sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"ReplayPolicy": policy()}
    )["SubscriptionArn"]
    wait_until(sns, subscription, "Completed")
    publish(sns, topic, "three")
    found = bodies(sqs, url)
    assert [one["Message"] for one in found] == ["one", "two", "three"]
    assert [one.get("Replayed") for one in found] == [True, True, None]
    assert json.loads(attributes_of(sns, subscription)["ReplayPolicy"]) == json.loads(policy())
    # Subscribing once more with the same attributes finds it.
    again = sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"ReplayPolicy": policy()}
    )
    assert again["SubscriptionArn"] == subscription


def test_a_replay_with_an_end_holds_new_messages_back_until_it_is_removed(sns, sqs, topic):
    url, arn = make_queue(sqs, "late.fifo", FifoQueue="true")
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"]
    assert "ReplayStatus" not in attributes_of(sns, subscription)
    publish(sns, topic, "one")
    bodies(sqs, url)
    time.sleep(0.01)
    end = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    sns.set_subscription_attributes(
        SubscriptionArn=subscription,
        AttributeName="ReplayPolicy",
        AttributeValue=policy(EndingPoint=end),
    )
    wait_until(sns, subscription, "Completed")
    publish(sns, topic, "two")
    assert [one["Message"] for one in bodies(sqs, url)] == ["one"]
    sns.set_subscription_attributes(
        SubscriptionArn=subscription, AttributeName="ReplayPolicy", AttributeValue="{}"
    )
    assert "ReplayPolicy" not in attributes_of(sns, subscription)
    publish(sns, topic, "three")
    assert [one["Message"] for one in bodies(sqs, url)] == ["three"]


def test_a_topic_with_an_archive_is_not_deleted(sns, topic):
    about = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert json.loads(about["ArchivePolicy"]) == json.loads(DAYS)
    assert about["BeginningArchiveTime"].endswith("Z")
    refuses("InvalidState", sns.delete_topic, TopicArn=topic)
    sns.set_topic_attributes(TopicArn=topic, AttributeName="ArchivePolicy", AttributeValue="{}")
    about = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert not {"ArchivePolicy", "BeginningArchiveTime"} & set(about)
    sns.delete_topic(TopicArn=topic)


def days(value):
    return json.dumps({"MessageRetentionPeriod": value})


@pytest.mark.parametrize(
    "value", ["[]", "x", "1", days("0"), days("366"), days("1.5"), days(None), days("9" * 5_000)]
)
def test_an_archive_policy_of_another_shape_is_refused(sns, topic, value):
    message = refuses(
        "InvalidParameter",
        sns.set_topic_attributes,
        TopicArn=topic,
        AttributeName="ArchivePolicy",
        AttributeValue=value,
    )
    assert "ArchivePolicy" in message
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["ArchivePolicy"] == DAYS


@pytest.mark.parametrize(
    "value",
    [
        "[]",
        "x",
        policy(PointType="Sequence"),
        policy(StartingPoint="yesterday"),
        policy(StartingPoint=1),
        policy(StartingPoint="2020-01-01T00:00:00"),
        policy(StartingPoint="1960-01-01T00:00:00Z"),
        policy(EndingPoint="2019-01-01T00:00:00Z"),
        policy(x=1),
    ],
)
def test_a_replay_policy_of_another_shape_is_refused(sns, sqs, topic, value):
    _, arn = make_queue(sqs, "late.fifo", FifoQueue="true")
    message = refuses(
        "InvalidParameter",
        sns.subscribe,
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=arn,
        Attributes={"ReplayPolicy": value},
    )
    assert "ReplayPolicy" in message


def test_only_archives_of_fifo_topics_are_replayed_and_ten_at_once(sns, sqs, topic):
    _, plain = make_queue(sqs, "plain")
    other = sns.create_topic(Name="other")["TopicArn"]
    bare = sns.create_topic(Name="bare.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    for arn in (other, bare):
        refuses(
            "InvalidParameter",
            sns.subscribe,
            TopicArn=arn,
            Protocol="sqs",
            Endpoint=plain,
            Attributes={"ReplayPolicy": policy()},
        )
    refuses(
        "InvalidParameter",
        sns.create_topic,
        Name="another",
        Attributes={"ArchivePolicy": DAYS},
    )
    # They run until their end, which is far away.
    far = policy(EndingPoint="2999-01-01T00:00:00Z")
    for number in range(11):
        _, arn = make_queue(sqs, f"q{number}.fifo", FifoQueue="true")
        subscribe = {"TopicArn": topic, "Protocol": "sqs", "Endpoint": arn}
        if number < 10:
            sns.subscribe(**subscribe, Attributes={"ReplayPolicy": far})
        else:
            attributes = {"ReplayPolicy": far}
            refuses("ReplayLimitExceeded", sns.subscribe, **subscribe, Attributes=attributes)
    listed = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert len(listed) == 10
