"""Connections with OAuth client credentials, parameters of calls, and rates of API destinations."""

from __future__ import annotations

import json

import pytest
from event_calls import PAID, QUEUE_ARN, arn, entry
from http_endpoint import Endpoint
from pipe_calls import wait_until

SECRET = "quite-hidden"


class Tokens(Endpoint):
    """An authorization server for one client."""

    def __init__(self, **more):
        super().__init__(self._give)
        self.given = []
        self.more = more

    def _give(self, request):
        form = request.form if request.method != "POST" or request.body[:1] != b"{" else {}
        if not form:
            form = json.loads(request.body)
        if form.get("client_secret") != SECRET or form["grant_type"] != "client_credentials":
            return 401, b'{"error":"invalid_client"}'
        self.given.append(f"token-{len(self.given)}")
        told = {"access_token": self.given[-1], "token_type": "bearer"} | self.more
        return 200, json.dumps(told).encode()


@pytest.fixture
def tokens():
    with Tokens() as server:
        yield server


@pytest.fixture
def hook():
    with Endpoint() as server:
        yield server


def parameters(tokens, secret=SECRET, method="POST", **more):
    client = {"ClientID": "me", "ClientSecret": secret}
    return {
        "OAuthParameters": {
            "ClientParameters": client,
            "AuthorizationEndpoint": f"{tokens.url}/token",
            "HttpMethod": method,
        }
        | more
    }


def connect_to(events, name, auth, kind="OAUTH_CLIENT_CREDENTIALS"):
    made = events.create_connection(Name=name, AuthorizationType=kind, AuthParameters=auth)
    if kind == "OAUTH_CLIENT_CREDENTIALS":
        assert made["ConnectionState"] == "AUTHORIZING"
    return made["ConnectionArn"]


def lead(events, connection, url, name="d", own=None, rate=300, **target):
    made = events.create_api_destination(
        Name=name,
        ConnectionArn=connection,
        HttpMethod="POST",
        InvocationEndpoint=url,
        InvocationRateLimitPerSecond=rate,
    )
    events.put_rule(Name=name, EventPattern=PAID)
    target = {"Id": "t", "Arn": made["ApiDestinationArn"], "HttpParameters": own or {}} | target
    assert events.put_targets(Rule=name, Targets=[target])["FailedEntryCount"] == 0


def state_of(events, name="c"):
    return events.describe_connection(Name=name)["ConnectionState"]


def test_a_token_is_asked_for_once_and_sent_with_each_call(events, tokens, hook):
    lead(events, connect_to(events, "c", parameters(tokens)), hook.url)
    events.put_events(Entries=[entry({"n": n}) for n in range(5)])
    hook.wait(5)
    assert {request.headers["authorization"] for request in hook.got} == {"Bearer token-0"}
    assert len(tokens.given) == 1
    assert tokens.got[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert state_of(events) == "AUTHORIZED"
    assert events.describe_api_destination(Name="d")["ApiDestinationState"] == "ACTIVE"


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_the_request_for_a_token_has_the_parameters_of_the_connection(events, tokens, method):
    more = {
        "HeaderParameters": [{"Key": "X-A", "Value": "1", "IsValueSecret": True}],
        "QueryStringParameters": [{"Key": "q", "Value": "a b"}],
        "BodyParameters": [{"Key": "scope", "Value": "all"}],
    }
    connect_to(events, "c", parameters(tokens, method=method, OAuthHttpParameters=more))
    tokens.wait()
    (request,) = tokens.got
    assert (request.method, request.headers["x-a"]) == (method, "1")
    assert request.form.items() >= {("scope", "all"), ("client_id", "me")}
    assert "q=a+b" in request.target
    shown = events.describe_connection(Name="c")["AuthParameters"]["OAuthParameters"]
    assert shown["OAuthHttpParameters"]["HeaderParameters"] == [
        {"Key": "X-A", "IsValueSecret": True}
    ]
    assert SECRET not in repr(shown)


def test_a_body_of_json_is_asked_for_by_its_header(events, tokens):
    header = {"HeaderParameters": [{"Key": "Content-Type", "Value": "application/json"}]}
    connect_to(events, "c", parameters(tokens, OAuthHttpParameters=header))
    wait_until(lambda: state_of(events) == "AUTHORIZED")
    assert json.loads(tokens.got[0].body)["client_secret"] == SECRET


@pytest.mark.parametrize("status", [401, 407])
def test_a_token_that_is_refused_is_replaced(events, clock, tokens, hook, status):
    hook.answer = lambda request: (
        (200, b"") if request.headers["authorization"] == "Bearer token-1" else (status, b"")
    )
    lead(events, connect_to(events, "c", parameters(tokens)), hook.url)
    events.put_events(Entries=[entry({"n": 1})])
    hook.wait()
    clock.advance(3_600)
    assert [request.headers["authorization"] for request in hook.got] == [
        "Bearer token-0",
        "Bearer token-1",
    ]
    assert len(tokens.given) == 2


def test_a_token_is_replaced_before_it_ends(events, clock, hook):
    with Tokens(expires_in=100) as tokens:
        lead(events, connect_to(events, "c", parameters(tokens)), hook.url)
        for seconds in (0, 89, 2):
            clock.advance(seconds)
            events.put_events(Entries=[entry()])
            hook.wait()
        assert [request.headers["authorization"][-1] for request in hook.got] == ["0", "0", "1"]


def test_without_a_token_events_wait_and_the_connection_says_why(events, clock, tokens, hook):
    lead(events, connect_to(events, "c", parameters(tokens, secret="wrong")), hook.url)
    events.put_events(Entries=[entry({"n": 1})])
    wait_until(lambda: state_of(events) == "DEAUTHORIZED")
    told = events.describe_connection(Name="c")
    assert "401" in told["StateReason"]
    assert events.describe_api_destination(Name="d")["ApiDestinationState"] == "INACTIVE"
    clock.advance(60)
    assert hook.got == []
    events.update_connection(Name="c", AuthParameters=parameters(tokens))
    wait_until(lambda: state_of(events) == "AUTHORIZED")
    clock.advance(3_600)
    assert [json.loads(request.body)["detail"]["n"] for request in hook.got] == [1]


@pytest.mark.parametrize(
    "answer",
    [
        (200, b"no json"),
        (200, b"{}"),
        (200, b'{"access_token": 7}'),
        (200, b'{"access_token": "a\\nb"}'),
        (200, b'{"access_token": "a", "expires_in": "soon"}'),
        (302, b""),
    ],
)
def test_an_authorization_server_that_answers_garbage_harms_nothing(events, answer):
    with Endpoint(lambda request: answer) as server:
        connect_to(events, "c", parameters(server))
        wait_until(lambda: state_of(events) == "DEAUTHORIZED")
        assert events.describe_connection(Name="c")["StateReason"].startswith("The authorization")


def test_an_authorization_server_at_a_metadata_address_is_not_asked(events, tokens):
    auth = parameters(tokens)
    auth["OAuthParameters"]["AuthorizationEndpoint"] = "http://169.254.169.254/token"
    connect_to(events, "c", auth)
    wait_until(lambda: "StateReason" in events.describe_connection(Name="c"))
    assert "may not be reached" in events.describe_connection(Name="c")["StateReason"]
    assert state_of(events) == "AUTHORIZING"


def test_an_authorization_server_that_fails_for_a_while_is_asked_again(events, clock, tokens, hook):
    give, tokens.answer = tokens.answer, lambda request: (503, b"")
    lead(events, connect_to(events, "c", parameters(tokens)), hook.url)
    events.put_events(Entries=[entry({"n": 1})])
    wait_until(lambda: "503" in events.describe_connection(Name="c").get("StateReason", ""))
    assert state_of(events) == "AUTHORIZING"
    tokens.answer = give
    clock.advance(3_600)
    assert state_of(events) == "AUTHORIZED"
    assert len(hook.got) == 1


KEY = {"ApiKeyAuthParameters": {"ApiKeyName": "x-key", "ApiKeyValue": "k"}}


def test_values_are_taken_from_the_event(events, hook):
    shared = {
        "HeaderParameters": [{"Key": "X-Fixed", "Value": "connection"}],
        "BodyParameters": [{"Key": "extra", "Value": "e", "IsValueSecret": True}],
    }
    connection = connect_to(events, "c", KEY | {"InvocationHttpParameters": shared}, "API_KEY")
    own = {
        "PathParameterValues": ["$.detail.id", "end"],
        "HeaderParameters": {"x-fixed": "$.id", "x-sum": "$.detail.sum", "x-gone": "$.detail.no"},
        "QueryStringParameters": {"who": "$.detail.who", "still": "1"},
    }
    path = {"InputPath": "$.detail"}
    lead(events, connection, f"{hook.url}/orders/*/*", own=own, **path)
    detail = {"id": "a/b", "sum": 1.50, "who": "J & K"}
    events.put_events(Entries=[entry(detail)])
    hook.wait()
    (request,) = hook.got
    assert request.target == "/orders/a%2Fb/end?still=1&who=J%20%26%20K"
    assert (request.headers["x-fixed"], request.headers["x-sum"]) == ("connection", "1.5")
    assert "x-gone" not in request.headers
    assert json.loads(request.body) == detail | {"extra": "e"}
    assert "'e'" not in repr(events.describe_connection(Name="c")["AuthParameters"])


def test_a_header_that_an_event_breaks_becomes_a_dead_letter(events, engine, hook):
    dead = engine.queue("dead")
    connection = connect_to(events, "c", KEY, "API_KEY")
    own = {"HeaderParameters": {"x-name": "$.detail.name"}}
    lead(events, connection, hook.url, own=own, DeadLetterConfig={"Arn": arn("dead", "sqs")})
    events.put_events(Entries=[entry({"name": "a\r\nx-evil: 1"})])
    (letter,) = dead.receive(1, wait=20)
    assert json.loads(letter.body)["detail"]["name"].startswith("a")
    assert hook.got == []


def test_a_destination_is_called_as_often_as_it_may_be_and_slows_no_other(events, clock, hook):
    connection = connect_to(events, "c", KEY, "API_KEY")
    lead(events, connection, f"{hook.url}/slow", name="slow", rate=2)
    lead(events, connection, f"{hook.url}/fast", name="fast")

    def seen(path):
        return sum(request.path == path for request in list(hook.got))

    for _ in range(2):
        events.put_events(Entries=[entry({"n": n}) for n in range(10)])
    clock.advance(0.1)
    assert (seen("/slow"), seen("/fast")) == (1, 20)
    for seconds in range(1, 9):
        clock.advance(1)
        assert abs(seen("/slow") - 1 - 2 * seconds) <= 1, seconds
    clock.advance(2)
    assert seen("/slow") == 20
    assert events.describe_api_destination(Name="slow")["InvocationRateLimitPerSecond"] == 2


def test_two_rules_share_the_rate_of_their_destination(events, clock, hook):
    connection = connect_to(events, "c", KEY, "API_KEY")
    lead(events, connection, hook.url, rate=1)
    events.put_rule(Name="other", EventPattern=PAID)
    (target,) = events.list_targets_by_rule(Rule="d")["Targets"]
    events.put_targets(Rule="other", Targets=[target])
    events.put_events(Entries=[entry({"n": n}) for n in range(3)])
    clock.advance(0)
    assert len(hook.got) == 1
    clock.advance(3)
    assert len(hook.got) == 4


def test_the_default_bus_is_told_what_happens_to_connections(events, sqs, tokens):
    url = sqs.create_queue(QueueName="paid")["QueueUrl"]
    events.put_rule(Name="own", EventPattern=json.dumps({"source": ["aws.events"]}))
    events.put_targets(Rule="own", Targets=[{"Id": "q", "Arn": QUEUE_ARN}])
    connection = connect_to(events, "c", parameters(tokens))
    wait_until(lambda: state_of(events) == "AUTHORIZED")
    lead(events, connection, "https://example.com")
    events.deauthorize_connection(Name="c")
    events.delete_connection(Name="c")
    told = []
    while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        told += [json.loads(message["Body"]) for message in found]
    assert [event["detail-type"] for event in told] == [
        "Connection Creation Started",
        "Connection Authorization Started",
        "Connection Authorized",
        "API Destination Activated",
        "Connection Deauthorized",
        "API Destination Deactivated",
        "Connection Deletion Started",
    ]
    assert told[0]["resources"] == [connection]
    assert told[0]["detail"]["ConnectionName"] == "c"
