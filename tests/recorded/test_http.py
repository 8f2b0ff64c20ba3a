"""Recordings of what AWS sent to URLs. Their files have no calls: these are made here."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from urllib.parse import urlsplit

import pytest

import trunkline
from tests.recorded.compare import Comparison
from trunkline.server import Server

boto3 = pytest.importorskip("boto3")

CASES = Path(__file__).parent / "cases" / "sns" / "sns"
ENDPOINT = "TestSNSSubscriptionHttp.test_subscribe_external_http_endpoint"
# AWS's answers say no more than these of a connection; clients of ours need none of them.
OF_THE_CONNECTION = ("Accept", "Accept-Encoding", "Connection", "Content-Length")


def aws(name):
    return json.loads((CASES / f"{ENDPOINT}_{name}.json").read_text())["aws"]


class Listener(ThreadingHTTPServer):
    """A URL that keeps what it is sent."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.got = Queue()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/sns-endpoint"

    def next(self):
        headers, body = self.got.get(timeout=60)
        return {name.title(): value for name, value in headers}, body


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.got.put((self.headers.items(), body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def listener():
    with Listener() as made:
        yield made
        made.shutdown()


@pytest.fixture
def sns():
    with trunkline.open() as engine, Server(engine, port=0) as server:
        made = boto3.client(
            "sns",
            region_name="us-east-1",
            endpoint_url=server.url,
            aws_access_key_id="111111111111",
            aws_secret_access_key="x",
        )
        yield made
        made.close()


class Answers:
    """Holds answers against one recording; placeholders are bound throughout."""

    def __init__(self, recorded):
        self.recorded = recorded
        self.compare = Comparison()

    def same(self, name, actual):
        expected = self.recorded[name]
        if name.endswith(("-headers", "-headers-raw")):
            drop = OF_THE_CONNECTION
            expected = {key: value for key, value in expected.items() if key not in drop}
            actual = {key: value for key, value in actual.items() if key in expected}
        assert self.compare.differs(name, expected, actual) is None


def follow(url, **changed):
    """Follows a link; its status, and the code and the message of an error."""
    for old, new in changed.values():
        url = url.replace(old, new)
    try:
        with urllib.request.urlopen(url) as answer:
            return answer.status, ET.fromstring(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, ET.fromstring(error.read())


def text(answer, name):
    return next(one.text for one in answer[1].iter() if one.tag.endswith(f"}}{name}"))


@pytest.mark.parametrize("raw", [True, False])
def test_a_url_is_told_asked_and_let_go_as_by_aws(sns, listener, raw):
    answers = Answers(aws("True"))
    topic = sns.create_topic(Name="orders")["TopicArn"]
    sns.subscribe(
        TopicArn=topic,
        Protocol="http",
        Endpoint=listener.url,
        Attributes={"RawMessageDelivery": "true" if raw else "false"},
    )
    headers, body = listener.next()
    answers.same("subscription-confirmation", json.loads(body))
    answers.same("http-confirm-sub-headers", headers)
    link, token = json.loads(body)["SubscribeURL"], json.loads(body)["Token"]
    for name, change in (
        ("broken-token-confirm", ("Token=", "Token=abc123")),
        ("broken-topic-arn-confirm", ("orders", "another")),
    ):
        refused = follow(link, change=change)
        wanted = answers.recorded[name]["ErrorResponse"]["Error"]
        assert (refused[0], text(refused, "Code")) == (400, wanted["Code"])
    assert token in link
    for name in ("confirm-subscribe", "nonexistent-token-confirm"):
        confirmed = text(follow(link), "SubscriptionArn")
        wanted = answers.recorded[name]["ConfirmSubscriptionResponse"]
        told = {"SubscriptionArn": confirmed}
        recorded = wanted["ConfirmSubscriptionResult"]
        assert answers.compare.differs(name, recorded, told) is None
    sns.publish(TopicArn=topic, Message="test_external_http_endpoint")
    headers, body = listener.next()
    if raw:
        answers.same("http-message-headers-raw", headers)
        assert body == "test_external_http_endpoint"
    else:
        answers = Answers(aws("content_type_False"))
        answers.same("http-message", json.loads(body))
    sns.unsubscribe(SubscriptionArn=confirmed)
    _, body = listener.next()
    Answers(aws("True")).same("unsubscribe-request", json.loads(body))


@pytest.mark.parametrize("raw", [True, False])
def test_the_content_type_is_that_of_the_delivery_policies(sns, listener, raw):
    answers = Answers(aws(f"content_type_{raw}"))
    policy = {"http": {"defaultRequestPolicy": {"headerContentType": "application/json"}}}
    topic = sns.create_topic(Name="orders", Attributes={"DeliveryPolicy": json.dumps(policy)})
    topic = topic["TopicArn"]
    attributes = {"RawMessageDelivery": "true" if raw else "false"}
    if raw:
        own = {"requestPolicy": {"headerContentType": "text/csv"}}
        attributes["DeliveryPolicy"] = json.dumps(own)
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=listener.url, Attributes=attributes)
    headers, body = listener.next()
    answers.same("subscription-confirmation", json.loads(body))
    answers.same("http-confirm-sub-headers", headers)
    follow(json.loads(body)["SubscribeURL"])
    sns.publish(TopicArn=topic, Message="test_external_http_endpoint")
    headers, _ = listener.next()
    answers.same("http-message-headers-raw" if raw else "http-message-headers", headers)
    assert urlsplit(listener.url).netloc == headers["Host"]
