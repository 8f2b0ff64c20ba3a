"""HTTP APIs of API Gateway: what is kept of them, and what requests to them get."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest
from http_endpoint import Endpoint

from trunkline.aws.apigatewayv2 import cors
from trunkline.aws.execute_api.message import ApiRequest, ApiResponse

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:front"


@pytest.fixture
def gateway(connect):
    return connect("apigatewayv2")


class Front:
    """An API on a server, with one function behind it that notes its events."""

    def __init__(self, engine, server):
        import boto3

        self.engine, self.url = engine, server.url
        self.events = []
        self.answer = lambda event: {"statusCode": 200, "body": "ok"}
        engine.function("front", self._called)
        self.gateway = boto3.session.Session().client(
            "apigatewayv2",
            region_name="us-east-1",
            endpoint_url=server.url,
            aws_access_key_id="000000000000",
            aws_secret_access_key="secret",
        )
        self.api = self.gateway.create_api(Name="front", ProtocolType="HTTP")["ApiId"]
        self.gateway.create_stage(ApiId=self.api, StageName="$default", AutoDeploy=True)

    def _called(self, event, context):
        self.events.append(event)
        return self.answer(event)

    def integration(self, **given):
        given = {"IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0", **given}
        if "IntegrationSubtype" in given:
            given["PayloadFormatVersion"] = "1.0"
        elif given["IntegrationType"] == "AWS_PROXY":
            given.setdefault("IntegrationUri", FUNCTION)
        made = self.gateway.create_integration(ApiId=self.api, **given)
        return f"integrations/{made['IntegrationId']}"

    def route(self, key, target=None, **given):
        target = target or self.integration()
        return self.gateway.create_route(ApiId=self.api, RouteKey=key, Target=target, **given)

    def call(self, path, method="GET", body=None, headers=None):
        """Status, headers and body of an answer."""
        request = urllib.request.Request(
            f"{self.url}/_aws/execute-api/{self.api}{path}",
            data=body,
            method=method,
            headers=headers or {},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, dict(response.headers), response.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()


@pytest.fixture
def front(engine, server):
    return Front(engine, server)


def test_parts_are_created_told_changed_and_deleted(gateway):
    api = gateway.create_api(Name="a", ProtocolType="HTTP", Tags={"k": "v"})
    id = api["ApiId"]
    assert gateway.get_api(ApiId=id)["Tags"] == {"k": "v"}
    integration = gateway.create_integration(
        ApiId=id, IntegrationType="AWS_PROXY", IntegrationUri=FUNCTION, PayloadFormatVersion="2.0"
    )
    target = f"integrations/{integration['IntegrationId']}"
    route = gateway.create_route(ApiId=id, RouteKey="GET /a", Target=target)
    route_id = route["RouteId"]
    updated = gateway.update_route(ApiId=id, RouteId=route_id, OperationName="one")
    assert (updated["OperationName"], updated["RouteKey"]) == ("one", "GET /a")
    assert [one["RouteId"] for one in gateway.get_routes(ApiId=id)["Items"]] == [route_id]
    with pytest.raises(gateway.exceptions.ConflictException):
        gateway.create_route(ApiId=id, RouteKey="GET /a")
    with pytest.raises(gateway.exceptions.ConflictException):
        gateway.delete_integration(ApiId=id, IntegrationId=integration["IntegrationId"])
    gateway.delete_route(ApiId=id, RouteId=route_id)
    gateway.delete_integration(ApiId=id, IntegrationId=integration["IntegrationId"])
    with pytest.raises(gateway.exceptions.NotFoundException):
        gateway.get_route(ApiId=id, RouteId=route_id)
    gateway.delete_api(ApiId=id)
    assert gateway.get_apis()["Items"] == []


REFUSED = {
    "protocol": ("create_api", {"Name": "w", "ProtocolType": "WEBSOCKET"}, "RouteSelection"),
    "route key": ("create_route", {"RouteKey": "GET a"}, "route key"),
    "greedy in the middle": ("create_route", {"RouteKey": "GET /{a+}/b"}, "invalid"),
    "variable twice": ("create_route", {"RouteKey": "GET /{a}/{a}"}, "twice"),
    "target": ("create_route", {"RouteKey": "GET /", "Target": "integrations/x"}, "target"),
    "integration": ("create_integration", {"IntegrationType": "MOCK"}, "MOCK"),
    "subtype": (
        "create_integration",
        {"IntegrationType": "AWS_PROXY", "IntegrationSubtype": "AppConfig-GetConfiguration"},
        "IntegrationSubtype",
    ),
    "parameters": (
        "create_integration",
        {"IntegrationType": "AWS_PROXY", "IntegrationSubtype": "SQS-SendMessage"},
        "QueueUrl, MessageBody",
    ),
    "reserved header": (
        "create_integration",
        {
            "IntegrationType": "HTTP_PROXY",
            "IntegrationUri": "http://localhost/",
            "IntegrationMethod": "GET",
            "RequestParameters": {"append:header.Authorization": "x"},
        },
        "reserved",
    ),
    "response": ("create_route_response", {"RouteId": "x", "RouteResponseKey": "y"}, "WebSocket"),
    "import": ("import_api", {"Body": "swagger: '2.0'"}, "OpenAPI 3.0"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_served_is_refused(gateway, name):
    operation, given, told = REFUSED[name]
    if operation not in ("create_api", "import_api"):
        api = gateway.create_api(Name="a", ProtocolType="HTTP")
        given = {"ApiId": api["ApiId"], **given}
    with pytest.raises(gateway.exceptions.BadRequestException, match=told):
        getattr(gateway, operation)(**given)


def test_the_most_specific_route_takes_a_request(front):
    for key in (
        "GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /pets/dog/{id}",
        "ANY /{proxy+}", "$default",
    ):  # fmt: skip
        front.route(key)
    for method, path, key, variables in (
        ("GET", "/pets/dog/1", "GET /pets/dog/1", None),
        ("GET", "/pets/dog/2", "GET /pets/dog/{id}", {"id": "2"}),
        ("POST", "/pets/dog/2", "ANY /pets/dog/{id}", {"id": "2"}),
        ("GET", "/pets/cat/a%20b", "GET /pets/{proxy+}", {"proxy": "cat/a b"}),
        ("POST", "/pets/cat", "ANY /{proxy+}", {"proxy": "pets/cat"}),
        ("GET", "/", "$default", None),
    ):
        assert front.call(path, method)[0] == 200
        event = front.events[-1]
        assert (event["routeKey"], event.get("pathParameters")) == (key, variables), path


def test_without_a_route_or_a_stage_nothing_is_found(front):
    front.route("GET /a")
    assert front.call("/b")[::2] == (404, b'{"message":"Not Found"}')
    front.gateway.delete_stage(ApiId=front.api, StageName="$default")
    assert front.call("/a")[::2] == (404, b'{"message":"Not Found"}')


def test_a_function_gets_the_event_of_its_format(front):
    front.route("POST /two/{id}")
    front.route("POST /one/{id}", front.integration(PayloadFormatVersion="1.0"))
    headers = {"Content-Type": "text/plain", "Cookie": "a=b; c=d", "X-A": "1"}
    front.call("/two/7?q=1&q=2", "POST", b"hello", headers)
    two = front.events[-1]
    assert (two["version"], two["rawQueryString"], two["body"]) == ("2.0", "q=1&q=2", "hello")
    assert two["queryStringParameters"] == {"q": "1,2"}
    assert (two["cookies"], two["headers"]["x-a"]) == (["a=b", "c=d"], "1")
    assert "cookie" not in two["headers"]
    assert two["requestContext"]["http"]["method"] == "POST"
    front.call("/one/7?q=1&q=2", "POST", bytes([255]), headers)
    one = front.events[-1]
    assert (one["version"], one["body"], one["isBase64Encoded"]) == ("1.0", "/w==", True)
    assert one["multiValueQueryStringParameters"] == {"q": ["1", "2"]}
    assert one["pathParameters"] == {"id": "7"}
    assert one["requestContext"]["resourcePath"] == "/one/{id}"


def test_a_functions_result_becomes_an_answer(front):
    front.route("$default")
    for result, status, kind, body in (
        ({"statusCode": 201, "body": "x"}, 201, "text/plain;charset=UTF-8", b"x"),
        ({"statusCode": "202", "headers": {"content-type": "a/b"}}, 202, "a/b", b""),
        ({"a": 1}, 200, "application/json", b'{"a":1}'),
        ("hello", 200, "application/json", b"hello"),
        ({"statusCode": 200, "body": "aGk=", "isBase64Encoded": True}, 200, None, b"hi"),
        ({"statusCode": "none"}, 500, "application/json", b'{"message":"Internal Server Error"}'),
        ({"statusCode": 200, "headers": {"a": "b\r\nc: d"}}, 500, "application/json", None),
    ):
        front.answer = lambda event, result=result: result
        got, headers, content = front.call("/")
        assert got == status, result
        assert kind is None or headers["content-type"] == kind
        assert body is None or content == body
    front.answer = lambda event: 1 / 0
    assert front.call("/")[0] == 500


def test_services_are_called(front):
    queue = front.engine.queue("orders")
    send = front.integration(
        IntegrationSubtype="SQS-SendMessage",
        CredentialsArn="arn:aws:iam::000000000000:role/r",
        RequestParameters={
            "QueueUrl": f"{front.url}/000000000000/orders",
            "MessageBody": "$request.body.order",
        },
    )
    front.route("POST /orders", send)
    status, _, body = front.call("/orders", "POST", b'{"order":{"id":1}}')
    assert status == 200
    assert "MessageId" in json.loads(body)
    assert [message.body for message in queue.receive()] == [b'{"id":1}']
    assert front.call("/orders", "POST", b"{}")[0] == 400
    assert front.call("/orders", "POST", b"not json")[0] == 400


def test_a_request_is_mapped_to_an_endpoint(front):
    with Endpoint() as endpoint:
        endpoint.answer = lambda request: (404, b'{"why":"gone"}')
        proxy = front.integration(
            IntegrationType="HTTP_PROXY",
            PayloadFormatVersion="1.0",
            IntegrationMethod="ANY",
            IntegrationUri=f"{endpoint.url}/base/{{all}}",
            RequestParameters={
                "append:header.x-id": "id-${request.body.id}",
                "overwrite:querystring.q": "$request.header.x-q",
                "remove:header.x-q": "''",
            },
            ResponseParameters={
                "404": {"overwrite:statuscode": "410", "append:header.x-why": "$response.body.why"}
            },
        )
        front.route("ANY /in/{all+}", proxy)
        headers = {"x-q": "a b", "Content-Type": "application/json"}
        status, told, body = front.call("/in/a/b?q=0&r=1", "POST", b'{"id":3}', headers)
        request = endpoint.got[-1]
    assert (status, told["x-why"], body) == (410, "gone", b'{"why":"gone"}')
    assert (request.method, request.target) == ("POST", "/base/a/b?r=1&q=a+b")
    assert (request.headers["x-id"], request.body) == ("id-3", b'{"id":3}')
    assert "x-q" not in request.headers
    assert "for=127.0.0.1" in request.headers["forwarded"]


def test_stages_serve_what_was_deployed_to_them(front):
    front.route("GET /a")
    gateway, api = front.gateway, front.api
    gateway.create_stage(ApiId=api, StageName="dev", StageVariables={"v": "1"})
    assert front.call("/dev/a")[0] == 404
    gateway.create_deployment(ApiId=api, StageName="dev")
    assert front.call("/dev/a")[0] == 200
    assert front.events[-1]["stageVariables"] == {"v": "1"}
    assert front.events[-1]["requestContext"]["stage"] == "dev"
    front.route("GET /later")
    assert (front.call("/later")[0], front.call("/dev/later")[0]) == (200, 404)


def asked(method, origin):
    headers = [("origin", origin), ("access-control-request-method", "GET")]
    return ApiRequest(
        "a", "/a", method, "", headers, b"", None, False, "http://x", "1", False, None, None
    )


def test_origins_are_answered_by_the_gateway():
    configuration = {"AllowOrigins": ["https://a.example"], "AllowMethods": ["GET"], "MaxAge": 5}
    told = cors.preflight(configuration, asked("OPTIONS", "https://a.example"))
    assert (told.status, dict(told.headers)) == (
        204,
        {
            "access-control-allow-origin": "https://a.example",
            "vary": "origin",
            "access-control-allow-methods": "GET",
            "access-control-max-age": "5",
        },
    )
    assert cors.preflight(configuration, asked("OPTIONS", "https://b.example")).headers == []
    own = ApiResponse(200, [("Access-Control-Allow-Origin", "*"), ("x-a", "1")])
    told = cors.with_headers(configuration, asked("GET", "https://b.example"), own)
    assert told.headers == [("x-a", "1")]
    every = {"AllowOrigins": ["*"]}
    told = cors.with_headers(every, asked("GET", "https://b.example"), own)
    assert told.headers == [("x-a", "1"), ("access-control-allow-origin", "*")]


def test_a_route_is_throttled_on_the_engines_clock(clock, front):
    front.route("GET /a")
    settings = {"ThrottlingBurstLimit": 2, "ThrottlingRateLimit": 1.0}
    front.gateway.update_stage(ApiId=front.api, StageName="$default", DefaultRouteSettings=settings)
    assert [front.call("/a")[0] for _ in range(3)] == [200, 200, 429]
    clock.advance(1)
    assert [front.call("/a")[0] for _ in range(2)] == [200, 429]


def authorizer(front, answer, **given):
    calls = []

    def called(event, context):
        calls.append(event)
        return answer(event)

    front.engine.function("guard", called)
    made = front.gateway.create_authorizer(
        ApiId=front.api,
        Name="guard",
        AuthorizerType="REQUEST",
        AuthorizerUri="arn:aws:lambda:us-east-1:000000000000:function:guard",
        IdentitySource=["$request.header.x-key"],
        **{"AuthorizerPayloadFormatVersion": "2.0", **given},
    )
    front.route("GET /a", AuthorizationType="CUSTOM", AuthorizerId=made["AuthorizerId"])
    return calls


def test_a_function_decides_and_is_remembered(clock, front):
    calls = authorizer(
        front,
        lambda event: {
            "isAuthorized": event["identitySource"] == ["yes"],
            "context": {"who": "me"},
        },
        EnableSimpleResponses=True,
        AuthorizerResultTtlInSeconds=60,
    )
    assert front.call("/a")[::2] == (401, b'{"message":"Unauthorized"}')
    assert calls == []
    no, yes = ({"x-key": key} for key in ("no", "yes"))
    assert front.call("/a", headers=no)[::2] == (403, b'{"message":"Forbidden"}')
    assert [front.call("/a", headers=yes)[0] for _ in range(2)] == [200, 200]
    assert front.events[-1]["requestContext"]["authorizer"] == {"lambda": {"who": "me"}}
    assert len(calls) == 2
    clock.advance(61)
    assert (front.call("/a", headers=yes)[0], len(calls)) == (200, 3)
    front.gateway.reset_authorizers_cache(ApiId=front.api, StageName="$default")
    assert (front.call("/a", headers=yes)[0], len(calls)) == (200, 4)


def test_a_policy_decides(front):
    def answer(event):
        effect = event["headers"]["x-key"]
        statement = {
            "Effect": effect,
            "Action": "execute-api:Invoke",
            "Resource": event["routeArn"],
        }
        return {"principalId": "me", "policyDocument": {"Statement": [statement]}}

    authorizer(front, answer)
    assert front.call("/a", headers={"x-key": "Allow"})[0] == 200
    assert front.call("/a", headers={"x-key": "Deny"})[0] == 403
    assert front.call("/a", headers={"x-key": "Maybe"})[0] == 403


def test_requests_are_logged(front, connect):
    logs = connect("logs")
    logs.create_log_group(logGroupName="front")
    arn = "arn:aws:logs:us-east-1:000000000000:log-group:front"
    front.route("GET /a")
    front.gateway.update_stage(
        ApiId=front.api,
        StageName="$default",
        AccessLogSettings={
            "DestinationArn": arn,
            "Format": "$context.httpMethod $context.routeKey $context.status"
            " $context.error.message",
        },
    )
    front.call("/a")
    front.call("/none")
    lines = [event["message"] for event in logs.filter_log_events(logGroupName="front")["events"]]
    assert lines == ["GET GET /a 200 -", "GET - 404 Not Found"]


def test_an_import_serves_what_an_export_told(front):
    front.route("GET /a/{id}")
    body = front.gateway.export_api(ApiId=front.api, Specification="OAS30", OutputType="JSON")[
        "body"
    ].read()
    front.api = front.gateway.import_api(Body=body.decode())["ApiId"]
    front.gateway.create_stage(ApiId=front.api, StageName="$default", AutoDeploy=True)
    assert front.call("/a/7")[0] == 200
    assert front.events[-1]["pathParameters"] == {"id": "7"}


def test_pages_of_every_origin_call_an_api_and_read_what_it_lets_them(front):
    page = {"origin": "https://shop.example", "sec-fetch-site": "cross-site"}
    front.route("POST /orders")
    status, headers, body = front.call("/orders", "POST", b"{}", page)
    assert (status, body) == (200, b"ok")
    assert "access-control-allow-origin" not in headers
    allowed = {"AllowOrigins": [page["origin"]], "AllowMethods": ["POST"]}
    front.gateway.update_api(ApiId=front.api, CorsConfiguration=allowed)
    asked = {**page, "access-control-request-method": "POST"}
    for method, status, given in (("OPTIONS", 204, asked), ("POST", 200, page)):
        found, headers, _ = front.call("/orders", method, b"", given)
        assert (found, headers["access-control-allow-origin"]) == (status, page["origin"])


def test_an_api_whose_endpoint_is_disabled_answers_forbidden(front):
    front.route("GET /")
    front.gateway.update_api(ApiId=front.api, DisableExecuteApiEndpoint=True)
    status, _, body = front.call("/")
    assert (status, json.loads(body)) == (403, {"message": "Forbidden"})
    front.gateway.update_api(ApiId=front.api, DisableExecuteApiEndpoint=False)
    assert front.call("/")[0] == 200
