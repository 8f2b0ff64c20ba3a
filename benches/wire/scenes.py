"""What is set up on a server before a row of SNS or EventBridge, and what the row posts then."""

from __future__ import annotations

import json
import re
import urllib.parse
from collections import Counter
from dataclasses import dataclass
from typing import Any

from benches.wire.servers import Server, Unproven

NUMBER = "@@@@@@@@"
"""The load generator puts the number of a message here."""
BODY = f"n={NUMBER} " + "x" * (1_024 - len(NUMBER) - 3)
TENTH = 10
MATCHED = "order-1"
EMPTY_MAX = 5
"""Looks of a second each before a message counts as lost."""
FOUND = re.compile(r"n=(\d{8}) ")


@dataclass(frozen=True)
class Scene:
    """A topic with subscriptions, or an event bus with rules, and one request."""

    name: str
    service: str
    batch: int = 1
    queues: int = 1
    """Queues that get every message."""
    others: int = 0
    """Subscriptions or rules that match no message, each with a queue or a pattern of its own."""


@dataclass(frozen=True)
class Ready:
    """A scene that was set up on a server."""

    request: bytes
    """The request as it is written to a connection."""
    accepted: str
    """What an answer contains once for each message that was accepted."""
    urls: list[str]
    """The queues that get every message."""
    absent: list[str]
    """Some of the queues that get none."""


def set_up(scene: Scene, server: Server) -> Ready:
    """Makes the resources of a scene on a server that has none."""
    return _topic(scene, server) if scene.service == "sns" else _bus(scene, server)


def prove(scene: Scene, ready: Ready, server: Server, messages: int) -> None:
    """Fails unless each queue got each of the first `messages` messages exactly once."""
    wanted = Counter(range(messages))
    for url in ready.urls:
        found = _drain(server, url, messages)
        if found != wanted:
            missing, twice = len(wanted - found), len(found - wanted)
            raise Unproven(
                f"{server.name}, {scene.name}: of {messages} messages {url} misses {missing} and "
                f"has {twice} too many"
            )
    for url in ready.absent:
        if _drain(server, url, 0):
            raise Unproven(f"{server.name}, {scene.name}: {url} got what it filters out")


def _drain(server: Server, url: str, expected: int) -> Counter[int]:
    found: Counter[int] = Counter()
    empty = 0
    while empty < EMPTY_MAX:
        # Waits for what a server delivers behind its answer; then looks once for what is too many.
        is_short = found.total() < expected
        asked = {"QueueUrl": url, "MaxNumberOfMessages": TENTH, "WaitTimeSeconds": int(is_short)}
        messages: Any = server.call("ReceiveMessage", asked).get("Messages") or []
        if not messages and not is_short:
            break
        empty = 0 if messages else empty + 1
        found.update(int(FOUND.findall(one["Body"])[0]) for one in messages)
        entries = [
            {"Id": str(place), "ReceiptHandle": one["ReceiptHandle"]}
            for place, one in enumerate(messages)
        ]
        if entries:
            server.call("DeleteMessageBatch", {"QueueUrl": url, "Entries": entries})
    return found


def _queue(server: Server, name: str) -> tuple[str, str]:
    """The URL and the ARN of a new queue. Messages go by themselves after a while."""
    kept = {"MessageRetentionPeriod": "60"}
    url = str(server.call("CreateQueue", {"QueueName": name, "Attributes": kept})["QueueUrl"])
    return url, f"arn:aws:sqs:us-east-1:{url.split('/')[-2]}:{name}"


def _topic(scene: Scene, server: Server) -> Ready:
    topic = server.ask_sns("CreateTopic", {"Name": "bench"}, "TopicArn")
    matched, absent = [], []
    for number in range(scene.queues + scene.others):
        url, arn = _queue(server, f"bench-{number}")
        (matched if number < scene.queues else absent).append(url)
        asked = {"TopicArn": topic, "Protocol": "sqs", "Endpoint": arn}
        if scene.others:
            value = MATCHED if number < scene.queues else f"other-{number}"
            asked |= {
                "Attributes.entry.1.key": "FilterPolicy",
                "Attributes.entry.1.value": json.dumps({"order": [value]}),
            }
        server.ask_sns("Subscribe", asked, "SubscriptionArn")
    fields = {"Action": "Publish", "Version": "2010-03-31", "TopicArn": topic}
    if scene.batch == 1:
        fields |= {"Message": BODY} | _attribute("")
    else:
        fields["Action"] = "PublishBatch"
        for number in range(1, scene.batch + 1):
            entry = f"PublishBatchRequestEntries.member.{number}."
            fields |= {f"{entry}Id": str(number), f"{entry}Message": BODY} | _attribute(entry)
    body = urllib.parse.urlencode(fields).replace("%40", "@")
    head = "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n"
    return Ready(request("sns", head, body), "<MessageId>", matched, absent[:1])


def _attribute(entry: str) -> dict[str, str]:
    """The attribute that filters look at."""
    name = f"{entry}MessageAttributes.entry.1."
    value = {"Value.DataType": "String", "Value.StringValue": MATCHED}
    return {f"{name}Name": "order"} | {f"{name}{key}": text for key, text in value.items()}


def _bus(scene: Scene, server: Server) -> Ready:
    url, arn = _queue(server, "bench")
    for number in range(scene.queues + scene.others):
        value = MATCHED if number < scene.queues else f"other-{number}"
        pattern = {"source": ["bench"], "detail": {"order": [value]}}
        rule = f"r{number}"
        server.ask_events("PutRule", {"Name": rule, "EventPattern": json.dumps(pattern)})
        target = {"Id": "queue", "Arn": arn}
        server.ask_events("PutTargets", {"Rule": rule, "Targets": [target]})
    detail = json.dumps({"order": MATCHED, "text": BODY})
    entry = {"Source": "bench", "DetailType": "placed", "Detail": detail}
    body = json.dumps({"Entries": [entry] * scene.batch})
    head = "Content-Type: application/x-amz-json-1.1\r\nX-Amz-Target: AWSEvents.PutEvents\r\n"
    return Ready(request("events", head, body), '"EventId"', [url], [])


def request(service: str, head: str, body: str) -> bytes:
    """A request as it is written to a connection."""
    scope = f"test/20260101/us-east-1/{service}/aws4_request"
    return (
        f"POST / HTTP/1.1\r\nHost: localhost\r\n{head}X-Amz-Date: 20260101T000000Z\r\n"
        f"Authorization: AWS4-HMAC-SHA256 Credential={scope}, "
        "SignedHeaders=host;x-amz-date, Signature=00\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
