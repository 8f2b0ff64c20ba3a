"""Amazon's extended clients for SQS and SNS, which keep large bodies in S3, as they come from PyPI.

They replace boto3's session when they are imported, so each runs in a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

pytest.importorskip("boto3")

LARGE = "ü" * 200_000
CLIENT = """
import json, sys
import {package}
import boto3

client = boto3.client("{service}")
client.large_payload_support = "bodies"
given = json.load(sys.stdin)
"""


@pytest.fixture
def run(server):
    """Runs code in a process whose boto3 is an extended client's; what it prints as JSON."""

    def run(service, code, given):
        package = f"{service}_extended_client"
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
        surroundings = {
            "AWS_ENDPOINT_URL": server.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "PATH": os.environ["PATH"],
        }
        done = subprocess.run(
            [sys.executable, "-c", CLIENT.format(package=package, service=service) + code],
            input=json.dumps(given),
            capture_output=True,
            text=True,
            timeout=120,
            env=surroundings,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "null")

    return run


@pytest.fixture
def bodies(engine):
    return engine.bucket("bodies")


def url_of(server, name):
    return f"{server.url}/000000000000/{name}"


SEND = """
sent = client.send_message(
    QueueUrl=given["url"],
    MessageBody=given["body"],
    MessageAttributes={"kind": {"DataType": "String", "StringValue": "order"}},
)
print(json.dumps(sent["MessageId"]))
"""
RECEIVE = """
client.delete_payload_from_s3 = True
told = []
answer = client.receive_message(QueueUrl=given["url"], WaitTimeSeconds=20)
for message in answer.get("Messages", []):
    told.append(message["Body"])
    client.change_message_visibility(
        QueueUrl=given["url"], ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=60
    )
    client.delete_message(QueueUrl=given["url"], ReceiptHandle=message["ReceiptHandle"])
print(json.dumps(told))
"""


def test_what_amazons_client_sends_is_received_in_the_process(run, server, engine, bodies):
    queue = engine.queue("orders", payload_store=bodies)
    id = run("sqs", SEND, {"url": url_of(server, "orders"), "body": LARGE})
    [message] = queue.receive(wait=20)
    assert (message.message_id, message.text()) == (id, LARGE)
    assert message.attributes == {"kind": "order"}
    assert bodies.statistics()["objects"] == 1
    message.delete()
    assert (queue.statistics().total, bodies.statistics()["objects"]) == (0, 0)


def test_what_the_process_sends_is_received_by_amazons_client(run, server, engine, bodies):
    queue = engine.queue("orders", payload_store=bodies)
    queue.send(LARGE)
    assert run("sqs", RECEIVE, {"url": url_of(server, "orders")}) == [LARGE]
    assert (queue.statistics().total, bodies.statistics()["objects"]) == (0, 0)


def test_amazons_client_speaks_to_itself(run, server, engine, bodies):
    queue = engine.queue("orders")
    run("sqs", SEND, {"url": url_of(server, "orders"), "body": LARGE})
    assert len(queue.peek()[0].body) < 1_000
    assert run("sqs", RECEIVE, {"url": url_of(server, "orders")}) == [LARGE]
    assert (queue.statistics().total, bodies.statistics()["objects"]) == (0, 0)


def test_what_amazons_client_publishes_is_received_in_the_process(run, engine, bodies):
    queue = engine.queue("orders", payload_store=bodies)
    topic = engine.topic("news")
    topic.subscribe(queue, raw=True)
    publish = 'client.publish(TopicArn=given["arn"], Message=given["body"])'
    run("sns", publish, {"arn": "arn:aws:sns:us-east-1:000000000000:news", "body": LARGE})
    [message] = queue.receive(wait=20)
    assert message.text() == LARGE
    message.delete()
    assert bodies.statistics()["objects"] == 0
