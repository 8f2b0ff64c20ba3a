"""`kill -9` of a server under PutEvents and Publish: what was acknowledged is in every queue."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading

import pytest
from botocore.config import Config
from event_calls import PAID, arn, entry
from http_endpoint import Endpoint
from pipe_calls import wait_until

import trunkline

boto3 = pytest.importorskip("boto3")
exceptions = pytest.importorskip("botocore.exceptions")

KILLS = 20
PIPE_KILLS = 8
ACKNOWLEDGED = 12
"""So much of each kind is acknowledged before a kill."""
QUEUES = ("a", "b")
EVERYTHING = 1_000_000


@contextlib.contextmanager
def serve(folder, *options):
    command = [sys.executable, "-m", "trunkline", "serve", "--port", "0", "--log", "json"]
    command += ["--data", str(folder), "--durability", "disk", *map(str, options)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process, json.loads(process.stdout.readline())["url"]
        finally:
            process.kill()


def client(service, url):
    # A call that is sent twice would be two messages.
    config = Config(retries={"total_max_attempts": 1}, read_timeout=30)
    return boto3.session.Session().client(
        service,
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=config,
    )


class Traffic(threading.Thread):
    """Calls `send` with one body after the other until the server is gone."""

    def __init__(self, send, name):
        super().__init__(daemon=True)
        self._send, self._name = send, name
        self.sent, self.acknowledged, self.problem = set(), set(), None
        self.enough = threading.Event()

    def run(self):
        try:
            for number in range(EVERYTHING):
                body = f"{self._name}-{number}"
                self.sent.add(body)
                self._send(body)
                self.acknowledged.add(body)
                if len(self.acknowledged) == ACKNOWLEDGED:
                    self.enough.set()
        except (exceptions.HTTPClientError, exceptions.ConnectionError):
            pass
        except Exception as error:
            self.problem = error
        finally:
            self.enough.set()


def put_with(events):
    def put(body):
        answer = events.put_events(Entries=[entry({"body": body})])
        assert answer["FailedEntryCount"] == 0

    return put


def publish_with(sns, topic):
    return lambda body: sns.publish(TopicArn=topic, Message=body)


def set_up(url):
    sqs, sns, events = (client(service, url) for service in ("sqs", "sns", "events"))
    topic = sns.create_topic(Name="t")["TopicArn"]
    events.put_rule(Name="r", EventPattern=PAID)
    targets = []
    for name in QUEUES:
        for kind in ("event", "topic"):
            sqs.create_queue(QueueName=f"{kind}-{name}")
        sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=arn(f"topic-{name}", "sqs"),
            Attributes={"RawMessageDelivery": "true"},
        )
        target = {"Id": name, "Arn": arn(f"event-{name}", "sqs"), "InputPath": "$.detail.body"}
        targets.append(target)
    assert events.put_targets(Rule="r", Targets=targets)["FailedEntryCount"] == 0
    return topic


def test_twenty_kills_lose_nothing_that_was_acknowledged(tmp_path):
    sent, acknowledged = {}, {}
    with serve(tmp_path / "data") as (_, url):
        topic = set_up(url)
    for kill in range(KILLS):
        with serve(tmp_path / "data") as (process, url):
            traffic = {
                "event": Traffic(put_with(client("events", url)), kill),
                "topic": Traffic(publish_with(client("sns", url), topic), kill),
            }
            for one in traffic.values():
                one.start()
            assert all(one.enough.wait(60) for one in traffic.values())
            process.kill()
            for kind, one in traffic.items():
                one.join(60)
                assert one.problem is None
                assert len(one.acknowledged) >= ACKNOWLEDGED
                sent[kind] = sent.get(kind, set()) | one.sent
                acknowledged[kind] = acknowledged.get(kind, set()) | one.acknowledged
    with trunkline.open(tmp_path / "data") as engine:
        for kind in sent:
            found = []
            for name in QUEUES:
                texts = [one.text() for one in engine.queue(f"{kind}-{name}").peek(EVERYTHING)]
                bodies = {text.strip('"') for text in texts}
                assert len(bodies) == len(texts), "nothing is there twice"
                assert acknowledged[kind] <= bodies <= sent[kind]
                found.append(bodies)
            assert found[0] == found[1], "one queue has what the other lacks"


def is_empty(sqs, queue):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    told = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return set(told.values()) == {"0"}


def test_kills_in_the_middle_of_a_pipes_batch_lose_no_message(tmp_path):
    bodies, held, killed = {f"m-{n}" for n in range(40)}, threading.Event(), threading.Event()

    def answer(request):
        held.set()
        killed.wait(90)
        return 200, b""

    with Endpoint(answer) as hook:
        with serve(tmp_path / "data") as (_, url):
            set_up_pipe(url, hook.url, sorted(bodies))
        for _ in range(PIPE_KILLS):
            held.clear()
            with serve(tmp_path / "data") as (process, url):
                # A client wakes the service; then the batch is on its way and not answered.
                client("sqs", url).list_queues()
                assert held.wait(60)
                process.kill()
        killed.set()
        with serve(tmp_path / "data") as (_, url):
            sqs = client("sqs", url)
            source = sqs.get_queue_url(QueueName="source")["QueueUrl"]
            wait_until(lambda: is_empty(sqs, source), 60)
        seen = {one["body"] for request in hook.got for one in json.loads(request.body)}
    assert seen == bodies
    assert len(hook.got) > PIPE_KILLS


def set_up_pipe(url, hook, bodies):
    """The pipe is made, and stopped by a kill before it reads anything or soon after."""
    sqs, events, pipes = (client(service, url) for service in ("sqs", "events", "pipes"))
    short = {"VisibilityTimeout": "1"}
    source = sqs.create_queue(QueueName="source", Attributes=short)["QueueUrl"]
    for body in bodies:
        sqs.send_message(QueueUrl=source, MessageBody=body)
    key = {"ApiKeyAuthParameters": {"ApiKeyName": "x-key", "ApiKeyValue": "k"}}
    connection = events.create_connection(Name="c", AuthorizationType="API_KEY", AuthParameters=key)
    destination = events.create_api_destination(
        Name="d",
        ConnectionArn=connection["ConnectionArn"],
        InvocationEndpoint=hook,
        HttpMethod="POST",
    )
    pipes.create_pipe(
        Name="p",
        Source=arn("source", "sqs"),
        Target=destination["ApiDestinationArn"],
        RoleArn="arn:aws:iam::000000000000:role/r",
    )
