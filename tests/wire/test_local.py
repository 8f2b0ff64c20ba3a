"""Clients that are answered in the process."""

from __future__ import annotations

import json
import threading

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import trunkline
import trunkline.aws

boto3 = pytest.importorskip("boto3")


def test_clients_made_inside_the_block_are_answered_by_the_engine(engine, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    with trunkline.aws.local(engine):
        sqs = boto3.session.Session().client("sqs")
        resource = boto3.session.Session().resource("sqs")
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    resource.Queue(url).send_message(MessageBody="one coffee")
    with engine.queue("orders").receive()[0] as message:
        assert message.text() == "one coffee"
    outside = boto3.session.Session().client("sqs", region_name="us-east-1")
    assert "amazonaws.com" in outside.meta.endpoint_url


def test_the_embedded_queue_and_the_wire_are_the_same_queue(engine):
    sqs = trunkline.aws.client("sqs", engine=engine)
    queue = engine.queue("orders", visibility_timeout=7)
    url = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    assert found["Attributes"] == {"VisibilityTimeout": "7"}
    sent = queue.send("from Python")
    got = sqs.receive_message(QueueUrl=url)["Messages"][0]
    assert (got["Body"], got["MessageId"]) == ("from Python", sent.message_id)
    sqs.tag_queue(QueueUrl=url, Tags={"a": "1"})
    queue.configure(visibility_timeout=9)
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"a": "1"}


def test_what_python_changes_shows_in_the_attributes(engine):
    sqs = trunkline.aws.client("sqs", engine=engine)
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("dead", "other", "q")}
    prefix = "arn:aws:sqs:us-east-1:000000000000:"
    written = f'{{"deadLetterTargetArn": "{prefix}dead",  "maxReceiveCount": "3"}}'
    sqs.set_queue_attributes(QueueUrl=urls["q"], Attributes={"RedrivePolicy": written})
    sqs.set_queue_attributes(
        QueueUrl=urls["dead"], Attributes={"RedriveAllowPolicy": '{"redrivePermission":"denyAll"}'}
    )

    def shown(name, attribute):
        found = sqs.get_queue_attributes(QueueUrl=urls[name], AttributeNames=["All"])
        return found["Attributes"].get(attribute)

    assert json.loads(shown("q", "RedrivePolicy")) == {
        "deadLetterTargetArn": f"{prefix}dead",
        "maxReceiveCount": 3,
    }
    engine.queue("q").configure(dead_letter="other", max_receive_count=5)
    assert json.loads(shown("q", "RedrivePolicy")) == {
        "deadLetterTargetArn": f"{prefix}other",
        "maxReceiveCount": 5,
    }
    engine.queue("dead").configure(redrive_allow=["q"])
    assert json.loads(shown("dead", "RedriveAllowPolicy")) == {
        "redrivePermission": "byQueue",
        "sourceQueueArns": [f"{prefix}q"],
    }


def test_the_virtual_clock_is_the_clock_of_the_client():
    clock = trunkline.VirtualClock()
    with trunkline.open(clock=clock) as engine:
        sqs = trunkline.aws.client("sqs", engine=engine)
        url = sqs.create_queue(QueueName="orders")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=900)
        assert "Messages" not in sqs.receive_message(QueueUrl=url)
        clock.advance(900)
        assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "later"
        sqs.delete_queue(QueueUrl=url)
        clock.advance(61)
        assert sqs.create_queue(QueueName="orders")


def test_a_long_poll_of_the_only_thread_ends_though_the_clock_stands_still():
    with trunkline.open(clock=trunkline.VirtualClock()) as engine:
        sqs = trunkline.aws.client("sqs", engine=engine)
        url = sqs.create_queue(QueueName="orders")["QueueUrl"]
        assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)


def test_threads_share_a_client(engine):
    sqs = trunkline.aws.client("sqs", engine=engine)
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]

    def send(name):
        for number in range(50):
            sqs.send_message(QueueUrl=url, MessageBody=f"{name}-{number}")

    threads = [threading.Thread(target=send, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert engine.queue("orders").statistics().visible == 200


def test_raised_limits_hold_for_aws_clients_too():
    limits = trunkline.Limits(
        visibility_max=200_000_000,
        delay_max=10_000_000,
        receive_wait_max=100_000,
        batch_entries_max=50,
        id_chars_max=500,
        attributes_max=20,
        name_chars_max=100,
        max_receive_count_max=5_000,
    )
    with trunkline.open(limits=limits) as engine:
        sqs = trunkline.aws.client("sqs", engine=engine)
        url = sqs.create_queue(
            QueueName="q" * 100,
            Attributes={"VisibilityTimeout": "100000", "DelaySeconds": "5000"},
        )["QueueUrl"]
        sent = {str(n): {"DataType": "String", "StringValue": "x"} for n in range(20)}
        sqs.send_message(
            QueueUrl=url,
            MessageBody="a",
            DelaySeconds=0,
            MessageGroupId="g" * 500,
            MessageAttributes=sent,
        )
        found = sqs.receive_message(
            QueueUrl=url, VisibilityTimeout=100_000, MaxNumberOfMessages=50, WaitTimeSeconds=50
        )
        assert len(found["Messages"]) == 1
        policy = {
            "deadLetterTargetArn": f"arn:aws:sqs:us-east-1:000000000000:{'q' * 100}",
            "maxReceiveCount": 5_000,
        }
        sqs.create_queue(QueueName="other", Attributes={"RedrivePolicy": json.dumps(policy)})


def test_bytes_that_are_no_text_reach_a_client_with_the_digest_of_what_it_gets(engine):
    sqs = trunkline.aws.client("sqs", engine=engine)
    engine.queue("q").send(b"no \xff\xfe text")
    # botocore compares the digest with the body, and would raise.
    message = sqs.receive_message(QueueUrl="q")["Messages"][0]
    assert message["Body"] == "no \ufffd\ufffd text"


def test_a_control_character_in_an_attribute_is_an_invalid_value(engine):
    engine.queue("q")
    sqs = trunkline.aws.client("sqs", engine=engine)
    value = {"DataType": "String", "StringValue": "a\x01"}
    with pytest.raises(ClientError) as caught:
        sqs.send_message(QueueUrl="q", MessageBody="a", MessageAttributes={"name": value})
    error = caught.value.response["Error"]
    assert error["Code"] == "InvalidParameterValue"
    assert error["Message"].startswith(
        "Invalid binary character '#x1' was found in the message attribute 'name' value"
    )


@pytest.mark.parametrize("durable", [False, True], ids=["memory", "disk"])
def test_a_commit_fault_of_a_queue_strikes_the_wire_and_no_other_region(durable, tmp_path):
    with trunkline.open(tmp_path if durable else None) as engine:
        once = Config(retries={"total_max_attempts": 1})
        sqs = trunkline.aws.client("sqs", engine=engine, region_name="us-east-1", config=once)
        abroad = trunkline.aws.client("sqs", engine=engine, region_name="eu-west-1")
        url, other, far = (
            client.create_queue(QueueName=name)["QueueUrl"]
            for client, name in ((sqs, "orders"), (sqs, "other"), (abroad, "orders"))
        )
        engine.faults.error("commit", queue="orders", times=1)
        sqs.send_message(QueueUrl=other, MessageBody="a")
        abroad.send_message(QueueUrl=far, MessageBody="a")
        with pytest.raises(ClientError):
            sqs.send_message(QueueUrl=url, MessageBody="a")
        assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1, "the verb was done"
