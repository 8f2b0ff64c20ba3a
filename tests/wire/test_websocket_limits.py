"""The bounds of WebSocket APIs, who may connect to them, and what they may consist of."""

from __future__ import annotations

from contextlib import suppress

import pytest
from socket_front import FUNCTION, PATIENCE, SocketFront, ask
from websockets.exceptions import ConnectionClosed, InvalidStatus

from trunkline.server import Server

FRAME = 32 * 1024


@pytest.fixture
def front(engine, server):
    front = SocketFront(engine, server)
    front.answer = lambda event: {"statusCode": 200, "body": str(len(event.get("body", "")))}
    front.route("$default", replies=True)
    return front


def closed(socket):
    """The code with which the server ends a connection."""
    with pytest.raises(ConnectionClosed):
        socket.recv(timeout=PATIENCE)
    return socket.close_code


def test_a_message_of_four_frames_passes(front):
    with front.connect() as socket:
        socket.send(["x" * FRAME] * 4)
        assert socket.recv(timeout=PATIENCE) == str(4 * FRAME)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("x" * (FRAME + 1), 1009),
        (["x" * FRAME] * 4 + ["x"], 1009),
        (b"bytes", 1003),
    ],
    ids=["long frame", "long message", "binary"],
)
def test_what_is_too_long_or_no_text_ends_the_connection(front, sent, code):
    front.route("$disconnect")
    with front.connect() as socket:
        with suppress(ConnectionClosed):
            socket.send(sent)
        assert closed(socket) == code
    assert front.wait("DISCONNECT")[0]["requestContext"]["disconnectStatusCode"] == code


def test_a_connection_ends_when_nothing_has_come_for_ten_minutes(engine, clock, server):
    front = SocketFront(engine, server)
    front.route("$disconnect")
    with front.connect() as socket:
        clock.advance(599)
        socket.ping().wait(PATIENCE)
        clock.advance(599)
        socket.ping().wait(PATIENCE)
        clock.advance(600)
        assert closed(socket) == 1001
    assert front.wait("DISCONNECT")[0]["requestContext"]["disconnectStatusCode"] == 1001


def test_a_connection_lasts_two_hours_at_most(engine, clock, server):
    front = SocketFront(engine, server)
    with front.connect() as socket:
        for _ in range(12):
            clock.advance(599)
            socket.ping().wait(PATIENCE)
        clock.advance(13)
        assert closed(socket) == 1001


def test_pages_of_every_origin_connect_and_none_but_our_own_manages_connections(front):
    front.route("$connect")
    page = {"origin": "https://shop.example", "sec_fetch_site": "cross-site"}
    with front.connect(origin=page["origin"]) as socket:
        socket.send("x")
        assert socket.recv(timeout=PATIENCE) == "1"
        id = front.wait("CONNECT")[0]["requestContext"]["connectionId"]
        for api in (front.api, "other"):
            managed = f"{front.url}/_aws/execute-api/{api}/dev/@connections/{id}"
            status, told = ask(managed, b"{}", **page)
            assert status == 403
            assert "access-control-allow-origin" not in told
        assert ask(f"{front.url}/_trunkline/reset", b"{}", **page)[0] == 403
        # The connection was neither written to nor ended.
        socket.send("xy")
        assert socket.recv(timeout=PATIENCE) == "2"


def test_a_request_that_is_no_handshake_is_told_so(front):
    url = f"{front.url}/_aws/execute-api/{front.api}/dev"
    status, told = ask(url, upgrade="websocket", sec_websocket_version="12")
    assert (status, told["sec-websocket-version"]) == (400, None)


def test_management_needs_a_signature_where_signatures_are_proved(engine):
    known = [("000000000000", "secret", None, None)]
    with Server(engine, port=0, auth="strict", credentials=known) as server:
        front = SocketFront(engine, server)
        front.route("$connect")
        with front.connect() as socket:
            id = front.wait("CONNECT")[0]["requestContext"]["connectionId"]
            url = f"{front.url}/_aws/execute-api/{front.api}/dev/@connections/{id}"
            for target in (url, url.replace(id, "other=")):
                assert ask(target, b"x")[0] == 403
            front.connections.post_to_connection(ConnectionId=id, Data=b"signed")
            assert socket.recv(timeout=PATIENCE) == "signed"


def test_a_signature_lets_in_where_the_route_asks_for_one(engine, server):
    front = SocketFront(engine, server)
    front.route("$connect", AuthorizationType="AWS_IAM")
    with pytest.raises(InvalidStatus) as refused:
        front.connect()
    assert refused.value.response.status_code == 403


API = {"Name": "w", "ProtocolType": "WEBSOCKET"}
REFUSED = {
    "selection": ("create_api", API, "RouteSelectionExpression"),
    "cors": (
        "create_api",
        API | {"RouteSelectionExpression": "$request.body.a", "CorsConfiguration": {"MaxAge": 1}},
        "CorsConfiguration",
    ),
    "target": (
        "create_api",
        API | {"RouteSelectionExpression": "$request.body.a", "Target": FUNCTION},
        "HTTP APIs",
    ),
    "route": ("create_route", {"RouteKey": "$other"}, "route key"),
    "authorization": (
        "create_route",
        {"RouteKey": "join", "AuthorizationType": "AWS_IAM"},
        r"\$connect route only",
    ),
    "key": ("create_route", {"RouteKey": "join", "ApiKeyRequired": True}, "ApiKeyRequired"),
    "stage": ("create_stage", {"StageName": "$default"}, "HTTP APIs only"),
    "subtype": (
        "create_integration",
        {"IntegrationType": "AWS_PROXY", "IntegrationSubtype": "SQS-SendMessage"},
        "IntegrationSubtype",
    ),
    "service": (
        "create_integration",
        {"IntegrationType": "AWS", "IntegrationUri": "arn:aws:sqs:us-east-1:0:q"},
        "IntegrationUri",
    ),
    "template": (
        "create_integration",
        {"IntegrationType": "MOCK", "RequestTemplates": {"$default": "#if"}},
        "template",
    ),
    "mapping": (
        "create_integration",
        {"IntegrationType": "MOCK", "RequestParameters": {"integration.request.header.x": "y"}},
        "mapping expression",
    ),
    "authorizer": (
        "create_authorizer",
        {
            "AuthorizerType": "JWT",
            "Name": "a",
            "IdentitySource": ["$request.header.Authorization"],
        },
        "REQUEST",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_served_is_refused(front, name):
    operation, given, told = REFUSED[name]
    if operation != "create_api":
        given = {"ApiId": front.api, **given}
    with pytest.raises(front.gateway.exceptions.BadRequestException, match=told):
        getattr(front.gateway, operation)(**given)


def test_responses_are_created_told_changed_and_deleted(front):
    gateway, api = front.gateway, front.api
    (route,) = gateway.get_routes(ApiId=api)["Items"]
    named = {"ApiId": api, "RouteId": route["RouteId"]}
    (told,) = gateway.get_route_responses(**named)["Items"]
    assert told["RouteResponseKey"] == "$default"
    with pytest.raises(gateway.exceptions.ConflictException):
        gateway.create_route_response(**named, RouteResponseKey="$default")
    gateway.delete_route_response(**named, RouteResponseId=told["RouteResponseId"])
    assert gateway.get_route_responses(**named)["Items"] == []
    integration = {"ApiId": api, "IntegrationId": front.integration(IntegrationType="MOCK")}
    made = gateway.create_integration_response(**integration, IntegrationResponseKey="/4../")
    one = {**integration, "IntegrationResponseId": made["IntegrationResponseId"]}
    changed = gateway.update_integration_response(**one, IntegrationResponseKey="$default")
    assert changed["IntegrationResponseKey"] == "$default"
    assert gateway.get_integration_response(**one)["IntegrationResponseKey"] == "$default"
    with pytest.raises(gateway.exceptions.BadRequestException, match="IntegrationResponseKey"):
        gateway.create_integration_response(**integration, IntegrationResponseKey="/(?=x)/")
    gateway.delete_integration_response(**one)
    with pytest.raises(gateway.exceptions.NotFoundException):
        gateway.get_integration_response(**one)
