"""Signatures of SNS messages, checked by openssl, and deliveries to a real endpoint over HTTP."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue

import pytest
from botocore.exceptions import ClientError

import trunkline
from trunkline.server import Server

OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="the command openssl is not installed")
NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
PATIENCE = 30


def clients(server, *services):
    boto3 = pytest.importorskip("boto3")
    made = [
        boto3.client(
            service,
            region_name="us-east-1",
            endpoint_url=server.url,
            aws_access_key_id="000000000000",
            aws_secret_access_key="secret",
        )
        for service in services
    ]
    return made if len(made) > 1 else made[0]


def is_signed(message, folder, **changed):
    """Whether openssl finds the signature of a message right, with some of its fields changed."""
    with urllib.request.urlopen(message["SigningCertURL"], timeout=PATIENCE) as answer:
        (folder / "certificate.pem").write_bytes(answer.read())
    fields = CONFIRMATION if "Token" in message else NOTIFICATION
    said = message | changed
    text = "".join(f"{name}\n{said[name]}\n" for name in fields if name in said)
    (folder / "text").write_bytes(text.encode())
    (folder / "signature").write_bytes(base64.b64decode(message["Signature"], validate=True))

    def openssl(*arguments):
        command = [OPENSSL, *arguments]
        return subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=60)

    key = openssl("x509", "-in", "certificate.pem", "-pubkey", "-noout")
    assert key.returncode == 0, key.stderr
    (folder / "key.pem").write_bytes(key.stdout)
    digest = {"1": "-sha1", "2": "-sha256"}[message["SignatureVersion"]]
    return openssl("dgst", digest, "-verify", "key.pem", "-signature", "signature", "text")


def assert_signed(message, folder):
    checked = is_signed(message, folder)
    assert checked.returncode == 0, checked.stderr
    changed = is_signed(message, folder, Message=message["Message"] + ".")
    assert changed.returncode == 1
    assert b"Verification failure" in changed.stdout + changed.stderr


class Endpoint:
    """An HTTP endpoint that keeps what it gets, and answers with the next of its statuses."""

    def __init__(self):
        self.received, self.statuses = Queue(), []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                status = endpoint.statuses.pop(0) if endpoint.statuses else 200
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()
                endpoint.received.put((dict(self.headers.items()), body.decode()))

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/messages"

    def next(self):
        headers, body = self.received.get(timeout=PATIENCE)
        return {name.lower(): value for name, value in headers.items()}, body


@pytest.fixture
def endpoint():
    endpoint = Endpoint()
    yield endpoint
    endpoint.server.shutdown()
    endpoint.server.server_close()


def enveloped(sqs, url):
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    return json.loads(message["Body"])


def make_queue(sqs, name, **attributes):
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, found["Attributes"]["QueueArn"]


@needs_openssl
@pytest.mark.parametrize("version", ["1", "2"])
def test_envelopes_of_queues_are_signed_once_for_all_subscriptions(server, tmp_path, version):
    sns, sqs = clients(server, "sns", "sqs")
    topic = sns.create_topic(Name="orders", Attributes={"SignatureVersion": version})["TopicArn"]
    queues = [make_queue(sqs, name) for name in ("a", "b")]
    for _, arn in queues:
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="one café\n", Subject="order")
    first, second = [enveloped(sqs, url) for url, _ in queues]
    assert first["SignatureVersion"] == version
    assert first["Signature"] == second["Signature"]
    assert first["SigningCertURL"].startswith(f"{server.url}/SimpleNotificationService-")
    assert first["UnsubscribeURL"].startswith(f"{server.url}/?Action=Unsubscribe&Token=")
    assert_signed(first, tmp_path)
    assert is_signed(first, tmp_path, Subject="another").returncode == 1
    sns.publish(TopicArn=topic, Message="without a subject")
    plain = enveloped(sqs, queues[0][0])
    assert "Subject" not in plain
    assert_signed(plain, tmp_path)


@needs_openssl
def test_a_changed_version_holds_for_the_next_message(server, tmp_path):
    sns, sqs = clients(server, "sns", "sqs")
    topic = sns.create_topic(Name="orders")["TopicArn"]
    url, arn = make_queue(sqs, "a")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    for version in ("2", "1"):
        sns.set_topic_attributes(
            TopicArn=topic, AttributeName="SignatureVersion", AttributeValue=version
        )
        sns.publish(TopicArn=topic, Message="tea")
        message = enveloped(sqs, url)
        assert message["SignatureVersion"] == version
        assert_signed(message, tmp_path)


def test_a_text_for_one_protocol_is_what_its_receiver_sees_signed(server, tmp_path):
    sns, sqs = clients(server, "sns", "sqs")
    topic = sns.create_topic(Name="orders")["TopicArn"]
    url, arn = make_queue(sqs, "a")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    texts = json.dumps({"default": "d", "sqs": "for queues"})
    sns.publish(TopicArn=topic, Message=texts, MessageStructure="json")
    message = enveloped(sqs, url)
    assert message["Message"] == "for queues"
    if OPENSSL:
        assert_signed(message, tmp_path)


def test_messages_of_fifo_topics_and_raw_ones_have_no_signature(server):
    sns, sqs = clients(server, "sns", "sqs")
    fifo = {"FifoTopic": "true", "ContentBasedDeduplication": "true"}
    topic = sns.create_topic(Name="orders.fifo", Attributes=fifo)["TopicArn"]
    url, arn = make_queue(sqs, "a.fifo", FifoQueue="true")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="tea", MessageGroupId="g")
    message = enveloped(sqs, url)
    assert "UnsubscribeURL" in message
    assert not {"Signature", "SignatureVersion", "SigningCertURL"} & set(message)


def test_an_engine_without_the_service_signs_nothing():
    with trunkline.open() as engine:
        queue = engine.queue("kitchen")
        engine.topic("orders").subscribe(queue, raw=False)
        engine.topic("orders").publish("tea")
        assert "Signature" not in json.loads(queue.receive()[0].text())


@needs_openssl
def test_a_key_outlives_its_process_and_is_served_to_any_caller(tmp_path):
    def open_engine():
        return trunkline.open(tmp_path / "engine")

    with open_engine() as engine, Server(engine, port=0) as server:
        sns, sqs = clients(server, "sns", "sqs")
        topic = sns.create_topic(Name="orders")["TopicArn"]
        url, arn = make_queue(sqs, "a")
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        sns.publish(TopicArn=topic, Message="tea")
        first = enveloped(sqs, url)
        sns.publish(TopicArn=topic, Message="coffee")
    credentials = [("000000000000", "secret", None, None)]
    with (
        open_engine() as engine,
        Server(engine, port=0, auth="strict", credentials=credentials) as server,
    ):
        sqs = clients(server, "sqs")
        again = enveloped(sqs, sqs.get_queue_url(QueueName="a")["QueueUrl"])
        path = first["SigningCertURL"].rsplit("/", 1)[1]
        assert again["SigningCertURL"] == f"{server.url}/{path}"
        assert_signed(again, tmp_path)
        unknown = f"{server.url}/SimpleNotificationService-{'0' * 32}.pem"
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(unknown, timeout=PATIENCE)


@needs_openssl
def test_an_endpoint_confirms_and_verifies_what_it_gets(server, endpoint, tmp_path):
    sns = clients(server, "sns")
    topic = sns.create_topic(Name="orders", Attributes={"SignatureVersion": "2"})["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint.url)
    headers, body = endpoint.next()
    asked = json.loads(body)
    assert headers["x-amz-sns-message-type"] == asked["Type"] == "SubscriptionConfirmation"
    assert "x-amz-sns-subscription-arn" not in headers
    assert list(asked)[-3:] == ["SignatureVersion", "Signature", "SigningCertURL"]
    assert_signed(asked, tmp_path)
    urllib.request.urlopen(asked["SubscribeURL"], timeout=PATIENCE).close()
    (arn,) = [one["SubscriptionArn"] for one in sns.list_subscriptions()["Subscriptions"]]
    sent = sns.publish(TopicArn=topic, Message="tea")["MessageId"]
    headers, body = endpoint.next()
    expected = {
        "x-amz-sns-message-type": "Notification",
        "x-amz-sns-message-id": sent,
        "x-amz-sns-topic-arn": topic,
        "x-amz-sns-subscription-arn": arn,
        "content-type": "text/plain; charset=UTF-8",
        "user-agent": "Amazon Simple Notification Service Agent",
    }
    assert {name: headers.get(name) for name in expected} == expected
    assert "x-amz-sns-rawdelivery" not in headers
    notified = json.loads(body)
    assert_signed(notified, tmp_path)
    sns.set_subscription_attributes(
        SubscriptionArn=arn, AttributeName="RawMessageDelivery", AttributeValue="true"
    )
    sns.publish(TopicArn=topic, Message="raw tea")
    headers, body = endpoint.next()
    assert (headers["x-amz-sns-rawdelivery"], body) == ("true", "raw tea")
    urllib.request.urlopen(notified["UnsubscribeURL"], timeout=PATIENCE).close()
    headers, body = endpoint.next()
    goodbye = json.loads(body)
    assert headers["x-amz-sns-message-type"] == goodbye["Type"] == "UnsubscribeConfirmation"
    assert headers["x-amz-sns-subscription-arn"] == arn
    assert_signed(goodbye, tmp_path)


def test_an_endpoint_that_fails_gets_its_message_again(server, endpoint):
    sns = clients(server, "sns")
    topic = sns.create_topic(Name="orders")["TopicArn"]
    retry = {"minDelayTarget": 1, "maxDelayTarget": 1, "numRetries": 1}
    subscribed = sns.subscribe(
        TopicArn=topic,
        Protocol="http",
        Endpoint=endpoint.url,
        Attributes={"DeliveryPolicy": json.dumps({"healthyRetryPolicy": retry})},
        ReturnSubscriptionArn=True,
    )
    token = json.loads(endpoint.next()[1])["Token"]
    assert (
        sns.confirm_subscription(TopicArn=topic, Token=token)["SubscriptionArn"]
        == (subscribed["SubscriptionArn"])
    )
    endpoint.statuses = [500, 200]
    sns.publish(TopicArn=topic, Message="tea")
    first, second = endpoint.next(), endpoint.next()
    assert first[0]["x-amz-sns-message-id"] == second[0]["x-amz-sns-message-id"]
    assert first[1] == second[1]
    assert endpoint.received.empty()
    with pytest.raises(ClientError):
        sns.confirm_subscription(TopicArn=topic, Token="0" * 288)
