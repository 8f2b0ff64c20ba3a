"""Which topics and rules may send to a queue when signatures are proved."""

from __future__ import annotations

import json

import pytest

from trunkline.server import Server

boto3 = pytest.importorskip("boto3")

OWNER, FRIEND = "111111111111", "222222222222"
PATTERN = json.dumps({"source": ["shop"]})


@pytest.fixture
def strict(engine):
    known = [(f"AKIA{account}", "secret", None, account) for account in (OWNER, FRIEND)]
    with Server(engine, port=0, auth="strict", credentials=known) as server:
        clients = []

        def connect(service, account=OWNER):
            client = boto3.session.Session().client(
                service,
                region_name="us-east-1",
                endpoint_url=server.url,
                aws_access_key_id=f"AKIA{account}",
                aws_secret_access_key="secret",
            )
            clients.append(client)
            return client

        yield connect
        for client in clients:
            client.close()


def allow(service, source, **more):
    """A policy that lets a topic or a rule send."""
    condition = {"ArnEquals": {"aws:SourceArn": source}, **more}
    statement = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}}
    statement |= {"Action": "sqs:SendMessage", "Resource": "*", "Condition": condition}
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


def set_policy(sqs, url, policy):
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


def make_queue(sqs, name):
    return sqs.create_queue(QueueName=name)["QueueUrl"], f"arn:aws:sqs:us-east-1:{OWNER}:{name}"


def bodies(sqs, url):
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [message["Body"] for message in found]


def subscribe(sns, topic, endpoint, **attributes):
    given = {"RawMessageDelivery": "true", **attributes}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=endpoint, Attributes=given)


def test_a_topic_sends_only_to_a_queue_whose_policy_allows_it(strict):
    sns, sqs = strict("sns"), strict("sqs")
    topic = sns.create_topic(Name="orders")["TopicArn"]
    other = sns.create_topic(Name="others")["TopicArn"]
    url, arn = make_queue(sqs, "q")
    subscribe(sns, topic, arn)
    subscribe(sns, other, arn)

    def publish():
        for one in (topic, other):
            sns.publish(TopicArn=one, Message=one)
        return sorted(bodies(sqs, url))

    assert publish() == []
    set_policy(sqs, url, allow("sns", topic))
    assert publish() == [topic]
    set_policy(sqs, url, allow("sns", other))
    assert publish() == [other]
    set_policy(sqs, url, allow("events", topic))
    assert publish() == []
    set_policy(sqs, url, allow("sns", topic, StringEquals={"aws:SourceAccount": FRIEND}))
    assert publish() == []
    set_policy(sqs, url, allow("sns", "arn:aws:sns:*:*:*"))
    assert publish() == [topic, other]
    set_policy(sqs, url, "")
    assert publish() == []


@pytest.mark.parametrize(
    "principal", [{"AWS": OWNER}, {"AWS": f"arn:aws:iam::{OWNER}:root"}, {"Service": OWNER}]
)
def test_a_policy_for_an_account_allows_no_topic(strict, principal):
    sns, sqs = strict("sns"), strict("sqs")
    topic = sns.create_topic(Name="orders")["TopicArn"]
    url, arn = make_queue(sqs, "q")
    subscribe(sns, topic, arn)
    policy = json.loads(allow("sns", topic))
    policy["Statement"]["Principal"] = principal
    set_policy(sqs, url, json.dumps(policy))
    sns.publish(TopicArn=topic, Message="one")
    assert bodies(sqs, url) == []


def test_a_condition_on_the_time_is_looked_at_for_every_message(strict):
    sns, sqs = strict("sns"), strict("sqs")
    topic = sns.create_topic(Name="orders")["TopicArn"]
    url, arn = make_queue(sqs, "q")
    subscribe(sns, topic, arn)
    for bound, wanted in (("2020-01-01T00:00:00Z", []), ("2999-01-01T00:00:00Z", ["one"])):
        until = {"aws:CurrentTime": bound}
        set_policy(sqs, url, allow("sns", topic, DateLessThan=until))
        sns.publish(TopicArn=topic, Message="one")
        assert bodies(sqs, url) == wanted


def test_a_message_that_the_policy_does_not_allow_is_a_dead_letter(strict, engine):
    sns, sqs = strict("sns"), strict("sqs")
    topic = sns.create_topic(Name="orders")["TopicArn"]
    url, arn = make_queue(sqs, "q")
    dead_url, dead_arn = make_queue(sqs, "dead")
    redrive = json.dumps({"deadLetterTargetArn": dead_arn})
    subscribe(sns, topic, arn, RedrivePolicy=redrive)
    sns.publish(TopicArn=topic, Message="lost")
    # The dead-letter queue has a policy of its own.
    assert (bodies(sqs, url), bodies(sqs, dead_url)) == ([], [])
    set_policy(sqs, dead_url, allow("sns", topic))
    sns.publish(TopicArn=topic, Message="kept")
    assert (bodies(sqs, url), bodies(sqs, dead_url)) == ([], ["kept"])


def test_a_topic_sends_to_another_account_only_if_that_allows_it(strict):
    sns, sqs = strict("sns", FRIEND), strict("sqs")
    topic = sns.create_topic(Name="orders")["TopicArn"]
    url, arn = make_queue(sqs, "q")
    subscribe(sns, topic, arn)
    sns.publish(TopicArn=topic, Message="one")
    assert bodies(sqs, url) == []
    set_policy(sqs, url, allow("sns", topic))
    # The owner of the queue did not subscribe it, and has to say yes.
    subscribe(sns, topic, arn)
    (asked,) = bodies(sqs, url)
    sns.confirm_subscription(TopicArn=topic, Token=json.loads(asked)["Token"])
    sns.publish(TopicArn=topic, Message="two")
    assert bodies(sqs, url) == ["two"]


def test_a_rule_sends_only_to_a_queue_whose_policy_allows_it(strict):
    events, sqs = strict("events"), strict("sqs")
    rule = events.put_rule(Name="paid", EventPattern=PATTERN)["RuleArn"]
    url, arn = make_queue(sqs, "q")
    dead_url, dead_arn = make_queue(sqs, "dead")
    target = {"Id": "1", "Arn": arn, "DeadLetterConfig": {"Arn": dead_arn}}
    events.put_targets(Rule="paid", Targets=[target])

    def put():
        events.put_events(Entries=[{"Source": "shop", "DetailType": "sold", "Detail": "{}"}])
        return len(bodies(sqs, url))

    assert put() == 0
    set_policy(sqs, url, allow("events", rule + "s"))
    assert put() == 0
    set_policy(sqs, dead_url, allow("events", rule))
    assert put() == 0
    found = sqs.receive_message(QueueUrl=dead_url, MessageAttributeNames=["All"])["Messages"]
    assert found[0]["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"
    set_policy(sqs, url, allow("events", rule))
    assert put() == 1


def test_without_proof_of_who_calls_no_policy_is_asked(engine, server, connect):
    sns, sqs = connect("sns"), connect("sqs")
    topic = sns.create_topic(Name="orders")["TopicArn"]
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    subscribe(sns, topic, "arn:aws:sqs:us-east-1:000000000000:q")
    sns.publish(TopicArn=topic, Message="one")
    assert bodies(sqs, url) == ["one"]
