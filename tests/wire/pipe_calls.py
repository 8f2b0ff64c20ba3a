"""What the tests of EventBridge Pipes share."""

from __future__ import annotations

import time

ROLE = "arn:aws:iam::000000000000:role/pipes"


def arn(service, resource):
    return f"arn:aws:{service}:us-east-1:000000000000:{resource}"


SOURCE, TARGET = arn("sqs", "source"), arn("sqs", "target")


def wait_until(condition, patience=60):
    """Return once `condition()` holds: pipes work in threads of their own."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.005)


def create(pipes, name="pipe", source=SOURCE, target=TARGET, **given):
    answer = pipes.create_pipe(Name=name, Source=source, Target=target, RoleArn=ROLE, **given)
    assert answer["CurrentState"] == "CREATING"
    wait_until(lambda: state(pipes, name) not in ("CREATING", "STARTING"))
    return answer["Arn"]


def state(pipes, name="pipe"):
    return pipes.describe_pipe(Name=name)["CurrentState"]


def receive(sqs, url, wait=30):
    """The bodies that come, at most ten."""
    found = []
    wait_until(lambda: found.extend(take(sqs, url)) or found, wait)
    return found


def take(sqs, url):
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    for message in answer.get("Messages", []):
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [message["Body"] for message in answer.get("Messages", [])]


def is_empty(sqs, url):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return set(told.values()) == {"0"}


def visible(sqs, url):
    names = ["ApproximateNumberOfMessages"]
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return int(told["Attributes"]["ApproximateNumberOfMessages"])
