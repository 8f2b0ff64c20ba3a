"""The latest requests of a server: what is told of them, and what is not."""

from __future__ import annotations

import http.client
import json

import boto3
import pytest

from trunkline.cli import main


@pytest.fixture
def sqs(server):
    return boto3.session.Session().client(
        "sqs",
        region_name="us-east-1",
        endpoint_url=server.url,
        aws_access_key_id="AKIASECRET",
        aws_secret_access_key="hidden",
    )


def get(server, path, *, method="GET"):
    connection = http.client.HTTPConnection(*server.address, timeout=30)
    connection.request(method, path)
    response = connection.getresponse()
    told = response.status, response.read().decode()
    connection.close()
    return told


def recent(server, query=""):
    status, text = get(server, f"/_trunkline/requests{query}")
    assert status == 200
    return json.loads(text)


def test_requests_are_told_with_how_they_ended_and_nothing_of_what_they_held(server, sqs):
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    sent = sqs.send_message(QueueUrl=url, MessageBody="do-not-keep-me")
    with pytest.raises(sqs.exceptions.QueueDoesNotExist) as refused:
        sqs.get_queue_url(QueueName="none")
    get(server, "/bucket/key?X-Amz-Signature=do-not-keep-me")
    found = recent(server)
    names = [(one["service"], one["operation"], one["error"]) for one in found["requests"]]
    assert names == [
        ("sqs", "CreateQueue", None),
        ("sqs", "SendMessage", None),
        ("sqs", "GetQueueUrl", "AWS.SimpleQueueService.NonExistentQueue"),
        ("s3", "GetObject", "NoSuchBucket"),
    ]
    statuses = [one["status"] for one in found["requests"][:3]]
    assert statuses == [200, 200, 400]
    ids = [one["request_id"] for one in found["requests"][:3]]
    told = [sent["ResponseMetadata"], refused.value.response["ResponseMetadata"]]
    assert ids[1:] == [one["RequestId"] for one in told]
    assert all(0 <= one["seconds"] < 60 for one in found["requests"])
    assert all(one["client"] == "127.0.0.1" for one in found["requests"])
    text = json.dumps(found)
    assert not [word for word in ("do-not-keep-me", "hidden", "AKIA", "Signature") if word in text]


def test_a_reader_is_told_only_what_is_new(server, sqs):
    sqs.list_queues()
    last = recent(server)["last"]
    assert recent(server, f"?after={last}") == {"requests": [], "last": last, "left_out": 0}
    sqs.list_queues()
    news = recent(server, f"?after={last}")["requests"]
    assert [(one["number"], one["operation"]) for one in news] == [(last + 1, "ListQueues")]


def test_looking_leaves_no_trace_but_a_refusal_does(server):
    for path in ("/_trunkline/health", "/metrics", "/_trunkline/requests", "/_trunkline"):
        assert get(server, path)[0] == 200
    assert recent(server)["requests"] == []
    assert get(server, "/_trunkline/requests?after=x")[0] == 400
    assert get(server, "/_trunkline/requests", method="POST")[0] == 405
    refused = [(one["path"], one["status"], one["error"]) for one in recent(server)["requests"]]
    assert refused == [
        ("/_trunkline/requests", 400, "InvalidParameterValue"),
        ("/_trunkline/requests", 405, "MethodNotAllowed"),
    ]


def test_the_command_shows_them(server, sqs, capsys):
    sqs.create_queue(QueueName="orders")
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.get_queue_url(QueueName="none")

    def lines(*words):
        assert main(["requests", *words, "--at", server.url]) == 0
        return capsys.readouterr().out.splitlines()

    operations = [json.loads(line)["operation"] for line in lines()]
    assert operations == ["CreateQueue", "GetQueueUrl"]
    assert [json.loads(line)["operation"] for line in lines("--errors")] == ["GetQueueUrl"]
    assert lines("--service", "sns") == []
    table = lines("--table")
    assert table[0].split()[:2] == ["ended", "at"]
    assert "sqs.CreateQueue" in table[1]
    assert table[1].split()[4] == "200"
    assert "NonExistentQueue" in table[2]
