"""WebSocket APIs of API Gateway: clients that connect, their messages, and what they get back."""

from __future__ import annotations

import json
import time

import pytest
from http_endpoint import Endpoint
from socket_front import FUNCTION, PATIENCE, SocketFront, ask, read
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect as open_socket

from trunkline.server import Server


@pytest.fixture
def front(engine, server):
    return SocketFront(engine, server)


def test_a_function_gets_the_beginning_the_messages_and_the_end_of_a_connection(front):
    for key in ("$connect", "$disconnect", "$default"):
        front.route(key)
    with front.connect("?token=t1", additional_headers={"x-who": "w"}) as socket:
        socket.send("hello")
        message = front.wait("MESSAGE")[0]
        socket.close(4000, "bye")
    began, ended = front.wait("CONNECT")[0], front.wait("DISCONNECT")[0]
    assert began["queryStringParameters"] == {"token": "t1"}
    assert began["headers"]["X-Who"] == "w"
    assert began["multiValueHeaders"]["X-Who"] == ["w"]
    assert (message["body"], message["isBase64Encoded"]) == ("hello", False)
    contexts = [one["requestContext"] for one in (began, message, ended)]
    assert [one["routeKey"] for one in contexts] == ["$connect", "$default", "$disconnect"]
    assert len({one["connectionId"] for one in contexts}) == 1
    assert len({one["requestId"] for one in contexts}) == 3
    assert {one["stage"] for one in contexts} == {"dev"}
    assert {one["apiId"] for one in contexts} == {front.api}
    assert contexts[1]["messageId"] == contexts[1]["requestId"]
    told = (contexts[2]["disconnectStatusCode"], contexts[2]["disconnectReason"])
    assert told == (4000, "bye")
    assert contexts[0]["identity"]["sourceIp"] == "127.0.0.1"


def test_messages_take_the_route_that_their_content_selects(front):
    front.answer = lambda event: {"statusCode": 200, "body": event["requestContext"]["routeKey"]}
    for key in ("join", "$default"):
        front.route(key, replies=True)
    with front.connect() as socket:
        for sent, route in (
            ('{"action":"join"}', "join"),
            ('{"action":"other"}', "$default"),
            ('{"action":"$connect"}', "$default"),
            ("no JSON", "$default"),
        ):
            socket.send(sent)
            assert socket.recv(timeout=PATIENCE) == route


def test_a_message_without_a_route_and_a_function_that_fails_are_told_in_a_frame(front):
    def fail(event):
        raise RuntimeError("broken")

    front.answer = fail
    front.route("fail")
    with front.connect() as socket:
        socket.send('{"action":"other"}')
        refused = read(socket)
        assert refused["message"] == "Forbidden"
        assert refused.keys() == {"message", "connectionId", "requestId"}
        socket.send('{"action":"fail"}')
        assert read(socket)["message"] == "Internal server error"


def test_the_messages_of_a_connection_are_handled_in_their_order(front):
    front.answer = lambda event: {"statusCode": 200, "body": event["body"]}
    front.route("$default", replies=True)
    with front.connect() as socket:
        for number in range(50):
            socket.send(str(number))
        got = [socket.recv(timeout=PATIENCE) for _ in range(50)]
    assert got == [str(number) for number in range(50)]


def test_a_route_without_a_response_answers_nothing(front):
    front.answer = lambda event: {"statusCode": 200, "body": event["body"]}
    front.route("quiet")
    front.route("$default", replies=True)
    with front.connect() as socket:
        socket.send('{"action":"quiet"}')
        socket.send("aloud")
        assert socket.recv(timeout=PATIENCE) == "aloud"


def test_connect_decides_whether_a_client_gets_in(front):
    answers = {"yes": {"statusCode": 200}, "no": {"statusCode": 403, "body": "not you"}}
    front.answer = lambda event: answers.get(event["queryStringParameters"]["who"])
    front.route("$connect")
    with front.connect("?who=yes") as socket:
        assert socket.response.status_code == 101
    for who, status in (("no", 403), ("broken", 502)):
        with pytest.raises(InvalidStatus) as refused:
            front.connect(f"?who={who}")
        assert refused.value.response.status_code == status


def test_a_protocol_is_spoken_when_the_function_names_it(front):
    front.answer = lambda event: {
        "statusCode": 200,
        "headers": {"Sec-WebSocket-Protocol": "chat", "X-Other": "x"},
    }
    front.route("$connect")
    with front.connect(subprotocols=["chat", "other"]) as socket:
        assert socket.subprotocol == "chat"
        assert "x-other" not in socket.response.headers


def test_an_unknown_stage_and_a_plain_request_are_refused(front, server):
    with pytest.raises(InvalidStatus) as refused:
        open_socket(f"{front.endpoint}/prod", open_timeout=PATIENCE)
    assert refused.value.response.status_code == 403
    assert ask(f"{front.url}/_aws/execute-api/{front.api}/dev")[0] == 426


def test_an_api_is_reached_by_localstacks_path_and_by_its_host(front):
    front.answer = lambda event: {"statusCode": 200, "body": "here"}
    front.route("$default", replies=True)
    base = front.url.replace("http", "ws")
    port = base.rpartition(":")[2]
    with open_socket(f"{base}/restapis/{front.api}/dev/_user_request_/") as socket:
        socket.send("x")
        assert socket.recv(timeout=PATIENCE) == "here"
    host = f"{front.api}.execute-api.localhost:{port}"
    import socket as sockets

    raw = sockets.create_connection(("127.0.0.1", int(port)), timeout=PATIENCE)
    with open_socket(f"ws://{host}/dev", sock=raw) as socket:
        socket.send("x")
        assert socket.recv(timeout=PATIENCE) == "here"


def _policy(event, effect):
    arn = event["methodArn"]
    one = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": arn}
    return {
        "principalId": "p",
        "policyDocument": {"Version": "2012-10-17", "Statement": [one]},
        "context": {"tenant": "t"},
    }


def test_an_authorizer_decides_at_connect_and_is_told_with_every_event(front):
    def answer(event):
        if event.get("type") != "REQUEST":
            return {"statusCode": 200, "body": json.dumps(event["requestContext"]["authorizer"])}
        token = event["queryStringParameters"]["token"]
        if token == "none":
            raise RuntimeError("Unauthorized")
        return _policy(event, "Allow" if token == "good" else "Deny")

    front.answer = answer
    authorizer = front.gateway.create_authorizer(
        ApiId=front.api,
        AuthorizerType="REQUEST",
        Name="a",
        AuthorizerUri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}"
        "/invocations",
        IdentitySource=["route.request.querystring.token"],
    )
    front.route("$connect", AuthorizationType="CUSTOM", AuthorizerId=authorizer["AuthorizerId"])
    front.route("$default", replies=True)
    with front.connect("?token=good") as socket:
        socket.send("x")
        assert read(socket) == {"principalId": "p", "tenant": "t"}
    for query, status in (("?token=bad", 403), ("", 401), ("?token=none", 401)):
        with pytest.raises(InvalidStatus) as refused:
            front.connect(query)
        assert refused.value.response.status_code == status


def test_a_message_reaches_a_queue_without_code(front):
    queue = front.engine.queue("paid")
    integration = front.integration(
        IntegrationType="AWS",
        IntegrationUri="arn:aws:apigateway:us-east-1:sqs:path/000000000000/paid",
        RequestParameters={
            "integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"
        },
        RequestTemplates={
            "$default": "Action=SendMessage&MessageBody=$util.urlEncode($input.json('$.order'))"
        },
    )
    front.gateway.create_integration_response(
        ApiId=front.api,
        IntegrationId=integration,
        IntegrationResponseKey="/2\\d\\d/",
        ResponseTemplates={"$default": '{"kept": true, "by": "$context.connectionId"}'},
    )
    front.route("order", integration, replies=True)
    with front.connect() as socket:
        socket.send('{"action":"order","order":{"id":7}}')
        assert read(socket)["kept"] is True
    assert json.loads(queue.receive(wait=PATIENCE)[0].body) == {"id": 7}


def test_a_mock_answers_by_its_templates(front):
    mock = front.integration(
        IntegrationType="MOCK",
        TemplateSelectionExpression="200",
        RequestTemplates={"200": '{"statusCode": 200}'},
    )
    front.route("$connect", mock)
    refuse = front.integration(
        IntegrationType="MOCK", RequestTemplates={"$default": '{"statusCode": 418}'}
    )
    front.gateway.create_integration_response(
        ApiId=front.api,
        IntegrationId=refuse,
        IntegrationResponseKey="418",
        ResponseTemplates={"$default": '{"route": "$context.routeKey"}'},
    )
    front.route("$default", refuse, replies=True)
    with front.connect() as socket:
        socket.send("x")
        assert read(socket) == {"route": "$default"}


def test_an_endpoint_gets_messages_and_its_answers_go_back(front):
    with Endpoint(lambda request: (200, b"got " + request.body)) as endpoint:
        proxy = front.integration(
            IntegrationType="HTTP_PROXY",
            IntegrationUri=f"{endpoint.url}/in",
            IntegrationMethod="POST",
            RequestParameters={"integration.request.header.x-from": "context.connectionId"},
        )
        front.route("$default", proxy, replies=True)
        with front.connect() as socket:
            socket.send("x")
            assert socket.recv(timeout=PATIENCE) == "got x"
    (request,) = endpoint.got
    assert request.headers["x-from"].endswith("=")


def test_messages_are_checked_against_the_model_of_their_route(front):
    front.answer = lambda event: {"statusCode": 200, "body": "fine"}
    schema = {"type": "object", "required": ["id"]}
    front.gateway.create_model(ApiId=front.api, Name="order", Schema=json.dumps(schema))
    front.route("order", replies=True, RequestModels={"$default": "order"})
    with front.connect() as socket:
        socket.send('{"action":"order"}')
        assert read(socket)["message"] == "Invalid request body"
        socket.send('{"action":"order","id":1}')
        assert socket.recv(timeout=PATIENCE) == "fine"


def test_a_route_takes_no_more_messages_than_its_stage_allows(engine, clock, server):
    front = SocketFront(engine, server)
    front.answer = lambda event: {"statusCode": 200, "body": "ok"}
    front.route("$default", replies=True)
    settings = {"ThrottlingRateLimit": 1, "ThrottlingBurstLimit": 1}
    front.gateway.update_stage(ApiId=front.api, StageName="dev", DefaultRouteSettings=settings)
    with front.connect() as socket:
        socket.send("x")
        assert socket.recv(timeout=PATIENCE) == "ok"
        socket.send("x")
        assert read(socket)["message"] == "Too Many Requests"


def test_programs_send_to_connections_look_at_them_and_end_them(front):
    front.route("$connect")
    front.route("$disconnect")
    with front.connect() as socket:
        id = front.wait("CONNECT")[0]["requestContext"]["connectionId"]
        front.connections.post_to_connection(ConnectionId=id, Data=b"from outside")
        assert socket.recv(timeout=PATIENCE) == "from outside"
        front.connections.post_to_connection(ConnectionId=id, Data=b"\xff")
        assert socket.recv(timeout=PATIENCE) == b"\xff"
        told = front.connections.get_connection(ConnectionId=id)
        assert told["Identity"]["SourceIp"] == "127.0.0.1"
        assert told["ConnectedAt"] <= told["LastActiveAt"]
        with pytest.raises(front.connections.exceptions.PayloadTooLargeException):
            front.connections.post_to_connection(ConnectionId=id, Data=b"x" * (128 * 1024 + 1))
        front.connections.delete_connection(ConnectionId=id)
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=PATIENCE)
        assert socket.close_code == 1000
    front.wait("DISCONNECT")
    for call, given in (
        (front.connections.post_to_connection, {"Data": b"x"}),
        (front.connections.get_connection, {}),
        (front.connections.delete_connection, {}),
    ):
        with pytest.raises(front.connections.exceptions.GoneException):
            call(ConnectionId=id, **given)


def test_a_function_sends_to_the_client_that_it_serves(front):
    def answer(event):
        context = event["requestContext"]
        if context["eventType"] == "MESSAGE":
            data = f"{context['connectionId']} said {event['body']}".encode()
            front.connections.post_to_connection(ConnectionId=context["connectionId"], Data=data)
        return {"statusCode": 200}

    front.answer = answer
    front.route("$default")
    with front.connect() as socket:
        socket.send("x")
        assert socket.recv(timeout=PATIENCE).endswith(" said x")


def test_a_client_that_does_not_read_is_sent_no_more_than_is_bounded(engine):
    # The client is not cut off while the test fills what lies between.
    with Server(engine, port=0, write_timeout=600) as server:
        front = SocketFront(engine, server)
        front.route("$connect")
        with front.connect(max_queue=1) as socket:
            id = front.wait("CONNECT")[0]["requestContext"]["connectionId"]
            connections, sent = front.connections, 0
            end = time.monotonic() + 10 * PATIENCE
            try:
                while time.monotonic() < end:
                    connections.post_to_connection(ConnectionId=id, Data=b"x" * 128 * 1024)
                    sent += 1
                pytest.fail("what the client does not read is kept without bound")
            except connections.exceptions.LimitExceededException:
                pass
            # What was taken arrives, once the client reads again.
            got = [socket.recv(timeout=PATIENCE) for _ in range(sent)]
    assert {len(one) for one in got} == {128 * 1024}


def test_an_api_whose_endpoint_is_disabled_lets_no_client_in(front):
    front.gateway.update_api(ApiId=front.api, DisableExecuteApiEndpoint=True)
    with pytest.raises(InvalidStatus) as refused:
        front.connect()
    assert refused.value.response.status_code == 403


def test_what_is_left_of_a_connection_is_told_when_the_server_stops(engine):
    with Server(engine, port=0) as server:
        front = SocketFront(engine, server)
        for key in ("$connect", "$disconnect"):
            front.route(key)
        with front.connect() as socket:
            front.wait("CONNECT")
            server.stop()
            with pytest.raises(ConnectionClosed):
                socket.recv(timeout=PATIENCE)
            assert socket.close_code == 1001
    assert front.wait("DISCONNECT")[0]["requestContext"]["disconnectStatusCode"] == 1001
