"""Access to the server: web pages, DNS rebinding, proxies, and the paths of operators."""

from __future__ import annotations

import http.client
import json
import socket
from urllib.parse import urlencode

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from trunkline.server import Server

CREATE = "/?Action=CreateQueue&QueueName=q&Version=2012-11-05"
RESET = "/_trunkline/reset"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"}
IMAGE = BROWSER | {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
KEY = Credentials("test", "test")


def ask(server, method, target, body=None, *, host="localhost", **headers):
    connection = http.client.HTTPConnection(*server.address, timeout=60)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, target, body, {"Host": host} | headers)
    response = connection.getresponse()
    answer = response.status, response.read().decode(), dict(response.getheaders())
    connection.close()
    return answer


def status(*arguments, **options):
    return ask(*arguments, **options)[0]


def has_queue(engine):
    return bool(engine.queues())


@pytest.mark.parametrize(
    "headers",
    [
        IMAGE,
        BROWSER,
        BROWSER | {"Sec-Fetch-Site": "same-site"},
        {"Referer": "https://evil.example/page"},
        {"Origin": "https://evil.example"},
        {},
    ],
)
def test_an_image_tag_makes_no_queue(server, engine, headers):
    got, text, _ = ask(server, "GET", CREATE, **headers)
    assert (got, has_queue(engine)) == (403, False)
    assert "AccessDenied" in text


def test_a_query_that_only_looks_signed_is_no_way_for_an_image(server, engine):
    request = AWSRequest("GET", server.url + CREATE, data=b"")
    SigV4QueryAuth(KEY, "sqs", "us-east-1").add_auth(request)
    target = request.url.removeprefix(server.url)
    assert status(server, "GET", target, **IMAGE) == 403
    assert status(server, "GET", target, **BROWSER) == 403
    assert not has_queue(engine)
    # A program uses a presigned address as it is meant.
    assert status(server, "GET", target) == 200
    assert has_queue(engine)


def test_a_page_of_the_server_may_write_by_get(server, engine):
    assert status(server, "GET", CREATE, **BROWSER, Sec_Fetch_Site="same-origin") == 200
    assert has_queue(engine)


def test_an_address_that_is_opened_in_a_browser_only_reads(server, engine):
    # Typed, or a link in a document or a mail of a stranger: the browser says the same of both.
    opened = BROWSER | {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}
    assert status(server, "GET", CREATE, **opened) == 403
    request = AWSRequest("GET", server.url + CREATE, data=b"")
    SigV4QueryAuth(KEY, "sqs", "us-east-1").add_auth(request)
    assert status(server, "GET", request.url.removeprefix(server.url), **opened) == 403
    assert not has_queue(engine)
    assert status(server, "GET", "/?Action=ListQueues", **opened) == 200
    assert status(server, "GET", "/_trunkline", **opened) == 200


def test_a_request_has_one_host(server):
    lines = ["GET /?Action=ListQueues HTTP/1.1", "Host: localhost", "Host: evil.example"]
    with socket.create_connection(server.address, timeout=60) as connection:
        connection.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"Host must be sent once." in answer


def test_a_signed_get_and_an_unsigned_post_work_without_ceremony(server, engine):
    request = AWSRequest("GET", server.url + CREATE, data=b"")
    SigV4Auth(KEY, "sqs", "us-east-1").add_auth(request)
    assert status(server, "GET", CREATE, **dict(request.headers)) == 200
    body = urlencode({"Action": "SendMessage", "QueueUrl": "q", "MessageBody": "a"})
    assert status(server, "POST", "/", body, **FORM, **{"User-Agent": "curl/8.5.0"}) == 200
    assert status(server, "GET", "/?Action=ListQueues") == 200
    assert status(server, "GET", "/?Action=ReceiveMessage&QueueUrl=q") == 403
    assert engine.queue("q").statistics().visible == 1


@pytest.mark.parametrize(
    "path", ["/", RESET, "/_trunkline/faults", "/metrics", "/_aws/sqs/messages"]
)
@pytest.mark.parametrize("host", ["evil.example", "evil.example:4566", "127.0.0.1.evil.example"])
def test_a_name_that_a_stranger_points_here_gets_no_answer(server, path, host):
    got, text, _ = ask(server, "POST", path, "Action=ListQueues", host=host, **FORM)
    assert got == 403
    assert "--allowed-host" in text


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1:4566",
        "[::1]",
        "trunkline:4566",
        "sqs.us-east-1.amazonaws.com",
        "sqs.us-east-1.localhost.localstack.cloud:4566",
        "host.docker.internal",
    ],
)
def test_the_names_that_clients_use_are_answered(server, host):
    assert status(server, "POST", "/", "Action=ListQueues", host=host, **FORM) == 200


def test_names_and_origins_can_be_allowed(engine):
    allowed = {"hosts": ["queues.example.com"], "origins": ["https://app.example.com"]}
    with Server(engine, port=0, **allowed) as server:
        assert status(server, "POST", RESET, host="queues.example.com:4566") == 200
        assert status(server, "POST", RESET, host="other.example.com") == 403
        page = {"Origin": "https://app.example.com", "Sec-Fetch-Site": "cross-site"}
        got, _, headers = ask(server, "OPTIONS", "/", **page)
        assert (got, headers["access-control-allow-origin"]) == (204, page["Origin"])
        assert status(server, "POST", "/", "Action=ListQueues", **FORM, **page) == 200
        page["Origin"] = "http://queues.example.com:4566"
        assert status(server, "POST", RESET, host="queues.example.com:4566", **page) == 200


ADMIN = [
    ("POST", RESET),
    ("POST", "/moto-api/reset"),
    ("POST", "/_localstack/state/reset"),
    ("GET", "/_trunkline/faults"),
    ("POST", "/_trunkline/clock"),
    ("GET", "/metrics"),
    ("GET", "/_trunkline/metrics"),
    ("GET", "/_aws/sqs/messages?QueueUrl=q"),
    ("GET", "/_localstack/anything"),
]


@pytest.mark.parametrize(("method", "target"), ADMIN)
def test_an_address_proves_nothing_to_the_paths_of_the_operator(engine, method, target):
    strict = {"auth": "strict", "credentials": [("k", "s", None, None)]}
    bearer = {"Authorization": "Bearer secret"}
    for options in (strict, {"host": "0.0.0.0"}):
        with Server(engine, port=0, **options) as server:
            got, text, _ = ask(server, method, target)
            assert got == 403
            assert "start the server with --admin-token" in text
            assert status(server, method, target, **bearer) == 403
        with Server(engine, port=0, admin_token="secret", **options) as server:
            assert status(server, method, target) == 403
            assert status(server, method, target, Authorization="Bearer Secret") == 403
            assert status(server, method, target, Authorization="secret") == 403
            assert status(server, method, target, **bearer) != 403
            assert status(server, "GET", "/_trunkline/health") == 200
    with Server(engine, port=0) as server:
        assert status(server, method, target, X_Forwarded_For="192.0.2.1") == 403
        assert status(server, method, target) != 403


def test_a_proxy_is_believed_only_if_it_is_trusted(engine):
    forwarded = {"X-Forwarded-Proto": "https"}
    create = ("POST", "/", "Action=CreateQueue&QueueName=q")
    with Server(engine, port=0) as server:
        assert "<QueueUrl>http://" in ask(server, *create, **FORM, **forwarded)[1]
    with Server(engine, port=0, trusted_proxies=["127.0.0.0/8"]) as server:
        assert "<QueueUrl>https://" in ask(server, *create, **FORM, **forwarded)[1]
    with pytest.raises(ValueError, match="is no IP address or network"):
        Server(engine, port=0, trusted_proxies=["10.0.0.0/99"])


def test_what_a_policy_says_about_transport_is_not_what_a_caller_says(engine):
    account = "111111111111"
    known = [("AKIAOWNER", "secret", None, account)]
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:SendMessage",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    policy = json.dumps({"Statement": [statement]})

    def call(server, operation, given, **headers):
        body = json.dumps(given).encode()
        given_headers = {
            "X-Amz-Target": f"AmazonSQS.{operation}",
            "Content-Type": "application/x-amz-json-1.0",
        }
        request = AWSRequest("POST", server.url + "/", data=body, headers=given_headers)
        SigV4Auth(Credentials("AKIAOWNER", "secret"), "sqs", "us-east-1").add_auth(request)
        host = "{}:{}".format(*server.address)
        return status(server, "POST", "/", body, host=host, **dict(request.headers), **headers)

    send = {"QueueUrl": "q", "MessageBody": "a"}
    claimed = {"X-Forwarded-Proto": "https"}
    with Server(engine, port=0, auth="strict", credentials=known) as server:
        attributes = {"Policy": policy}
        assert call(server, "CreateQueue", {"QueueName": "q", "Attributes": attributes}) == 200
        assert call(server, "SendMessage", send) == 403
        assert call(server, "SendMessage", send, **claimed) == 403
    behind = {"trusted_proxies": ["127.0.0.1"], "credentials": known}
    with Server(engine, port=0, auth="strict", **behind) as server:
        assert call(server, "SendMessage", send) == 403
        assert call(server, "SendMessage", send, **claimed) == 200


def test_a_path_tells_which_methods_it_takes(server):
    for target, allowed in (
        (RESET, "POST"),
        ("/_trunkline/clock", "GET, POST"),
        ("/_trunkline/health", "GET, HEAD"),
        ("/metrics", "GET"),
    ):
        got, text, headers = ask(server, "PUT", target)
        assert (got, headers["allow"]) == (405, allowed)
        assert json.loads(text)["message"] == f"{target} takes {allowed}."
    assert status(server, "POST", "/_trunkline/nothing") == 404


def test_a_clock_that_would_go_beyond_its_last_year_is_refused(server):
    for body, why in (
        ({"advance": "10 parsecs"}, "advance must be a number of seconds"),
        ({"advance": 1e12}, "The clock may go to the year 2096 at most"),
        ({"to": "2110-01-01T00:00:00Z"}, "The clock may go to the year 2096 at most"),
    ):
        got, text, _ = ask(server, "POST", "/_trunkline/clock", json.dumps(body))
        assert got == 400
        assert json.loads(text)["message"].startswith(why)
