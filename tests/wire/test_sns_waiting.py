"""Queues that come after the subscriptions that name them, and queues of other accounts."""

from __future__ import annotations

import json

import pytest

from tests.wire.test_sns import make_queue, receive, refuses

ARN = "arn:aws:sqs:us-east-1:000000000000:"


@pytest.fixture
def sns(connect):
    return connect("sns")


@pytest.fixture
def topic(sns):
    return sns.create_topic(Name="orders")["TopicArn"]


def test_a_queue_of_the_process_gets_what_a_subscription_waited_for(engine, sns, topic):
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"{ARN}late")
    sns.publish(TopicArn=topic, Message="before")
    late = engine.queue("late")
    sns.publish(TopicArn=topic, Message="after")
    assert [json.loads(message.body)["Message"] for message in late.receive(10)] == ["after"]


@pytest.mark.parametrize("of_the_process", [True, False])
def test_a_dead_letter_queue_is_attached_when_it_appears(engine, sns, sqs, topic, of_the_process):
    url, arn = make_queue(sqs, "target")
    dead = json.dumps({"deadLetterTargetArn": f"{ARN}dead"})
    subscription = sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RedrivePolicy": dead}
    )["SubscriptionArn"]
    if of_the_process:
        engine.queue("dead")
    else:
        sqs.create_queue(QueueName="dead")
    sqs.delete_queue(QueueUrl=url)
    sns.publish(TopicArn=topic, Message="one")
    assert json.loads(engine.queue("dead").receive()[0].body)["Message"] == "one"
    sns.unsubscribe(SubscriptionArn=subscription)
    # A queue that is named no more is attached to nothing.
    engine.queue("target").send("two")
    sns.publish(TopicArn=topic, Message="three")
    assert [message.text() for message in engine.queue("target").receive(10)] == ["two"]


def test_a_queue_of_another_account_is_asked_first(engine, sns, topic):
    other = engine.queue("q", account="222222222222")
    arn = f"arn:aws:sqs:us-east-1:222222222222:{other.name}"
    made = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)[
        "SubscriptionArn"
    ]
    about = sns.get_subscription_attributes(SubscriptionArn=made)["Attributes"]
    assert (about["PendingConfirmation"], about["ConfirmationWasAuthenticated"]) == (
        "true",
        "false",
    )
    sns.publish(TopicArn=topic, Message="before")
    (asked,) = other.receive(10)
    asked.delete()
    body = json.loads(asked.body)
    assert body["Type"] == "SubscriptionConfirmation"
    assert sns.confirm_subscription(TopicArn=topic, Token=body["Token"])["SubscriptionArn"] == made
    sns.publish(TopicArn=topic, Message="after")
    assert [json.loads(one.body)["Message"] for one in other.receive(10)] == ["after"]


def policy(direction, operation, *identifiers):
    names = [f"arn:aws:dataprotection::aws:data-identifier/{name}" for name in identifiers]
    statement = {"Sid": "s", "DataDirection": direction, "Principal": ["*"]}
    statement |= {"DataIdentifier": names, "Operation": operation}
    return json.dumps({"Name": "p", "Version": "2021-06-01", "Statement": [statement]})


def protect(sns, topic, text):
    sns.put_data_protection_policy(ResourceArn=topic, DataProtectionPolicy=text)
    stored = sns.get_data_protection_policy(ResourceArn=topic)["DataProtectionPolicy"]
    assert stored == text


def test_a_data_protection_policy_denies_masks_and_redacts(sns, sqs, topic):
    url, arn = make_queue(sqs, "q")
    sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
    )
    card, mail = "card 4111 1111 1111 1111", "mail anna@example.com"

    def published(*texts):
        entries = [{"Id": str(id), "Message": text} for id, text in enumerate(texts)]
        sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
        return [message["Body"] for message in receive(sqs, url)]

    mask = {"Deidentify": {"MaskConfig": {"MaskWithCharacter": "*"}}}
    protect(sns, topic, policy("Inbound", mask, "CreditCardNumber", "EmailAddress"))
    assert published(card, mail) == ["card " + "*" * 19, "mail " + "*" * 16]
    protect(sns, topic, policy("Outbound", {"Deidentify": {"RedactConfig": {}}}, "EmailAddress"))
    assert published(card, mail) == [card, "mail "]
    protect(sns, topic, policy("Inbound", {"Deny": {}}, "CreditCardNumber"))
    refuses("AuthorizationError", sns.publish, TopicArn=topic, Message=card)
    answer = sns.publish_batch(
        TopicArn=topic,
        PublishBatchRequestEntries=[{"Id": "a", "Message": card}, {"Id": "b", "Message": mail}],
    )
    assert [one["Id"] for one in answer["Failed"]] == ["a"]
    assert [message["Body"] for message in receive(sqs, url)] == [mail]
    protect(sns, topic, policy("Outbound", {"Deny": {}}, "CreditCardNumber"))
    assert published(card, mail) == [mail]
    sns.put_data_protection_policy(ResourceArn=topic, DataProtectionPolicy="")
    assert published(card) == [card]


def test_a_policy_that_could_not_be_applied_is_refused_by_name(sns, topic):
    for text, part in (
        (policy("Inbound", {"Deny": {}}, "Address"), "data-identifier/Address"),
        (policy("Inbound", {"Forbid": {}}, "EmailAddress"), "Operation"),
        ("x", "no JSON"),
    ):
        told = refuses(
            "InvalidParameter",
            sns.put_data_protection_policy,
            ResourceArn=topic,
            DataProtectionPolicy=text,
        )
        assert part in told
