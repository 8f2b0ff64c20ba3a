"""Messages through boto3: what a sender and a consumer do."""

from __future__ import annotations

import hashlib
import json
import threading
import time

import pytest
from botocore.exceptions import ClientError

from waiting import until, until_waiting


def make(sqs, name="orders", **attributes):
    return sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]


def refuses(code, call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    assert error["Code"] == code
    return error["Message"]


def test_a_message_arrives_with_body_attributes_and_digests(sqs):
    url = make(sqs)
    attributes = {
        "Foo": {"DataType": "String", "StringValue": "Bar"},
        "Raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
        "Count": {"DataType": "Number.int", "StringValue": "7"},
    }
    body = 'one "coffee" \u00e9\n'
    sent = sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)
    assert sent["MD5OfMessageBody"] == hashlib.md5(body.encode()).hexdigest()
    got = sqs.receive_message(
        QueueUrl=url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
    )["Messages"][0]
    assert got["Body"] == body
    assert got["MessageId"] == sent["MessageId"]
    assert got["MessageAttributes"] == attributes
    assert got["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert got["Attributes"]["ApproximateReceiveCount"] == "1"
    assert got["Attributes"]["SenderId"] == "000000000000"
    only = {"DataType": "String", "StringValue": "Bar"}
    sqs.change_message_visibility(
        QueueUrl=url, ReceiptHandle=got["ReceiptHandle"], VisibilityTimeout=0
    )
    again = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["Foo"])["Messages"][0]
    assert again["MessageAttributes"] == {"Foo": only}
    assert again["MD5OfMessageAttributes"] == "ae7155c6026991b6d54b11589678bf9c"
    sqs.delete_message(QueueUrl=url, ReceiptHandle=again["ReceiptHandle"])
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


def test_batches_answer_for_each_entry(sqs):
    url = make(sqs, MaximumMessageSize="1024")
    sent = sqs.send_message_batch(
        QueueUrl=url,
        Entries=[
            {"Id": "good", "MessageBody": "a"},
            {"Id": "large", "MessageBody": "x" * 1025},
        ],
    )
    assert [entry["Id"] for entry in sent["Successful"]] == ["good"]
    assert sent["Failed"] == [
        {
            "Id": "large",
            "SenderFault": True,
            "Code": "InvalidParameterValue",
            "Message": "One or more parameters cannot be validated. "
            "Reason: Message must be shorter than 1024 bytes.",
        }
    ]
    got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    changed = sqs.change_message_visibility_batch(
        QueueUrl=url,
        Entries=[
            {"Id": "1", "ReceiptHandle": got[0]["ReceiptHandle"], "VisibilityTimeout": 60},
            {"Id": "2", "ReceiptHandle": "garbage", "VisibilityTimeout": 60},
        ],
    )
    assert [entry["Id"] for entry in changed["Successful"]] == ["1"]
    assert [entry["Code"] for entry in changed["Failed"]] == ["ReceiptHandleIsInvalid"]
    deleted = sqs.delete_message_batch(
        QueueUrl=url, Entries=[{"Id": "1", "ReceiptHandle": got[0]["ReceiptHandle"]}]
    )
    assert "Failed" not in deleted


@pytest.mark.parametrize(
    ("entries", "code", "message"),
    [
        ([], "AWS.SimpleQueueService.EmptyBatchRequest", "There should be at least one"),
        (
            [{"Id": str(n), "MessageBody": "a"} for n in range(11)],
            "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
            "Maximum number of entries per request are 10. You have sent 11.",
        ),
        (
            [{"Id": "a b", "MessageBody": "a"}],
            "AWS.SimpleQueueService.InvalidBatchEntryId",
            "A batch entry id can only contain",
        ),
        (
            [{"Id": "a", "MessageBody": "a"}, {"Id": "a", "MessageBody": "b"}],
            "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
            "Id a repeated.",
        ),
        (
            [{"Id": str(n), "MessageBody": "x" * 600_000} for n in range(2)],
            "AWS.SimpleQueueService.BatchRequestTooLong",
            "Batch requests cannot be longer than 1048576 bytes. You have sent 1200000 bytes.",
        ),
    ],
)
def test_a_batch_that_breaks_a_rule_is_refused_as_a_whole(sqs, entries, code, message):
    url = make(sqs)
    said = refuses(code, sqs.send_message_batch, QueueUrl=url, Entries=entries)
    assert said.startswith(message)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            {"MessageBody": ""},
            "MissingParameter",
            "The request must contain the parameter MessageBody.",
        ),
        ({"MessageBody": "a\x00"}, "InvalidMessageContents", "Invalid characters found."),
        (
            {"MessageBody": "a", "DelaySeconds": 901},
            "InvalidParameterValue",
            "Value 901 for parameter DelaySeconds is invalid.",
        ),
        (
            {"MessageBody": "a", "MessageGroupId": "a b"},
            "InvalidParameterValue",
            "Value a b for parameter MessageGroupId is invalid. Reason: MessageGroupId can only "
            "include alphanumeric and punctuation characters. 1 to 128 in length.",
        ),
        (
            {
                "MessageBody": "a",
                "MessageAttributes": {"X": {"DataType": "String", "StringValue": ""}},
            },
            "InvalidParameterValue",
            "Message (user) attribute 'X' must contain a non-empty value of type 'String'.",
        ),
        (
            {"MessageBody": "x" * 1_048_577},
            "InvalidParameterValue",
            "One or more parameters are invalid. "
            "Reason: Message must be shorter than 1048576 bytes.",
        ),
    ],
)
def test_a_message_that_breaks_a_rule_is_refused_in_the_words_of_aws(sqs, arguments, code, message):
    url = make(sqs)
    assert refuses(code, sqs.send_message, QueueUrl=url, **arguments).startswith(message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"MaxNumberOfMessages": 11},
            "Value 11 for parameter MaxNumberOfMessages is invalid. "
            "Reason: Must be between 1 and 10, if provided.",
        ),
        (
            {"WaitTimeSeconds": 21},
            "Value 21 for parameter WaitTimeSeconds is invalid. "
            "Reason: Must be >= 0 and <= 20, if provided.",
        ),
    ],
)
def test_a_receive_that_breaks_a_rule_is_refused(sqs, arguments, message):
    url = make(sqs)
    assert (
        refuses("InvalidParameterValue", sqs.receive_message, QueueUrl=url, **arguments) == message
    )


def test_errors_carry_the_class_and_the_code_of_the_query_protocol(sqs):
    with pytest.raises(sqs.exceptions.QueueDoesNotExist) as caught:
        sqs.send_message(QueueUrl="http://any/000000000000/missing", MessageBody="a")
    error = caught.value.response["Error"]
    assert error["Code"] == "AWS.SimpleQueueService.NonExistentQueue"
    assert error["QueryErrorCode"] == "QueueDoesNotExist"
    assert error["Message"] == "The specified queue does not exist."
    url = make(sqs)
    message = refuses(
        "ReceiptHandleIsInvalid", sqs.delete_message, QueueUrl=url, ReceiptHandle="garbage"
    )
    assert message == 'The input receipt handle "garbage" is not a valid receipt handle.'


def test_a_fifo_queue_keeps_order_and_drops_duplicates(sqs):
    url = make(sqs, "orders.fifo", FifoQueue="true")
    numbers = []
    for body, group in (("1", "a"), ("2", "b"), ("3", "a")):
        sent = sqs.send_message(
            QueueUrl=url, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=body
        )
        numbers.append(sent["SequenceNumber"])
    assert numbers == sorted(numbers)
    assert all(len(number) == 20 for number in numbers)
    again = sqs.send_message(
        QueueUrl=url, MessageBody="1", MessageGroupId="a", MessageDeduplicationId="1"
    )
    assert again["SequenceNumber"] == numbers[0]
    got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"])[
        "Messages"
    ]
    assert [message["Body"] for message in got] == ["1", "3", "2"]
    assert [message["Attributes"]["MessageGroupId"] for message in got] == ["a", "a", "b"]
    assert got[0]["Attributes"]["SequenceNumber"] == numbers[0]
    missing = refuses("MissingParameter", sqs.send_message, QueueUrl=url, MessageBody="x")
    assert missing == "The request must contain the parameter MessageGroupId."
    no_id = refuses(
        "InvalidParameterValue", sqs.send_message, QueueUrl=url, MessageBody="x", MessageGroupId="g"
    )
    assert no_id.startswith("The queue should either have ContentBasedDeduplication enabled")


def test_a_long_poll_returns_as_soon_as_a_message_is_there(connect, engine):
    sqs, other = connect("sqs"), connect("sqs")
    url = make(sqs)

    def send():
        until_waiting(engine.queue("orders"))
        other.send_message(QueueUrl=url, MessageBody="a")

    sender = threading.Thread(target=send)
    sender.start()
    started = time.monotonic()
    got = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)
    waited = time.monotonic() - started
    sender.join()
    assert [message["Body"] for message in got["Messages"]] == ["a"]
    assert waited < 18


def test_an_empty_long_poll_ends_when_its_time_is_over(sqs):
    url = make(sqs)
    started = time.monotonic()
    assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)
    assert 0.9 < time.monotonic() - started < 20


def test_accounts_and_regions_are_separate(connect):
    here = connect("sqs", account="111111111111")
    there = connect("sqs", account="111111111111", region="eu-west-1")
    url = make(here)
    assert url.endswith("/111111111111/orders")
    assert "QueueUrls" not in there.list_queues()
    assert "QueueUrls" not in connect("sqs").list_queues()
    assert here.list_queues()["QueueUrls"] == [url]


def test_dead_letters_go_to_their_queue_and_come_back(sqs):
    dead = make(sqs, "dead")
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "1"})
    url = make(sqs, "orders", RedrivePolicy=policy, VisibilityTimeout="0")
    sent = sqs.send_message(QueueUrl=url, MessageBody="a")
    assert sqs.receive_message(QueueUrl=url)["Messages"]
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    got = sqs.receive_message(QueueUrl=dead, AttributeNames=["All"], VisibilityTimeout=0)[
        "Messages"
    ][0]
    assert got["MessageId"] == sent["MessageId"]
    assert got["Attributes"]["DeadLetterQueueSourceArn"].endswith(":orders")
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [url]
    task = sqs.start_message_move_task(SourceArn=arn)
    assert task["TaskHandle"]

    def listed():
        return sqs.list_message_move_tasks(SourceArn=arn)["Results"][0]

    until(lambda: listed()["Status"] == "COMPLETED")
    assert listed()["ApproximateNumberOfMessagesMoved"] == 1
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "a"
