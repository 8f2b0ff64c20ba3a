"""The query protocol of SQS by hand: what SDKs of today never send, and AWS answers."""

from __future__ import annotations

import json
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest

from trunkline.aws.dispatcher import dispatcher_of

BASE = "http://trunkline.local"


@pytest.fixture
def ask(engine):
    """Sends a query request: `ask(action, {...}, path="/", accept=None)`."""
    dispatcher = dispatcher_of(engine)

    def send(action, parameters=(), path="/", **headers):
        pairs = dict(parameters).items() if isinstance(parameters, dict) else parameters
        form = urlencode([("Action", action), ("Version", "2012-11-05"), *pairs])
        sent = [("host", "trunkline.local"), ("content-type", "application/x-www-form-urlencoded")]
        sent += [(name.replace("_", "-"), value) for name, value in headers.items()]
        status, _, body = dispatcher.call(("POST", path, sent, form.encode(), BASE))
        return status, body.decode()

    engine.queue("q")
    return send


def texts(xml, name):
    elements = ElementTree.fromstring(xml).iter()
    return [found.text for found in elements if found.tag.rpartition("}")[2] == name]


def test_a_list_without_a_number_is_a_list_of_one(ask):
    _, body = ask("GetQueueAttributes", {"QueueUrl": "q", "AttributeName": "All"})
    assert "VisibilityTimeout" in texts(body, "Name")
    given = {"QueueUrl": "q", "Attribute.Name": "DelaySeconds", "Attribute.Value": "7"}
    assert ask("SetQueueAttributes", given)[0] == 200
    _, body = ask("GetQueueAttributes", {"QueueUrl": "q", "AttributeName": "DelaySeconds"})
    assert texts(body, "Value") == ["7"]
    assert ask("TagQueue", {"QueueUrl": "q", "Tag.Key": "a", "Tag.Value": "b"})[0] == 200
    _, body = ask("ListQueueTags", {"QueueUrl": "q"})
    assert texts(body, "Key") == ["a"]
    assert ask("UntagQueue", {"QueueUrl": "q", "TagKey": "a"})[0] == 200


def test_a_key_without_a_value_is_a_missing_parameter(ask):
    for action, member in (("TagQueue", "Tag.1.Key"), ("SetQueueAttributes", "Attribute.1.Name")):
        status, body = ask(action, {"QueueUrl": "q", member: "VisibilityTimeout"})
        assert (status, texts(body, "Code")) == (400, ["MissingParameter"])


def test_an_error_has_an_empty_detail(ask):
    _, body = ask("GetQueueUrl", {"QueueName": "none"})
    error = ElementTree.fromstring(body)[0]
    assert [child.tag.split("}")[1] for child in error] == ["Type", "Code", "Message", "Detail"]
    assert error[3].text is None


def test_json_is_given_to_who_asks_for_it(ask):
    sent = {"QueueUrl": "q", "MessageBody": "a"}
    status, body = ask("SendMessage", sent, accept="application/json")
    answer = json.loads(body)["SendMessageResponse"]
    digest = "0cc175b9c0f1b6a831c399e269772661"
    assert (status, answer["SendMessageResult"]["MD5OfMessageBody"]) == (200, digest)
    assert answer["ResponseMetadata"]["RequestId"]
    status, body = ask("GetQueueUrl", {"QueueName": "none"}, accept="application/json")
    error = json.loads(body)["Error"]
    assert (status, error["Type"]) == (400, "Sender")
    assert error["Code"] == "AWS.SimpleQueueService.NonExistentQueue"


def test_an_operation_without_a_queue_is_not_given_the_queue_of_the_path(ask):
    _, body = ask("GetQueueUrl", path="/000000000000/q")
    assert texts(body, "Code") == ["MissingParameter"]
    for action in ("StartMessageMoveTask", "ListMessageMoveTasks", "CancelMessageMoveTask"):
        status, body = ask(action, path="/000000000000/q")
        assert (status, texts(body, "Code")) == (400, ["MissingParameter"])


def test_the_trace_of_a_request_is_that_of_its_messages_unless_they_have_their_own(ask, engine):
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793"
    own = {
        "SendMessageBatchRequestEntry.2.MessageSystemAttribute.1.Name": "AWSTraceHeader",
        "SendMessageBatchRequestEntry.2.MessageSystemAttribute.1.Value.DataType": "String",
        "SendMessageBatchRequestEntry.2.MessageSystemAttribute.1.Value.StringValue": "own",
    }
    entries = {
        f"SendMessageBatchRequestEntry.{number}.{name}": value
        for number in (1, 2)
        for name, value in (("Id", str(number)), ("MessageBody", str(number)))
    }
    ask("SendMessageBatch", {"QueueUrl": "q", **entries, **own}, x_amzn_trace_id=trace)
    asked = {"QueueUrl": "q", "MaxNumberOfMessages": 10, "AttributeName": "AWSTraceHeader"}
    _, body = ask("ReceiveMessage", asked)
    assert dict(zip(texts(body, "Body"), texts(body, "Value"), strict=True)) == {
        "1": trace,
        "2": "own",
    }


def test_a_fifo_queue_may_be_told_again_that_it_is_one(ask, engine):
    engine.queue("q.fifo")
    given = {"QueueUrl": "q.fifo", "Attribute.Name": "FifoQueue", "Attribute.Value": "true"}
    assert ask("SetQueueAttributes", given)[0] == 200
