"""Who may use a queue when signatures are proved."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from trunkline.server import Server

boto3 = pytest.importorskip("boto3")

OWNER, FRIEND, STRANGER = "111111111111", "222222222222", "333333333333"


@pytest.fixture
def clients(engine):
    known = [(f"AKIA{account}", "secret", None, account) for account in (OWNER, FRIEND, STRANGER)]
    with Server(engine, port=0, auth="strict", credentials=known) as server:
        made = {
            account: boto3.session.Session().client(
                "sqs",
                region_name="us-east-1",
                endpoint_url=server.url,
                aws_access_key_id=f"AKIA{account}",
                aws_secret_access_key="secret",
            )
            for account in (OWNER, FRIEND, STRANGER)
        }
        yield made
        for client in made.values():
            client.close()


def is_denied(verb, **given):
    try:
        verb(**given)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return (status, error.response["Error"]["Code"][:12]) == (403, "AccessDenied")
    return False


def test_another_account_may_only_what_the_policy_allows(clients):
    owner, friend, stranger = clients.values()
    url = owner.create_queue(QueueName="q")["QueueUrl"]
    assert is_denied(friend.send_message, QueueUrl=url, MessageBody="a")
    assert is_denied(friend.get_queue_url, QueueName="q", QueueOwnerAWSAccountId=OWNER)
    owner.add_permission(
        QueueUrl=url, Label="l", AWSAccountIds=[FRIEND], Actions=["SendMessage", "GetQueueUrl"]
    )
    assert friend.get_queue_url(QueueName="q", QueueOwnerAWSAccountId=OWNER)["QueueUrl"] == url
    friend.send_message(QueueUrl=url, MessageBody="a")
    entries = [{"Id": "1", "MessageBody": "b"}]
    assert friend.send_message_batch(QueueUrl=url, Entries=entries)["Successful"]
    assert is_denied(friend.receive_message, QueueUrl=url)
    assert is_denied(friend.purge_queue, QueueUrl=url)
    assert is_denied(stranger.send_message, QueueUrl=url, MessageBody="a")
    owner.remove_permission(QueueUrl=url, Label="l")
    assert is_denied(friend.send_message, QueueUrl=url, MessageBody="a")
    assert len(owner.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]) == 2


def test_a_prohibition_counts_for_the_owner_as_well(clients):
    owner, friend, _ = clients.values()
    url = owner.create_queue(QueueName="q")["QueueUrl"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"},
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": ["sqs:DeleteMessage", "sqs:PurgeQueue"],
                "Resource": f"arn:aws:sqs:us-east-1:{OWNER}:q",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    }
    owner.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    friend.send_message(QueueUrl=url, MessageBody="a")
    message = friend.receive_message(QueueUrl=url)["Messages"][0]
    for client in (owner, friend):
        assert is_denied(
            client.delete_message, QueueUrl=url, ReceiptHandle=message["ReceiptHandle"]
        )
        assert is_denied(client.purge_queue, QueueUrl=url)
    owner.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    owner.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def test_a_move_task_may_no_more_than_its_caller(clients):
    owner, friend, _ = clients.values()
    names = ("dead", "q", "other")
    urls = {name: owner.create_queue(QueueName=name)["QueueUrl"] for name in names}
    arns = {name: f"arn:aws:sqs:us-east-1:{OWNER}:{name}" for name in names}
    redrive = json.dumps({"deadLetterTargetArn": arns["dead"], "maxReceiveCount": 1})
    owner.set_queue_attributes(QueueUrl=urls["q"], Attributes={"RedrivePolicy": redrive})
    for _ in range(3):
        owner.send_message(QueueUrl=urls["dead"], MessageBody="a")
    task = {"SourceArn": arns["dead"], "MaxNumberOfMessagesPerSecond": 1}

    def deny(name, *actions):
        denied = [f"sqs:{action}" for action in actions]
        set_policy(owner, urls[name], statement("Deny", Action=denied))

    def allow(name):
        owner.set_queue_attributes(QueueUrl=urls[name], Attributes={"Policy": ""})

    for action in ("StartMessageMoveTask", "ReceiveMessage", "DeleteMessage"):
        deny("dead", action)
        assert is_denied(owner.start_message_move_task, **task), action
        allow("dead")
    deny("q", "SendMessage")
    assert is_denied(owner.start_message_move_task, **task)
    deny("other", "SendMessage")
    assert is_denied(owner.start_message_move_task, DestinationArn=arns["other"], **task)
    allow("other")
    started = owner.start_message_move_task(DestinationArn=arns["other"], **task)
    handle = {"TaskHandle": started["TaskHandle"]}
    deny("dead", "CancelMessageMoveTask", "ListMessageMoveTasks")
    assert is_denied(owner.list_message_move_tasks, SourceArn=arns["dead"])
    assert is_denied(owner.cancel_message_move_task, **handle)
    assert is_denied(friend.cancel_message_move_task, **handle)
    allow("dead")
    owner.cancel_message_move_task(**handle)


def test_a_condition_sees_where_the_caller_is(clients):
    owner, friend, _ = clients.values()
    url = owner.create_queue(QueueName="q")["QueueUrl"]

    def allow_from(network):
        statement = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "sqs:SendMessage",
            "Resource": "*",
            "Condition": {"IpAddress": {"aws:SourceIp": network}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        owner.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})

    allow_from("192.0.2.0/24")
    assert is_denied(friend.send_message, QueueUrl=url, MessageBody="a")
    allow_from(["192.0.2.0/24", "127.0.0.0/8"])
    friend.send_message(QueueUrl=url, MessageBody="a")


def test_a_batch_is_denied_as_a_whole(clients):
    owner, friend, _ = clients.values()
    url = owner.create_queue(QueueName="q")["QueueUrl"]
    entries = [{"Id": "1", "MessageBody": "a"}, {"Id": "2", "MessageBody": "b"}]
    with pytest.raises(ClientError) as caught:
        friend.send_message_batch(QueueUrl=url, Entries=entries)
    assert caught.value.response["Error"]["Message"] == (
        f"User: arn:aws:iam::{FRIEND}:root is not authorized to perform: sqs:sendmessage on "
        f"resource: arn:aws:sqs:us-east-1:{OWNER}:q because no resource-based policy allows the "
        "sqs:sendmessage action"
    )


def test_without_proved_signatures_policies_protect_nothing(connect):
    owner, other = connect("sqs", OWNER), connect("sqs", FRIEND)
    url = owner.create_queue(QueueName="q")["QueueUrl"]
    other.send_message(QueueUrl=url, MessageBody="a")
    assert owner.receive_message(QueueUrl=url)["Messages"]


def statement(effect="Allow", **others):
    return {"Effect": effect, "Principal": "*", "Action": "sqs:*", "Resource": "*", **others}


def set_policy(client, url, *statements):
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    client.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


@pytest.mark.parametrize(
    ("flawed", "reason"),
    [
        (
            statement(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/99"}}),
            "Statement 1: condition IpAddress aws:SourceIp: "
            "'10.0.0.0/99' is no IP address or network.",
        ),
        (
            statement(Condition={"NumericLessThan": {"aws:EpochTime": "many"}}),
            "Statement 1: condition NumericLessThan aws:EpochTime: 'many' is no number.",
        ),
        (
            statement(Condition={"Moonlight": {"aws:SourceIp": "a"}}),
            "Statement 1: 'Moonlight' is no condition operator.",
        ),
        (statement(Conditions={}), "Statement 1: a statement has no member 'Conditions'."),
        (statement("Permit"), "Statement 1: Effect must be 'Allow' or 'Deny'."),
        ("all", "Statement 1: A statement must be a JSON object."),
    ],
)
def test_a_policy_that_cannot_be_understood_is_refused_when_it_is_set(clients, flawed, reason):
    owner, friend, _ = clients.values()
    url = owner.create_queue(QueueName="q")["QueueUrl"]
    with pytest.raises(ClientError) as caught:
        set_policy(owner, url, flawed)
    assert caught.value.response["Error"] == {
        "Type": "Sender",
        "Code": "InvalidAttributeValue",
        "QueryErrorCode": "InvalidAttributeValue",
        "Message": f"Invalid value for the parameter Policy. Reason: {reason}",
    }
    assert is_denied(friend.send_message, QueueUrl=url, MessageBody="a")


@pytest.mark.parametrize(
    "policy",
    ["[" * 5_000, '{"Statement":' * 5_000, '{"Statement": [{"a": 1e400}]}', "null", "7", '""'],
)
def test_a_policy_that_is_no_policy_is_an_error_of_the_caller(connect, policy):
    sqs = connect("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    with pytest.raises(ClientError) as caught:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy[:8_000]})
    assert caught.value.response["Error"]["Code"] == "InvalidAttributeValue"


def test_an_owner_can_replace_a_policy_that_denies_everything(clients):
    owner, friend, _ = clients.values()
    url = owner.create_queue(QueueName="q")["QueueUrl"]
    set_policy(owner, url, statement(), statement("Deny", Sid="all"))
    assert is_denied(owner.send_message, QueueUrl=url, MessageBody="a")
    both = {"Policy": "", "VisibilityTimeout": "1"}
    assert is_denied(owner.set_queue_attributes, QueueUrl=url, Attributes=both)
    assert is_denied(friend.set_queue_attributes, QueueUrl=url, Attributes={"Policy": ""})
    assert is_denied(friend.remove_permission, QueueUrl=url, Label="all")
    owner.remove_permission(QueueUrl=url, Label="all")
    owner.send_message(QueueUrl=url, MessageBody="a")
    set_policy(owner, url, statement("Deny"))
    owner.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    owner.send_message(QueueUrl=url, MessageBody="a")


ADDRESSES = [
    "{base}/queue//{owner}/q",
    "/queue//{owner}/q",
    "queue//{owner}/q",
    "{base}/queue/us-east-1/{owner}/q",
    "queue/us-east-1/{owner}/q",
    "{base}/{owner}/q",
    "{base}//{owner}/q",
    "{base}/{owner}/q/",
    "{base}/{owner}//q",
    "{base}/./{owner}/q",
    "{base}/queue/eu-west-1/{owner}/q",
    "{base}/%31{rest}/q",
    "{base}/queue/%2F/{owner}/q",
    "{base}/queue/queue//{owner}/q",
    "//{owner}/q",
]


@pytest.mark.parametrize("form", ADDRESSES)
def test_no_way_to_write_an_address_goes_around_the_check(clients, form):
    owner, friend, _ = clients.values()
    base = owner.create_queue(QueueName="q")["QueueUrl"].removesuffix(f"/{OWNER}/q")
    url = form.format(base=base, owner=OWNER, rest=OWNER[1:])
    set_policy(owner, f"{base}/{OWNER}/q", statement("Deny", Sid="all"))

    def is_refused(verb, **given):
        try:
            verb(**given)
        except ClientError as error:
            return error.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)
        return False

    for client in (owner, friend):
        assert is_refused(client.get_queue_attributes, QueueUrl=url, AttributeNames=["All"])
        assert is_refused(client.list_dead_letter_source_queues, QueueUrl=url)
        assert is_refused(client.purge_queue, QueueUrl=url)
        assert is_refused(client.tag_queue, QueueUrl=url, Tags={"a": "b"})
        assert is_refused(client.send_message, QueueUrl=url, MessageBody="a")
        assert is_refused(client.receive_message, QueueUrl=url)
        assert is_refused(client.delete_queue, QueueUrl=url)
    assert is_denied(owner.get_queue_url, QueueName="q", QueueOwnerAWSAccountId="")
    owner.set_queue_attributes(QueueUrl=f"{base}/{OWNER}/q", Attributes={"Policy": ""})
    assert owner.get_queue_attributes(QueueUrl=f"{base}/{OWNER}/q", AttributeNames=["All"])
