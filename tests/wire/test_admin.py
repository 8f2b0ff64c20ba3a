"""The operator's verbs over HTTP, who may call them, and what the server tells of itself."""

from __future__ import annotations

import http.client
import json
import urllib.request

import pytest

import trunkline
from trunkline.server import Server

API = "/_trunkline/api/"


def ask(server, path, body=b"{}", *, method="POST", host=None, **headers):
    connection = http.client.HTTPConnection(*server.address, timeout=30)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if host is not None:
        named["Host"] = host
    connection.request(method, path, body, named)
    response = connection.getresponse()
    told = response.status, response.read().decode()
    connection.close()
    return told


def test_verbs_are_posted_as_json(server, engine):
    engine.queue("orders").send("one coffee")
    status, text = ask(server, API + "peek", json.dumps({"queue": "orders"}))
    assert (status, json.loads(text)["messages"][0]["body"]) == (200, "one coffee")
    status, text = ask(server, API + "queues", b"")
    assert (status, json.loads(text)["total"]) == (200, 1)


@pytest.mark.parametrize(
    ("path", "body", "method", "status", "code"),
    [
        ("queues", b"", "GET", 405, "MethodNotAllowed"),
        ("sned", b"{}", "POST", 400, "ResourceNotFoundException"),
        ("", b"{}", "POST", 400, "ResourceNotFoundException"),
        ("queues", b"[]", "POST", 400, "InvalidParameterValue"),
        ("queues", b"{", "POST", 400, "InvalidParameterValue"),
        ("peek", b'{"queue":"nope"}', "POST", 400, "QueueDoesNotExist"),
        ("peek", b'{"queue":["nope"]}', "POST", 400, "InvalidParameterValue"),
    ],
)
def test_a_mistake_has_a_code(server, path, body, method, status, code):
    got, text = ask(server, API + path, body, method=method)
    assert (got, json.loads(text)["error"]) == (status, code)


# --- who may call ---------------------------------------------------------------------------------

OTHER_PAGES = [
    {"Origin": "https://evil.example"},
    # Another program of this machine serves this page.
    {"Origin": "http://localhost:3000"},
    {"Origin": "http://127.0.0.1:3000", "Sec_Fetch_Site": "same-site"},
    {"Origin": "null"},
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
    {"Referer": "http://localhost:3000/page"},
    {"User_Agent": "Mozilla/5.0"},
]


@pytest.mark.parametrize("headers", OTHER_PAGES)
@pytest.mark.parametrize("path", [API + "purge", "/_trunkline/reset", "/_trunkline/console"])
def test_a_page_of_another_origin_reaches_no_admin_path(server, engine, headers, path):
    queue = engine.queue("orders")
    queue.send("one coffee")
    status, text = ask(server, path, b'{"queue":"orders"}', **headers)
    assert (status, "AccessDenied" in text) == (403, True)
    assert queue.statistics().visible == 1
    if "Origin" in headers:
        assert ask(server, path, b"", method="OPTIONS", **headers)[0] == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:4566"])
def test_a_name_of_a_stranger_reaches_no_admin_path(server, host):
    assert ask(server, API + "queues", host=host)[0] == 403


def test_a_page_of_the_server_may_call(server):
    own = f"http://127.0.0.1:{server.address[1]}"
    for headers in (
        {"Origin": own, "Sec_Fetch_Site": "same-origin"},
        {"Origin": own},
        {"Sec_Fetch_Site": "same-origin"},
        {"Sec_Fetch_Site": "none"},
        {},
    ):
        assert ask(server, API + "queues", **headers)[0] == 200, headers


def test_an_origin_that_is_allowed_by_name_may_call(engine):
    with Server(engine, port=0, origins=["https://tools.example"]) as server:
        assert ask(server, API + "queues", Origin="https://tools.example")[0] == 200
        assert ask(server, API + "queues", Origin="https://other.example")[0] == 403


def test_beyond_this_machine_a_token_is_needed(engine):
    with Server(engine, host="0.0.0.0", port=0) as server:
        assert ask(server, API + "queues", host="localhost")[0] == 403
    with Server(engine, host="0.0.0.0", port=0, admin_token="secret") as server:
        assert ask(server, API + "queues", host="localhost")[0] == 403
        wrong, right = {"Authorization": "Bearer guess"}, {"Authorization": "Bearer secret"}
        assert ask(server, API + "queues", host="localhost", **wrong)[0] == 403
        assert ask(server, API + "queues", host="localhost", **right)[0] == 200


# --- what it tells --------------------------------------------------------------------------------


def metrics(server):
    lines = ask(server, "/metrics", b"", method="GET")[1].splitlines()
    assert lines[-1] == "# EOF"
    return lines


def value(lines, start):
    found = [line for line in lines if line.startswith(start)]
    assert len(found) == 1, (start, found)
    return float(found[0].rsplit(" ", 1)[1])


def test_metrics_tell_requests_errors_and_durations(server, sqs_of):
    sqs = sqs_of(server)
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    for _ in range(3):
        sqs.send_message(QueueUrl=url, MessageBody="a")
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.send_message(QueueUrl=url + "x", MessageBody="a")
    lines = metrics(server)
    labels = '{service="sqs",operation="SendMessage"'
    assert value(lines, f"trunkline_requests_total{labels}}}") == 4
    assert value(lines, f'trunkline_request_errors_total{labels},side="client"}}') == 1
    assert value(lines, f'trunkline_request_errors_total{labels},side="server"}}') == 0
    assert value(lines, f"trunkline_request_duration_seconds_count{labels}}}") == 4
    labels = '{service="sqs",operation="CreateQueue"'
    assert value(lines, f"trunkline_requests_total{labels}}}") == 1


def test_every_family_has_help_and_a_type(server, engine):
    for kind in ("queue", "topic", "bus", "stream", "bucket"):
        getattr(engine, kind)("x1z")
    lines = metrics(server)
    families = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    helped = {line.split()[2] for line in lines if line.startswith("# HELP")}
    assert families == helped
    wanted = ("queue_messages", "topic_messages", "bus_events", "stream_records", "bucket_bytes")
    assert {f"trunkline_{name}" for name in wanted} <= families


def test_metrics_tell_the_age_of_the_oldest_message(clock, engine, server):
    engine.queue("orders").send("a")
    clock.advance(90)
    labels = '{account="000000000000",region="us-east-1",queue="orders"}'
    assert value(metrics(server), f"trunkline_queue_oldest_message_age_seconds{labels}") == 90


def test_metrics_tell_the_journal(tmp_path):
    with trunkline.open(tmp_path) as engine, Server(engine, port=0) as server:
        before = metrics(server)
        engine.queue("orders").send("a" * 1_000)
        after = metrics(server)
        for name in ("appended_bytes_total", "syncs_total", "bytes", "replay_bytes"):
            name = f"trunkline_journal_{name} "
            assert value(after, name) > value(before, name), name
        assert value(after, "trunkline_journal_segments ") == 1


@pytest.fixture
def sqs_of():
    boto3 = pytest.importorskip("boto3")

    def make(server, service="sqs"):
        return boto3.session.Session().client(
            service,
            region_name="us-east-1",
            endpoint_url=server.url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    return make


@pytest.mark.parametrize(
    ("service", "operation", "given"),
    [
        ("dynamodb", "list_tables", {}),  # JSON
        ("cloudformation", "list_stacks", {}),  # query
        ("batch", "describe_job_queues", {}),  # REST with JSON
        ("route53", "list_hosted_zones", {}),  # REST with XML
        ("cloudwatch", "list_metrics", {}),  # CBOR or query, as botocore likes
    ],
)
def test_what_is_not_served_is_named_in_its_own_protocol(server, sqs_of, service, operation, given):
    from botocore.exceptions import ClientError

    client = sqs_of(server, service)
    with pytest.raises(ClientError) as caught:
        getattr(client, operation)(**given)
    error = caught.value.response["Error"]
    name = {"cloudwatch": "monitoring"}.get(service, service)
    assert error["Message"].startswith(f"{name} is not served by Trunkline "), error
    assert "; served: sqs, " in error["Message"]
    assert error["Code"] in ("UnknownOperationException", "InvalidAction")
    assert value(metrics(server), "trunkline_unserved_requests_total ") >= 1


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_of_the_admin_token_has_no_case(engine, scheme):
    with Server(engine, port=0, admin_token="secret") as server:
        headers = {"Authorization": f"{scheme} secret"}
        request = urllib.request.Request(server.url + "/_trunkline/trace", headers=headers)
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 200


@pytest.mark.parametrize(
    "origin",
    ["\n", "", "app.example.com", "https://", "https://a.example/", "https://a.example\n", "null"],
)
def test_an_origin_that_no_browser_sends_is_refused(engine, origin):
    with pytest.raises(ValueError, match="is none that a browser sends; use"):
        Server(engine, port=0, origins=[origin])
    for known in ("*", "https://a.example:8443", "chrome-extension://abc", "http://[::1]:3000"):
        Server(engine, port=0, origins=[known]).stop()


@pytest.mark.parametrize("token", ["", "a\nb", "caf\u00e9"])
def test_an_admin_token_that_no_caller_can_send_is_refused(engine, token):
    with pytest.raises(ValueError, match="admin_token must"):
        Server(engine, port=0, admin_token=token)


def test_a_password_in_an_address_of_mails_is_not_repeated(engine):
    with pytest.raises(ValueError, match="--smtp cannot be read") as caught:
        Server(engine, port=0, smtp="smtp://me:s3cret/@127.0.0.1")
    assert "s3cret" not in str(caught.value)


def test_metrics_of_many_queues_are_short_and_their_sums_right(engine, server):
    for number in range(1_005):
        queue = engine.queue(f"q{number}")
        if number < 3:
            queue.send("a")
    lines = [line for line in metrics(server) if line.startswith("trunkline_queue_messages{")]
    visible = [line for line in lines if 'state="visible"' in line]
    assert (len(visible), sum(int(line.split()[-1]) for line in visible)) == (1_001, 3)
    assert visible[-1].startswith('trunkline_queue_messages{account="*",region="*",queue="*"')
    path = "/_trunkline/metrics/per-object"
    every = ask(server, path, b"", method="GET")[1].splitlines()
    visible = [line for line in every if "queue_messages" in line and 'state="visible"' in line]
    assert len(visible) == 1_005
