"""SNS through boto3."""

from __future__ import annotations

import json
import re
import urllib.request
import uuid

import pytest
from botocore.exceptions import ClientError


def refuses(code, call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    assert error["Code"] == code, error
    return error["Message"]


@pytest.fixture
def sns(connect):
    return connect("sns")


@pytest.fixture
def topic(sns):
    return sns.create_topic(Name="orders")["TopicArn"]


def make_queue(sqs, name, **attributes):
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, found["Attributes"]["QueueArn"]


def receive(sqs, url):
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    return found.get("Messages", [])


def test_a_message_goes_to_every_queue_of_its_topic(sns, sqs, topic):
    queues = [make_queue(sqs, name) for name in ("a", "b", "c")]
    arns = [
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"]
        for _, arn in queues
    ]
    published = sns.publish(
        TopicArn=topic,
        Message="one coffee",
        Subject="order",
        MessageAttributes={"state": {"DataType": "String", "StringValue": "paid"}},
    )
    for (url, _), subscription in zip(queues, arns, strict=True):
        (message,) = receive(sqs, url)
        envelope = json.loads(message["Body"])
        assert envelope["MessageId"] == published["MessageId"]
        assert envelope["TopicArn"] == topic
        assert (envelope["Subject"], envelope["Message"]) == ("order", "one coffee")
        assert envelope["MessageAttributes"] == {"state": {"Type": "String", "Value": "paid"}}
        assert envelope["UnsubscribeURL"].endswith(subscription)


def test_a_topic_of_the_wire_is_the_topic_of_the_process(engine, sns, topic):
    queue = engine.queue("kitchen")
    subscription = engine.topic("orders", create=False).subscribe(queue)
    sns.publish(TopicArn=topic, Message="one coffee")
    assert queue.receive()[0].text() == "one coffee"
    (entry,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert entry == {
        "SubscriptionArn": subscription.arn,
        "Owner": "000000000000",
        "Protocol": "sqs",
        "Endpoint": "arn:aws:sqs:us-east-1:000000000000:kitchen",
        "TopicArn": topic,
    }
    sns.unsubscribe(SubscriptionArn=subscription.arn)
    assert engine.topic("orders").subscriptions() == []


def test_a_fresh_topic_has_the_attributes_of_aws(sns, topic):
    found = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert sorted(found) == [
        "DisplayName",
        "EffectiveDeliveryPolicy",
        "Owner",
        "Policy",
        "SubscriptionsConfirmed",
        "SubscriptionsDeleted",
        "SubscriptionsPending",
        "TopicArn",
    ]
    sns.set_topic_attributes(TopicArn=topic, AttributeName="DisplayName", AttributeValue="Shop")
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["DisplayName"] == "Shop"
    text = refuses(
        "InvalidParameter",
        sns.set_topic_attributes,
        TopicArn=topic,
        AttributeName="FifoTopic",
        AttributeValue="true",
    )
    assert text == "Invalid parameter: AttributeName"


def test_a_topic_is_created_once_with_the_same_attributes_and_tags(sns):
    tags = [{"Key": "a", "Value": "1"}]
    arn = sns.create_topic(Name="t", Attributes={"DisplayName": "x"}, Tags=tags)["TopicArn"]
    assert sns.create_topic(Name="t")["TopicArn"] == arn
    text = refuses("InvalidParameter", sns.create_topic, Name="t", Attributes={"DisplayName": "y"})
    assert text == (
        "Invalid parameter: Attributes Reason: Topic already exists with different attributes"
    )
    text = refuses("InvalidParameter", sns.create_topic, Name="t", Tags=[])
    assert text == "Invalid parameter: Tags Reason: Topic already exists with different tags"
    assert sns.list_tags_for_resource(ResourceArn=arn)["Tags"] == tags
    sns.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert sns.list_tags_for_resource(ResourceArn=arn)["Tags"] == []
    for name in ("", "a b", "x" * 257, "t.fifo", "a.b"):
        assert refuses("InvalidParameter", sns.create_topic, Name=name) == (
            "Invalid parameter: Topic Name"
        )
    sns.delete_topic(TopicArn=arn)
    sns.delete_topic(TopicArn=arn)
    assert refuses("NotFound", sns.publish, TopicArn=arn, Message="x") == "Topic does not exist"


def test_filters_select_and_raw_messages_come_as_they_were_published(sns, sqs, topic):
    url, arn = make_queue(sqs, "paid")
    subscription = sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=arn,
        Attributes={"FilterPolicy": '{"state":["paid"]}', "RawMessageDelivery": "true"},
    )["SubscriptionArn"]
    for state in ("open", "paid"):
        sns.publish(
            TopicArn=topic,
            Message=state,
            MessageAttributes={"state": {"DataType": "String", "StringValue": state}},
        )
    (message,) = receive(sqs, url)
    assert message["Body"] == "paid"
    assert message["MessageAttributes"]["state"]["StringValue"] == "paid"
    found = sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    assert found["FilterPolicyScope"] == "MessageAttributes"
    assert found["RawMessageDelivery"] == "true"
    sns.set_subscription_attributes(
        SubscriptionArn=subscription, AttributeName="FilterPolicy", AttributeValue="{}"
    )
    sns.publish(TopicArn=topic, Message="all")
    assert [message["Body"] for message in receive(sqs, url)] == ["all"]
    text = refuses(
        "InvalidParameter",
        sns.set_subscription_attributes,
        SubscriptionArn=subscription,
        AttributeName="FilterPolicyScope",
        AttributeValue="X",
    )
    assert text.endswith("Invalid value [X]. Please use either MessageBody or MessageAttributes")


def test_a_structured_message_has_a_text_for_each_protocol(sns, sqs, topic):
    url, arn = make_queue(sqs, "a")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    body = json.dumps({"default": "all", "sqs": "queues"})
    sns.publish(TopicArn=topic, Message=body, MessageStructure="json")
    (message,) = receive(sqs, url)
    assert json.loads(message["Body"])["Message"] == "queues"
    for flawed, why in (("{", "failed to parse"), ('{"sqs":"x"}', "No default entry")):
        text = refuses(
            "InvalidParameter",
            sns.publish,
            TopicArn=topic,
            Message=flawed,
            MessageStructure="json",
        )
        assert why in text


def test_a_fifo_topic_keeps_order_and_deduplicates(sns, sqs):
    arn = sns.create_topic(
        Name="t.fifo", Attributes={"FifoTopic": "true", "ContentBasedDeduplication": "true"}
    )["TopicArn"]
    url, queue = make_queue(sqs, "q.fifo", FifoQueue="true")
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue)
    assert refuses("InvalidParameter", sns.publish, TopicArn=arn, Message="x") == (
        "Invalid parameter: The MessageGroupId parameter is required for FIFO topics"
    )
    entries = [{"Id": str(n), "Message": f"m{n}", "MessageGroupId": "g"} for n in range(3)]
    result = sns.publish_batch(TopicArn=arn, PublishBatchRequestEntries=entries)
    assert [len(one["SequenceNumber"]) for one in result["Successful"]] == [20, 20, 20]
    assert result["Failed"] == []
    sns.publish(TopicArn=arn, Message="m0", MessageGroupId="g")
    bodies = [json.loads(message["Body"])["Message"] for message in receive(sqs, url)]
    assert bodies == ["m0", "m1", "m2"]


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([], "EmptyBatchRequest"),
        ([{"Id": str(n), "Message": "x"} for n in range(11)], "TooManyEntriesInBatchRequest"),
        ([{"Id": "a", "Message": "x"}] * 2, "BatchEntryIdsNotDistinct"),
        ([{"Id": "a.b", "Message": "x"}], "InvalidBatchEntryId"),
        (
            [{"Id": "a", "Message": "x" * 200_000}, {"Id": "b", "Message": "x" * 200_000}],
            "BatchRequestTooLong",
        ),
    ],
)
def test_a_batch_that_breaks_a_rule_is_refused_as_a_whole(sns, topic, entries, code):
    refuses(code, sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=entries)


def test_a_message_that_breaks_a_rule_is_refused_in_the_words_of_aws(sns, topic):
    def text(code="InvalidParameter", **arguments):
        return refuses(code, sns.publish, **{"TopicArn": topic, "Message": "x"} | arguments)

    assert text(Message="") == "Invalid parameter: Empty message"
    assert text(Message="x" * 262_145) == "Invalid parameter: Message too long"
    assert text(Subject="") == "Invalid parameter: Subject"
    assert text(TopicArn="x").endswith("must have at least 6 elements, not 1")
    attribute = {"a": {"DataType": "Number", "BinaryValue": b"1"}}
    assert text("ParameterValueInvalid", MessageAttributes=attribute) == (
        "The message attribute 'a' with type 'Number' must use field 'String'."
    )
    assert text(MessageDeduplicationId="1").startswith("Invalid parameter: MessageDeduplicationId")


def test_a_subscription_may_come_before_its_queue(sns, sqs, topic):
    arn = "arn:aws:sqs:us-east-1:000000000000:late"
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="early")
    url, _ = make_queue(sqs, "late")
    sns.publish(TopicArn=topic, Message="late")
    assert [json.loads(one["Body"])["Message"] for one in receive(sqs, url)] == ["late"]


def test_a_protocol_that_there_is_not_is_refused(sns, topic):
    text = refuses(
        "InvalidParameter", sns.subscribe, TopicArn=topic, Protocol="pigeon", Endpoint="x"
    )
    assert text == "Invalid parameter: Amazon SNS does not support this protocol string: pigeon"


def test_subscriptions_are_listed_page_by_page(engine, sns, topic):
    there = engine.topic("orders")
    for number in range(250):
        there.subscribe(engine.queue(f"q{number}"))
    pages = list(sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic))
    assert [len(page["Subscriptions"]) for page in pages] == [100, 100, 50]
    pages = list(sns.get_paginator("list_subscriptions").paginate())
    assert [len(page["Subscriptions"]) for page in pages] == [100, 100, 50]
    assert len({one["SubscriptionArn"] for page in pages for one in page["Subscriptions"]}) == 250


def test_permissions_are_statements_of_the_policy(sns, topic):
    arguments = {"TopicArn": topic, "Label": "l", "AWSAccountId": ["1" * 12]}
    sns.add_permission(**arguments, ActionName=["Publish"])
    policy = json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
    assert policy["Statement"][1] == {
        "Sid": "l",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{'1' * 12}:root"},
        "Action": "SNS:Publish",
        "Resource": topic,
    }
    text = refuses("InvalidParameter", sns.add_permission, **arguments, ActionName=["Publish"])
    assert text == "Invalid parameter: Statement already exists"
    sns.remove_permission(TopicArn=topic, Label="l")
    sns.remove_permission(TopicArn=topic, Label="l")


def test_an_unknown_subscription_is_told_by_its_arn(sns, topic):
    arn = f"{topic}:{uuid.uuid4()}"
    sns.unsubscribe(SubscriptionArn=arn)
    assert refuses("NotFound", sns.get_subscription_attributes, SubscriptionArn=arn) == (
        "Subscription does not exist"
    )
    assert refuses("InvalidParameter", sns.unsubscribe, SubscriptionArn=topic) == (
        "Invalid parameter: SubscriptionId"
    )


def get(server, path, method="GET"):
    request = urllib.request.Request(f"{server.url}{path}", method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


@pytest.fixture
def served(server):
    import boto3

    return boto3.session.Session().client(
        "sns",
        region_name="us-east-1",
        endpoint_url=server.url,
        aws_access_key_id="000000000000",
        aws_secret_access_key="secret",
    )


def test_messages_to_people_and_devices_wait_in_the_outbox(server, served):
    topic = served.create_topic(Name="alarms")["TopicArn"]
    served.subscribe(TopicArn=topic, Protocol="sms", Endpoint="+4915112345678")
    served.publish(TopicArn=topic, Message="fire")
    served.publish(PhoneNumber="+4915112345678", Message="smoke")
    application = served.create_platform_application(
        Name="app", Platform="GCM", Attributes={"PlatformCredential": "key"}
    )["PlatformApplicationArn"]
    endpoint = served.create_platform_endpoint(PlatformApplicationArn=application, Token="device")[
        "EndpointArn"
    ]
    served.publish(TargetArn=endpoint, Message="push")
    found = get(server, "/_trunkline/outbox")["messages"]
    assert [(one["Protocol"], one["Message"]) for one in found] == [
        ("sms", "fire"),
        ("sms", "smoke"),
        ("application", "push"),
    ]
    texts = get(server, "/_aws/sns/sms-messages")["sms_messages"]["+4915112345678"]
    assert [one["Message"] for one in texts] == ["fire", "smoke"]
    pushes = get(server, "/_aws/sns/platform-endpoint-messages")["platform_endpoint_messages"]
    assert [one["Message"] for one in pushes[endpoint]] == ["push"]
    served.set_endpoint_attributes(EndpointArn=endpoint, Attributes={"Enabled": "false"})
    refuses("EndpointDisabled", served.publish, TargetArn=endpoint, Message="push")
    assert get(server, "/_trunkline/outbox", "DELETE") == {"messages": []}
    assert get(server, "/_trunkline/outbox") == {"messages": []}


def test_a_mail_address_is_confirmed_by_the_link_that_it_is_sent(server, served):
    topic = served.create_topic(Name="news")["TopicArn"]
    first = served.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com")
    assert first["SubscriptionArn"] == "pending confirmation"
    arn = served.subscribe(
        TopicArn=topic, Protocol="email", Endpoint="a@example.com", ReturnSubscriptionArn=True
    )["SubscriptionArn"]
    (entry,) = served.list_subscriptions()["Subscriptions"]
    assert entry["SubscriptionArn"] == "PendingConfirmation"
    served.publish(TopicArn=topic, Message="too early")
    token = get(server, f"/_aws/sns/subscription-tokens/{arn}")["subscription_token"]
    assert (
        refuses("InvalidParameter", served.confirm_subscription, TopicArn=topic, Token="x")
        == "Invalid token"
    )
    mails = get(server, "/_trunkline/outbox")["messages"]
    links = [json.loads(mail["Message"])["SubscribeURL"] for mail in mails]
    (link,) = [link for link in links if link.endswith(f"&Token={token}")]
    with urllib.request.urlopen(link) as answer:
        assert (
            re.search(r"<SubscriptionArn>(.*)</SubscriptionArn>", answer.read().decode())[1] == arn
        )
    served.publish(TopicArn=topic, Message="news")
    last = get(server, "/_trunkline/outbox")["messages"][-1]
    assert (last["Protocol"], last["Endpoint"], last["Message"]) == (
        "email",
        "a@example.com",
        "news",
    )
