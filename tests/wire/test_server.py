"""What the server does with requests that are broken, hostile, or cut off."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError

import trunkline
from trunkline._core import make_certificate
from trunkline.server import Server
from waiting import until_waiting

boto3 = pytest.importorskip("boto3")


def raw(server, data, *, close=True, silence=2):
    """Sends bytes; returns all that comes back until the server closes or is silent.

    Closing the one half ends the answers that are still to come, so `close=False` leaves it open.
    """
    with socket.create_connection(server.address, timeout=60) as sock:
        parts = []
        try:
            sock.sendall(data)
            if close:
                sock.shutdown(socket.SHUT_WR)
            while part := sock.recv(65536):
                parts.append(part)
                if not close:
                    sock.settimeout(silence)
        except OSError:
            # The server closed in the middle, or is silent.
            pass
        return b"".join(parts)


def post(server, body, **headers):
    connection = http.client.HTTPConnection(*server.address, timeout=60)
    fixed = {"Content-Type": "application/x-amz-json-1.0"}
    connection.request("POST", "/", body, fixed | headers)
    response = connection.getresponse()
    answer = response.status, response.read(), dict(response.getheaders())
    connection.close()
    return answer


def call(server, operation, payload, **headers):
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return post(server, body, **{"X-Amz-Target": f"AmazonSQS.{operation}"}, **headers)


def is_alive(server):
    with urllib.request.urlopen(server.url + "/_trunkline/health", timeout=60) as response:
        return response.status == 200


@pytest.mark.parametrize(
    "data",
    [
        b"\x00" * 100,
        b"GET\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\ncut off",
        b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 200_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5_000 + b"\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 50,
    ],
)
def test_bytes_that_are_no_request_leave_the_server_alive(server, data):
    answer = raw(server, data)
    assert not answer.startswith(b"HTTP/1.1 2")
    assert is_alive(server)


def test_requests_may_be_pipelined_and_chunked(server):
    one = (
        b"POST / HTTP/1.1\r\nHost: a\r\nX-Amz-Target: AmazonSQS.ListQueues\r\n"
        b"Content-Type: application/x-amz-json-1.0\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"2\r\n{}\r\n0\r\n\r\n"
    )
    last = one.replace(b"Host: a", b"Host: a\r\nConnection: close")
    answer = raw(server, one * 2 + last, close=False, silence=60)
    assert answer.count(b"HTTP/1.1 200") == 3


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"nul",
        b'{"QueueUrl": 7}',
        b'{"QueueUrl": "q", "MessageBody": NaN}',
        b'{"QueueUrl": "q", "QueueUrl": "q"}',
        b'{"QueueUrl": "\xff"}',
        b"[" * 100_000,
        b'{"MessageAttributes":' * 10_000,
        b'{"QueueUrl": "q", "MessageBody": "\\ud800"}',
    ],
)
def test_a_body_that_cannot_be_read_is_answered_in_the_form_of_aws(server, body):
    status, answer, headers = call(server, "SendMessage", body)
    error = json.loads(answer)
    assert status == 400
    assert error["__type"].rsplit("#")[-1] in (
        "SerializationException",
        "MissingRequiredParameterException",
    )
    assert headers["content-type"] == "application/x-amz-json-1.0"
    assert ";Sender" in headers["x-amzn-query-error"]


@pytest.mark.parametrize("half", [r"\ud800", r"\udfff", r"a\ud800b"])
def test_half_of_a_surrogate_pair_is_named(server, half):
    body = f'{{"QueueUrl": "q", "MessageBody": "{half}"}}'.encode()
    status, answer, _ = call(server, "SendMessage", body)
    error = json.loads(answer)
    assert (status, error["__type"]) == (400, "SerializationException")
    assert "an escape is half of a surrogate pair" in error["message"]


def test_unknown_operations_and_services_are_answered_as_aws_does(server):
    status, answer, _ = call(server, "Nonsense", {})
    assert (status, json.loads(answer)["__type"]) == (400, "UnknownOperationException")
    status, answer, _ = post(server, b"{}", **{"X-Amz-Target": "Nothing.Here"})
    assert (status, json.loads(answer)["__type"]) == (400, "UnknownOperationException")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    status, answer, _ = post(server, b"Action=Nonsense&Version=2012-11-05", **form)
    assert status == 400
    assert b"<Code>InvalidAction</Code>" in answer
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(server.url + "/000000000000/q")
    assert (caught.value.code, caught.value.read()) == (404, b"<UnknownOperationException/>")


def test_a_body_over_the_limit_is_refused_without_being_read(server):
    head = (
        b"POST / HTTP/1.1\r\nHost: a\r\nX-Amz-Target: AmazonSQS.SendMessage\r\n"
        b"Content-Length: 1000000000000\r\n\r\n"
    )
    answer = raw(server, head, close=False)
    assert answer.startswith(b"HTTP/1.1 413")
    assert is_alive(server)


@pytest.mark.parametrize("name", ["MessageAttribute", "MessageAttributes"])
def test_the_query_protocol_answers_in_xml(server, name):
    call(server, "CreateQueue", {"QueueName": "q"})
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = (
        f"Action=SendMessage&Version=2012-11-05&MessageBody=a%22b%26%0D&{name}.1.Name=k"
        f"&{name}.1.Value.DataType=String&{name}.1.Value.StringValue=v"
    ).encode()
    connection = http.client.HTTPConnection(*server.address)
    connection.request("POST", "/000000000000/q", body, form)
    sent = connection.getresponse().read()
    assert b"<SendMessageResponse xmlns=" in sent
    assert b"<MD5OfMessageAttributes>" in sent
    body = b"Action=ReceiveMessage&QueueUrl=q&MessageAttributeName.1=All&AttributeName.1=All"
    connection.request("POST", "/", body, form)
    got = connection.getresponse().read()
    assert b"<Body>a&quot;b&amp;&#xD;</Body>" in got
    assert b"<MessageAttribute><Name>k</Name><Value>" in got
    assert b"<Attribute><Name>SenderId</Name><Value>000000000000</Value></Attribute>" in got
    connection.request("POST", "/000000000000/none", b"Action=PurgeQueue", form)
    missing = connection.getresponse()
    text = missing.read()
    assert missing.status == 400
    assert b"<Code>AWS.SimpleQueueService.NonExistentQueue</Code>" in text
    assert b"does not exist for this wsdl version." in text
    connection.request("GET", "/000000000000/q?Action=ListQueues")
    assert (
        b"The action ListQueues is not valid for this endpoint." in connection.getresponse().read()
    )
    connection.close()


def test_a_caller_that_hangs_up_in_a_long_poll_swallows_no_message(server, engine):
    call(server, "CreateQueue", {"QueueName": "q"})
    body = json.dumps({"QueueUrl": "q", "WaitTimeSeconds": 20}).encode()
    for _ in range(20):
        sock = socket.create_connection(server.address)
        sock.sendall(
            b"POST / HTTP/1.1\r\nHost: a\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        until_waiting(engine.queue("q"))
        sock.close()
        until_waiting(engine.queue("q"), 0)
    call(server, "SendMessage", {"QueueUrl": "q", "MessageBody": "a"})
    _, answer, _ = call(server, "ReceiveMessage", {"QueueUrl": "q", "WaitTimeSeconds": 20})
    assert json.loads(answer)["Messages"][0]["Body"] == "a"


def test_stopping_ends_long_polls_and_finishes_requests(engine):
    server = Server(engine, port=0)
    call(server, "CreateQueue", {"QueueName": "q"})
    answers = []
    poll = {"QueueUrl": "q", "WaitTimeSeconds": 20}
    waiting = threading.Thread(target=lambda: answers.append(call(server, "ReceiveMessage", poll)))
    waiting.start()
    until_waiting(engine.queue("q"))
    started = time.monotonic()
    assert server.stop()
    waiting.join()
    assert time.monotonic() - started < 18
    assert answers[0][:2] == (200, b"{}")
    with pytest.raises(ConnectionError):
        socket.create_connection(server.address, timeout=1)


def test_strangers_pages_are_refused_and_local_ones_get_the_headers(server):
    status, _, _ = call(server, "ListQueues", {}, Origin="https://evil.example")
    assert status == 403
    status, _, headers = call(server, "ListQueues", {}, Origin="http://localhost:3000")
    assert status == 200
    assert headers["access-control-allow-origin"] == "http://localhost:3000"


_clients = []


@pytest.fixture(autouse=True)
def _close_clients():
    yield
    while _clients:
        _clients.pop().close()


def client(server, key="AKIAEXAMPLE", secret="secret", **options):
    made = boto3.session.Session().client(
        "sqs",
        region_name="us-east-1",
        endpoint_url=server.url,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        **options,
    )
    _clients.append(made)
    return made


@pytest.fixture
def strict(engine):
    known = [("AKIAEXAMPLE", "secret", None, "123456789012"), ("ASIATEMP", "s", "token", None)]
    with Server(engine, port=0, auth="strict", credentials=known) as server:
        yield server


def test_strict_mode_takes_right_signatures_of_known_keys_only(strict):
    url = client(strict).create_queue(QueueName="q")["QueueUrl"]
    assert url.endswith("/123456789012/q")
    client(strict).send_message(QueueUrl=url, MessageBody="\u00e9 body")
    assert client(strict, "ASIATEMP", "s", aws_session_token="token").list_queues()
    for arguments, code in (
        ({"secret": "wrong"}, "SignatureDoesNotMatch"),
        ({"key": "AKIAUNKNOWN"}, "InvalidClientTokenId"),
        ({"key": "ASIATEMP", "secret": "s"}, "InvalidClientTokenId"),
    ):
        with pytest.raises(ClientError) as caught:
            client(strict, **arguments).list_queues()
        response = caught.value.response
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 403
        assert code in (response["Error"]["Code"], response["Error"].get("QueryErrorCode")) or (
            response["Error"]["Code"]
            in ("InvalidSignatureException", "UnrecognizedClientException")
        )
    status, answer, _ = call(strict, "ListQueues", {})
    assert (status, json.loads(answer)["__type"]) == (403, "MissingAuthenticationTokenException")


def test_strict_mode_refuses_a_changed_body(strict):
    sqs = client(strict)
    url = sqs.create_queue(QueueName="q")["QueueUrl"]

    def change(request, **_):
        request.body = request.body.replace(b"honest", b"forged")

    sqs.meta.events.register("before-send.sqs.SendMessage", change)
    with pytest.raises(ClientError) as caught:
        sqs.send_message(QueueUrl=url, MessageBody="honest")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


def test_tls_serves_with_a_development_certificate(engine, tmp_path):
    chain, key = make_certificate(["localhost", "127.0.0.1"])
    with Server(engine, port=0, certificate=(chain, key)) as server:
        context = ssl.create_default_context(cadata=chain)
        url = server.url + "/_trunkline/health"
        with urllib.request.urlopen(url, context=context) as response:
            assert response.status == 200
        trusted = tmp_path / "chain.pem"
        trusted.write_text(chain)
        made = client(server, verify=str(trusted)).create_queue(QueueName="q")["QueueUrl"]
        assert made.startswith("https://")


def test_reset_forgets_everything_and_frees_the_names(server):
    sqs = client(server)
    sqs.create_queue(QueueName="q")
    request = urllib.request.Request(server.url + "/moto-api/reset", method="POST")
    assert urllib.request.urlopen(request).status == 200
    assert "QueueUrls" not in sqs.list_queues()
    assert sqs.create_queue(QueueName="q")


def test_faults_strike_as_they_are_told(server):
    sqs = client(server, config=boto3.session.Config(retries={"max_attempts": 0}))
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    fault = json.dumps({"verb": "send", "effect": "fail", "message": "no", "times": 1}).encode()
    target = server.url + "/_trunkline/faults"
    urllib.request.urlopen(urllib.request.Request(target, fault, method="POST"))
    with pytest.raises(ClientError) as caught:
        sqs.send_message(QueueUrl=url, MessageBody="a")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    sqs.send_message(QueueUrl=url, MessageBody="a")
    pause = json.dumps({"verb": "send", "effect": "delay", "delay": 0.3, "times": 1}).encode()
    urllib.request.urlopen(urllib.request.Request(target, pause, method="POST"))
    started = time.monotonic()
    sqs.send_message(QueueUrl=url, MessageBody="a")
    assert time.monotonic() - started >= 0.3


def ask(server, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def test_the_trace_of_a_message_is_told(server):
    sqs = client(server)
    url = sqs.create_queue(QueueName="traced")["QueueUrl"]
    assert ask(server, "/_trunkline/trace")["rate"] == 0
    assert ask(server, "/_trunkline/trace", {"mode": "on"})["rate"] == 1
    sent = sqs.send_message(QueueUrl=url, MessageBody="a")
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    traced = ask(server, "/_trunkline/trace/" + sent["MessageId"])
    whats = [(entry["what"], entry["kind"], entry["name"]) for entry in traced["entries"]]
    assert whats == [(what, "queue", "traced") for what in ("accepted", "received", "deleted")]
    assert ask(server, "/_trunkline/trace/no%20such%20id")["entries"] == []
    ask(server, "/_trunkline/trace", {"mode": 0.5, "max_bytes": 1 << 20})
    assert ask(server, "/_trunkline/trace")["max_bytes"] == 1 << 20
    for bad in ({"mode": "yes"}, {"mode": 2}, {}, {"mode": "on", "max_bytes": 0}):
        with pytest.raises(urllib.error.HTTPError, match="400"):
            ask(server, "/_trunkline/trace", bad)
    ask(server, "/_trunkline/trace", {"mode": "off"})


def test_the_virtual_clock_ends_long_polls_and_leases(tmp_path):
    with trunkline.open(clock=trunkline.VirtualClock()) as engine, Server(engine, port=0) as server:
        sqs = client(server)
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="a", DelaySeconds=900)
        found = []
        poll = threading.Thread(
            target=lambda: found.append(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20))
        )
        poll.start()
        until_waiting(engine.queue("q"))

        def advance(seconds):
            body = json.dumps({"advance": seconds}).encode()
            target = server.url + "/_trunkline/clock"
            urllib.request.urlopen(urllib.request.Request(target, body, method="POST"))

        advance(21)
        poll.join(60)
        assert "Messages" not in found[0]
        advance(880)
        assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "a"


def test_an_engine_that_takes_no_writes_refuses_every_one_so_that_callers_try_again(tmp_path):
    with trunkline.open(tmp_path / "data") as engine:
        engine.queue("paid")
    with (
        trunkline.open(tmp_path / "data", read_only=True) as engine,
        Server(engine, port=0) as server,
    ):
        url = json.loads(call(server, "GetQueueUrl", {"QueueName": "paid"})[1])
        send = call(server, "SendMessage", {"QueueUrl": url["QueueUrl"], "MessageBody": "x"})
        create = call(server, "CreateQueue", {"QueueName": "open"})
        for status, body, _ in (send, create):
            told = json.loads(body)
            assert (status, told["__type"].rpartition("#")[2]) == (503, "ServiceUnavailable")
            assert told["message"].startswith("EngineReadOnly: ")
        verb = {"queue": "paid", "body": "x"}
        request = urllib.request.Request(
            f"{server.url}/_trunkline/api/send", json.dumps(verb).encode(), method="POST"
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=60)
        assert refused.value.code == 503
        assert json.load(refused.value)["error"] == "EngineReadOnly"
