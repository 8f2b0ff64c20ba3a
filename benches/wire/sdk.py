"""boto3 in front of our server, of a null stub, and in the process beside moto's mock."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config

import trunkline
import trunkline.aws
from benches.wire.servers import Server

CALLS = 300
BODY = "x" * 1_024
PUBLISHED = (
    b'<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>'
    b"00000000-0000-0000-0000-000000000000</MessageId></PublishResult><ResponseMetadata><RequestId>"
    b"00000000-0000-0000-0000-000000000000</RequestId></ResponseMetadata></PublishResponse>"
)
"""What SNS answers, as short as it can be."""
KEYS = {
    "region_name": "us-east-1",
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
}


def _client(url: str, service: str = "sqs") -> Any:
    config = Config(retries={"total_max_attempts": 1})
    return boto3.client(service, endpoint_url=url, config=config, **KEYS)


def _send_us(client: Any, url: str) -> float:
    begun = time.perf_counter()
    for _ in range(CALLS):
        client.send_message(QueueUrl=url, MessageBody=BODY)
    return (time.perf_counter() - begun) / CALLS * 1e6


def _contest(senders: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in senders}
    names = list(senders)
    for number in range(rounds + 1):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            taken = senders[name]()
            if number:  # The first round is a warm-up.
                found[name].append(taken)
    return found


def _figures(found: dict[str, list[float]], base: str, other: str) -> dict[str, object]:
    ratios = [one / two for one, two in zip(found[other], found[base], strict=True)]
    return {
        f"{base}_us": statistics.median(found[base]),
        f"{other}_us": statistics.median(found[other]),
        "ratio": statistics.median(ratios),
        "low": min(ratios),
        "high": max(ratios),
    }


def over_sockets(ours: Server, stub: Server, rounds: int) -> dict[str, object]:
    """boto3's SendMessage to our server, against the same to the stub."""
    near, far = (_client(f"http://{server.address}") for server in (ours, stub))
    url = near.create_queue(QueueName="bench")["QueueUrl"]
    senders = {"stub": lambda: _send_us(far, url), "trunkline": lambda: _send_us(near, url)}
    return _figures(_contest(senders, rounds), "stub", "trunkline")


def _unanswered(service: str, body: bytes) -> Any:
    """A client whose calls go nowhere: what botocore costs by itself."""

    def answer(**_: object) -> AWSResponse:
        class Raw:
            def stream(self, **_: object) -> list[bytes]:
                return [body]

        return AWSResponse("http://localhost/", 200, {}, Raw())

    client = _client("http://localhost:1", service)
    client.meta.events.register(f"before-send.{service}", answer)
    return client


def publishing(rounds: int) -> dict[str, object]:
    """boto3's Publish to a topic with a queue, without a socket, against botocore by itself."""
    unanswered = _unanswered("sns", PUBLISHED)
    with trunkline.open() as engine:
        client = trunkline.aws.client("sns", engine=engine)
        topic = client.create_topic(Name="bench")["TopicArn"]
        queue = engine.queue("bench")
        engine.topic("bench").subscribe(queue)

        def publish_us(client: Any) -> float:
            begun = time.perf_counter()
            for _ in range(CALLS):
                client.publish(TopicArn=topic, Message=BODY)
            return (time.perf_counter() - begun) / CALLS * 1e6

        senders = {
            "botocore_alone": lambda: publish_us(unanswered),
            "trunkline": lambda: publish_us(client),
        }
        found = _contest(senders, rounds)
        sent, wanted = queue.statistics().total, CALLS * (rounds + 1)
        if sent != wanted:
            raise RuntimeError(f"the queue has {sent} of {wanted} messages")
    return _figures(found, "botocore_alone", "trunkline")


def in_process(rounds: int) -> dict[str, object]:
    """Calls without a socket: ours, moto's mock, and botocore with no answerer at all."""
    from moto import mock_aws

    unanswered = _unanswered("sqs", b"{}")
    url = "http://localhost:1/000000000000/bench"

    def mocked() -> float:
        with mock_aws():
            client = boto3.client("sqs", **KEYS)
            mock_url = client.create_queue(QueueName="bench")["QueueUrl"]
            client.send_message(QueueUrl=mock_url, MessageBody=BODY)
            return _send_us(client, mock_url)

    with trunkline.open() as engine:
        client = trunkline.aws.client("sqs", engine=engine)
        own_url = client.create_queue(QueueName="bench")["QueueUrl"]
        senders = {
            "trunkline": lambda: _send_us(client, own_url),
            "moto": mocked,
            "botocore_alone": lambda: _send_us(unanswered, url),
        }
        found = _contest(senders, rounds)
    alone = statistics.median(found["botocore_alone"])
    share = alone / statistics.median(found["trunkline"])
    return _figures(found, "trunkline", "moto") | {
        "botocore_alone_us": alone,
        "botocore_share": share,
    }
