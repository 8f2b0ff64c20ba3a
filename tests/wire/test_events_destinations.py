"""Connections and API destinations of EventBridge over the wire."""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from event_calls import PAID, arn, entry, refused


@pytest.fixture
def endpoint():
    """An endpoint that notes what it gets: its address, and the list of what came."""
    got, came = [], threading.Semaphore(0)

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append((self.command, self.path, dict(self.headers), body))
            self.send_response(200)
            self.end_headers()
            came.release()

        do_PUT = do_POST = answer  # noqa: N815

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", got, came
    server.shutdown()
    server.server_close()


def connect_to(events, url, kind="API_KEY", **parameters):
    connection = events.create_connection(
        Name="c", AuthorizationType=kind, AuthParameters=parameters
    )
    assert connection["ConnectionState"] == "AUTHORIZED"
    destination = events.create_api_destination(
        Name="d",
        ConnectionArn=connection["ConnectionArn"],
        HttpMethod="PUT",
        InvocationEndpoint=url + "/orders/*",
    )
    events.put_rule(Name="r", EventPattern=PAID)
    target = {
        "Id": "t",
        "Arn": destination["ApiDestinationArn"],
        "HttpParameters": {
            "PathParameterValues": ["a b"],
            "HeaderParameters": {"x-own": "1", "x-both": "target"},
            "QueryStringParameters": {"q": "2"},
        },
    }
    assert events.put_targets(Rule="r", Targets=[target])["FailedEntryCount"] == 0
    return destination


KEY = {"ApiKeyName": "x-key", "ApiKeyValue": "hidden"}


def test_an_endpoint_is_called_as_its_connection_says(events, endpoint):
    url, got, came = endpoint
    shared = {"HeaderParameters": [{"Key": "x-both", "Value": "connection"}]}
    connect_to(events, url, ApiKeyAuthParameters=KEY, InvocationHttpParameters=shared)
    events.put_events(Entries=[entry({"n": 1})])
    assert came.acquire(timeout=60)
    method, path, headers, body = got[0]
    assert (method, path) == ("PUT", "/orders/a%20b?q=2")
    lower = {name.lower(): value for name, value in headers.items()}
    assert (lower["x-key"], lower["x-own"], lower["x-both"]) == ("hidden", "1", "connection")
    assert lower["user-agent"] == "Amazon/EventBridge/ApiDestinations"
    assert lower["content-type"] == "application/json; charset=utf-8"
    assert (lower["range"], lower["accept-encoding"]) == ("bytes=0-1048575", "gzip,deflate")
    assert json.loads(body)["detail"] == {"n": 1}


def test_the_headers_of_a_connection_replace_those_that_are_sent_to_all(events, endpoint):
    url, got, came = endpoint
    own = {"HeaderParameters": [{"Key": "Content-Type", "Value": "text/plain"}]}
    connect_to(events, url, ApiKeyAuthParameters=KEY, InvocationHttpParameters=own)
    events.put_events(Entries=[entry()])
    assert came.acquire(timeout=60)
    types = [value for name, value in got[0][2].items() if name.lower() == "content-type"]
    assert types == ["text/plain"]


def test_a_changed_connection_holds_for_the_targets_that_use_it(events, endpoint):
    url, got, came = endpoint
    connect_to(events, url, ApiKeyAuthParameters=KEY)
    basic = {"BasicAuthParameters": {"Username": "u", "Password": "p"}}
    events.update_connection(Name="c", AuthorizationType="BASIC", AuthParameters=basic)
    events.update_api_destination(Name="d", HttpMethod="POST")
    events.put_events(Entries=[entry()])
    assert came.acquire(timeout=60)
    method, _, headers, _ = got[0]
    assert method == "POST"
    lower = {name.lower(): value for name, value in headers.items()}
    assert lower["authorization"] == "Basic " + base64.b64encode(b"u:p").decode()
    assert "x-key" not in lower


@pytest.mark.parametrize("end", ["deauthorize_connection", "delete_connection"])
def test_without_its_secrets_a_connection_calls_nothing(events, engine, endpoint, end):
    url, got, _ = endpoint
    dead = engine.queue("dead")
    lead_to_dead_letters(events, connect_to(events, url, ApiKeyAuthParameters=KEY))
    getattr(events, end)(Name="c")
    assert events.describe_api_destination(Name="d")["ApiDestinationState"] == "INACTIVE"
    events.put_events(Entries=[entry({"n": 1})])
    (letter,) = dead.receive(1, wait=20)
    assert json.loads(letter.body)["detail"] == {"n": 1}
    assert "connection" in letter.attributes["ERROR_MESSAGE"].lower()
    assert got == []


def test_a_deauthorized_connection_that_is_updated_calls_again(events, endpoint):
    url, got, came = endpoint
    connect_to(events, url, ApiKeyAuthParameters=KEY)
    events.deauthorize_connection(Name="c")
    events.update_connection(Name="c", AuthParameters={"ApiKeyAuthParameters": KEY})
    assert events.describe_api_destination(Name="d")["ApiDestinationState"] == "ACTIVE"
    events.put_events(Entries=[entry()])
    assert came.acquire(timeout=60)
    assert {name.lower() for name in got[0][2]} >= {"x-key"}


def test_a_deleted_destination_is_called_no_more(events, engine, endpoint):
    url, got, _ = endpoint
    dead = engine.queue("dead")
    lead_to_dead_letters(events, connect_to(events, url, ApiKeyAuthParameters=KEY))
    events.delete_api_destination(Name="d")
    events.put_events(Entries=[entry()])
    (letter,) = dead.receive(1, wait=20)
    assert "deleted" in letter.attributes["ERROR_MESSAGE"]
    assert got == []


def test_a_change_that_a_target_cannot_follow_changes_nothing(events, endpoint):
    url, got, came = endpoint
    connect_to(events, url, ApiKeyAuthParameters=KEY)
    lines = [{"Key": f"x-{n}", "Value": "v"} for n in range(70)]
    bad = {
        "ApiKeyAuthParameters": {"ApiKeyName": "x-key", "ApiKeyValue": "other"},
        "InvocationHttpParameters": {"HeaderParameters": lines},
    }
    refused(events.update_connection, "ValidationException", Name="c", AuthParameters=bad)
    events.update_connection(Name="c", Description="d")
    events.put_events(Entries=[entry()])
    assert came.acquire(timeout=60)
    lower = {name.lower(): value for name, value in got[0][2].items()}
    assert lower["x-key"] == "hidden"


@pytest.mark.parametrize("resource", ["api-destination", "api-destination/", "api-destination/a"])
def test_a_destination_that_is_none_is_refused(events, resource):
    events.put_rule(Name="r", EventPattern=PAID)
    answer = events.put_targets(Rule="r", Targets=[{"Id": "t", "Arn": arn(resource)}])
    (failed,) = answer["FailedEntries"]
    assert failed["ErrorCode"] == "ResourceNotFoundException"


def lead_to_dead_letters(events, destination):
    target = {
        "Id": "t",
        "Arn": destination["ApiDestinationArn"],
        "DeadLetterConfig": {"Arn": arn("dead", "sqs")},
    }
    assert events.put_targets(Rule="r", Targets=[target])["FailedEntryCount"] == 0


def test_no_answer_shows_a_secret(events, endpoint):
    connect_to(events, endpoint[0], ApiKeyAuthParameters=KEY)
    answers = [
        events.describe_connection(Name="c"),
        events.list_connections(),
        events.describe_api_destination(Name="d"),
        events.list_targets_by_rule(Rule="r"),
        events.deauthorize_connection(Name="c"),
    ]
    assert answers[0]["AuthParameters"] == {"ApiKeyAuthParameters": {"ApiKeyName": "x-key"}}
    assert "hidden" not in repr(answers)


def test_what_is_gone_is_not_found(events):
    text = "Failed to describe the connection(s). Connection 'x' does not exist."
    refused(events.describe_connection, "ResourceNotFoundException", text, Name="x")
    text = "Failed to describe the api-destination(s). An api-destination 'x' does not exist."
    refused(events.describe_api_destination, "ResourceNotFoundException", text, Name="x")
