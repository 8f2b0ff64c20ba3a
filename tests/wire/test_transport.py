"""HTTP/2, slow callers, presigned requests, and peeking into a queue."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from urllib.parse import urlencode

import pytest

import trunkline
from trunkline.server import Server

pytest.importorskip("boto3")

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

JSON = "application/x-amz-json-1.0"


def post(url, operation, payload):
    headers = {"X-Amz-Target": f"AmazonSQS.{operation}", "Content-Type": JSON}
    request = urllib.request.Request(url, json.dumps(payload).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.loads(response.read() or b"{}")


@pytest.fixture
def strict(engine):
    known = [("AKIAEXAMPLE", "secret", None, "123456789012")]
    with Server(engine, port=0, auth="strict", credentials=known) as server:
        yield server


def presign(url, *, secret="secret", expires=60):
    request = AWSRequest(method="GET", url=url)
    keys = Credentials("AKIAEXAMPLE", secret)
    SigV4QueryAuth(keys, "sqs", "us-east-1", expires=expires).add_auth(request)
    return request.prepare().url


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=60) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_presigned_requests_are_checked_in_strict_mode(strict, engine):
    action = {"Action": "CreateQueue", "QueueName": "q", "Version": "2012-11-05"}
    plain = f"{strict.url}/?{urlencode(action)}"
    status, text = get(presign(plain))
    assert status == 200, text
    assert "/123456789012/q</QueueUrl>" in text
    status, text = get(presign(plain, secret="wrong"))
    assert (status, "<Code>SignatureDoesNotMatch</Code>" in text) == (403, True)
    status, text = get(presign(plain).replace("QueueName=q", "QueueName=r"))
    assert (status, "<Code>SignatureDoesNotMatch</Code>" in text) == (403, True)
    short = presign(plain, expires=1)
    time.sleep(2.1)
    status, text = get(short)
    assert (status, "expired" in text) == (400, True)
    assert [queue.name for queue in engine.queues()] == []  # the account is another one
    assert len(engine._core.queues("123456789012", "us-east-1", "")) == 1


def test_http_2_serves_many_streams_on_one_connection(server):
    h2 = pytest.importorskip("h2.connection")
    events = pytest.importorskip("h2.events")
    connection = h2.H2Connection()
    connection.initiate_connection()
    body = b"{}"
    answers, ended = {}, set()
    with socket.create_connection(server.address, timeout=60) as sock:
        for stream in range(1, 41, 2):
            headers = [
                (":method", "POST"),
                (":path", "/"),
                (":scheme", "http"),
                (":authority", "localhost"),
                ("x-amz-target", "AmazonSQS.ListQueues"),
                ("content-type", JSON),
            ]
            connection.send_headers(stream, headers)
            connection.send_data(stream, body, end_stream=True)
        sock.sendall(connection.data_to_send())
        while len(ended) < 20:
            data = sock.recv(65_536)
            assert data, "the server hung up"
            for event in connection.receive_data(data):
                if isinstance(event, events.ResponseReceived):
                    answers[event.stream_id] = dict(event.headers)
                elif isinstance(event, events.StreamEnded):
                    ended.add(event.stream_id)
            sock.sendall(connection.data_to_send())
    assert {headers.get(b":status", headers.get(":status")) for headers in answers.values()} <= {
        b"200",
        "200",
    }
    assert len(answers) == 20


def test_curl_speaks_http_2_without_an_upgrade(server):
    curl = shutil.which("curl")
    if (
        curl is None
        or b"HTTP2"
        not in subprocess.run([curl, "--version"], capture_output=True, check=True).stdout
    ):
        pytest.skip("there is no curl that speaks HTTP/2")
    command = [curl, "-sS", "--http2-prior-knowledge", "-w", "%{http_version}", "-o", "-"]
    done = subprocess.run(
        [*command, server.url + "/_trunkline/health"], capture_output=True, check=True, timeout=60
    )
    assert done.stdout.endswith(b"2")
    assert b'"status":"ok"' in done.stdout


def test_a_caller_that_sends_too_slowly_is_let_go(engine):
    with Server(engine, port=0, read_timeout=4) as server:
        starts = [
            b"POST / HTTP/1.1\r\nHost: a\r\nX-Slow: ",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{",
        ]
        socks = [socket.create_connection(server.address, timeout=30) for _ in range(40)]
        for place, sock in enumerate(socks):
            with contextlib.suppress(ConnectionError):
                sock.sendall(starts[place % 2])
        # Others are served meanwhile.
        assert post(server.url, "ListQueues", {}) == {}
        for place, sock in enumerate(socks):
            try:
                answer = sock.recv(1_000)
            except ConnectionError:
                answer = b""
            assert answer == b"" or answer.startswith(b"HTTP/1.1 408"), (place, answer)
            sock.close()


def test_messages_are_looked_at_without_being_received(server, engine):
    queue = engine.queue("orders")
    queue.send("one")
    queue.send("two \u00e9")
    assert len(queue.receive(max=1)) == 1
    look = f"{server.url}/_aws/sqs/messages?"
    url = f"{server.url}/000000000000/orders"

    def bodies(**more):
        status, text = get(look + urlencode({"QueueUrl": url, **more}))
        assert status == 200
        return [message["Body"] for message in json.loads(text)["Messages"]]

    assert bodies() == bodies() == ["two \u00e9"]
    assert sorted(bodies(ShowInvisible="true")) == ["one", "two \u00e9"]
    found = queue.receive(max=1)[0]
    assert (found.text(), found.receive_count) == ("two \u00e9", 1)
    status, text = get(look + urlencode({"QueueUrl": url + "-none"}))
    assert (status, json.loads(text)["error"]) == (400, "QueueDoesNotExist")


def test_a_receive_that_is_sent_to_the_path_of_looks_is_answered_like_one(server, engine):
    queue = engine.queue("orders.fifo", region="eu-west-1")
    queue.send("one", group="g", dedup_id="d", attributes={"kind": "tea", "raw": b"\xff"})
    url = f"{server.url}/queue/eu-west-1/000000000000/orders.fifo"
    receive = {"MessageAttributeNames": ["All"], "MessageSystemAttributeNames": ["All"]}
    told = post(f"{server.url}/_aws/sqs/messages", "ReceiveMessage", {"QueueUrl": url, **receive})
    (looked,) = told["Messages"]
    status, text = get(f"{server.url}/_aws/sqs/messages/eu-west-1/000000000000/orders.fifo")
    assert (status, json.loads(text)) == (200, told)
    (received,) = post(server.url, "ReceiveMessage", {"QueueUrl": url, **receive})["Messages"]
    assert looked.pop("ReceiptHandle") != received.pop("ReceiptHandle")
    # Looking counts nothing.
    counted = ("ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp")
    for message, count in ((looked, "0"), (received, "1")):
        told = {name: message["Attributes"].pop(name) for name in counted}
        assert told["ApproximateReceiveCount"] == count
    assert looked == received
    for path in ("", "/us-east-1/000000000000/orders.fifo", "/eu-west-1/orders.fifo"):
        assert get(f"{server.url}/_aws/sqs/messages{path}")[0] == 400
    assert get(f"{server.url}/_aws/sqs/messagesother")[0] == 404


def test_a_fault_of_the_commit_is_an_answer_and_loses_nothing_that_was_acknowledged(tmp_path):
    folder = str(tmp_path / "data")
    with trunkline.open(folder) as engine, Server(engine, port=0) as server:
        post(server.url, "CreateQueue", {"QueueName": "q"})
        post(server.url, "SendMessage", {"QueueUrl": "q", "MessageBody": "kept"})
        fault = {"verb": "commit", "effect": "fail", "message": "no space", "times": 1}
        target = server.url + "/_trunkline/faults"
        with urllib.request.urlopen(target, json.dumps(fault).encode()):
            pass
        with pytest.raises(urllib.error.HTTPError) as caught:
            post(server.url, "SendMessage", {"QueueUrl": "q", "MessageBody": "unsure"})
        assert caught.value.code >= 500
        caught.value.close()
        pause = {"verb": "commit", "effect": "delay", "delay": 0.3, "times": 1}
        with urllib.request.urlopen(target, json.dumps(pause).encode()):
            pass
        began = time.monotonic()
        post(server.url, "SendMessage", {"QueueUrl": "q", "MessageBody": "late"})
        assert time.monotonic() - began >= 0.3
    # Not acknowledged is not refused: the message was applied, and may be there.
    with trunkline.open(folder) as engine:
        found = {message.text() for message in engine.queue("q").receive(max=10)}
        assert {"kept", "late"} <= found <= {"kept", "late", "unsure"}
