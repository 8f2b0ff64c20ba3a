"""The core answers requests to APIs exactly as Python does: both get the same, and are compared."""

from __future__ import annotations

import base64
import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import trunkline
from trunkline._core import WireDispatcher
from trunkline.aws.control import Control
from trunkline.aws.services import SERVICES

ACCOUNT, REGION = "000000000000", "us-east-1"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
VARIES = [
    (UUID, "ID"),
    (re.compile(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}"), "TRACE"),
    (re.compile(r"\b[0-9]{20,}\b"), "NUMBER"),
    (re.compile(r'("startDate": ?)[0-9.]+'), r"\1TIME"),
]
FORM = {"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"}
QUEUE = f"http://localhost/{ACCOUNT}/orders"
MACHINE = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})


class _Python(Control):
    """A control plane that leaves nothing to the core."""

    def compile_stage(self, api, kind, documents):
        return None


class Apis:
    """One engine behind two dispatchers: of one, Python serves every API."""

    def __init__(self, engine):
        self.engine = engine
        plain = [service.plain() for service in SERVICES]
        made = [
            WireDispatcher(engine._core, kind(engine._core, SERVICES), plain, "parse", [])
            for kind in (Control, _Python)
        ]
        self.core, self.python = made

    def client(self, service):
        return trunkline.aws.client(
            service, engine=self.engine, region_name=REGION, aws_access_key_id=ACCOUNT
        )

    def direct(self):
        """How many requests the core has answered alone."""
        return self._count(self.core)

    def _count(self, dispatcher):
        answer = dispatcher.call(("GET", "/metrics", [("host", "localhost")], b"", ""))
        found = re.search(rb"^trunkline_direct_api_requests_total (\d+)$", answer[2], re.MULTILINE)
        return int(found[1])

    def _send(self, dispatcher, method, target, headers, body):
        lines = [("host", "localhost:4566"), *headers]
        status, told, content = dispatcher.call(
            (method, target, lines, body, "http://localhost:4566")
        )
        return status, [(name, varying(name, value)) for name, value in told], plain(content)

    def both(self, method, target, headers=(), body=b""):
        """The answer, which is the same of both; and whether the core gave it alone."""
        before = self.direct()
        core = self._send(self.core, method, target, headers, body)
        is_direct = self.direct() > before
        python = self._send(self.python, method, target, headers, body)
        assert core == python, (method, target, headers, body)
        assert self._count(self.python) == 0
        return core, is_direct


def varying(name, value):
    if name == "x-amz-apigw-id":
        # The beginning of the request's id.
        assert len(base64.b64decode(value)) == 11
        return "SHORT"
    for pattern, word in VARIES:
        value = pattern.sub(word, value)
    return value


def plain(content):
    return varying("", content.decode("latin-1"))


@pytest.fixture(scope="module")
def apis():
    pytest.importorskip("botocore")
    import trunkline.aws

    with trunkline.open() as engine:
        apis = Apis(engine)
        apis.client("sqs").create_queue(QueueName="orders")
        fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
        apis.client("sqs").create_queue(QueueName="orders.fifo", Attributes=fifo)
        apis.client("kinesis").create_stream(StreamName="clicks", ShardCount=1)
        apis.client("stepfunctions").create_state_machine(
            name="flow", definition=MACHINE, roleArn=f"arn:aws:iam::{ACCOUNT}:role/r"
        )
        apis.rest, apis.http = _rest(apis), _http(apis)
        for stage in (f"{apis.rest}/dev", apis.http, f"{apis.http}/beta"):
            # The first request lets the stage be compiled.
            apis.both("GET", f"/_aws/execute-api/{stage}/nothing")
        yield apis


def _rest(apis):
    from front import Front, uri

    front = Front(apis.client("apigateway"), apis.engine, None)
    sends = uri(f"sqs:path/{ACCOUNT}/orders")

    def call(route, address, template, answer=None, **more):
        templates = {"application/json": answer} if answer is not None else {}
        integration = {
            "type": "AWS",
            "httpMethod": "POST",
            "uri": address,
            "requestTemplates": {"application/json": template},
            "integrationHttpMethod": "POST",
            **more,
        }
        del integration["httpMethod"]
        front.method(route, integration, {"200": {"responseTemplates": templates}})

    form = {"requestParameters": FORM}
    call("POST /raw", sends, "Action=SendMessage&MessageBody=$input.body", **form)
    call(
        "ANY /orders/{id}",
        sends,
        "Action=SendMessage&Version=2012-11-05&MessageBody=$util.urlEncode($input.body)",
        '{"id": $input.json("$.SendMessageResponse.SendMessageResult.MessageId"),'
        ' "by": "$context.requestId $input.params(\'id\') $context.httpMethod"}',
        **form,
    )
    call(
        "POST /params/{rest+}",
        sends,
        "Action=SendMessage&MessageBody=$util.urlEncode($input.params('rest'))"
        "+$util.urlEncode($input.params('q'))+$util.urlEncode($input.params('X-One'))",
        **form,
    )
    call(
        "POST /fifo",
        uri(f"sqs:path/{ACCOUNT}/orders.fifo"),
        "Action=SendMessage&MessageBody=$util.urlEncode($input.json('$'))"
        "&MessageGroupId=$util.urlEncode($input.path('$.group'))",
        "$input.path('$.SendMessageResponse.SendMessageResult.SequenceNumber')",
        **form,
    )
    call(
        "POST /flow",
        uri("states:action/StartExecution"),
        '{"input": "$util.escapeJavaScript($input.json(\'$\'))", "stateMachineArn": '
        f'"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:flow"}}',
    )
    call(
        "POST /clicks",
        uri("kinesis:action/PutRecord"),
        '{"StreamName": "clicks", "Data": "$util.base64Encode($input.body)", "PartitionKey": "a"}',
        '{"n": $input.json("$.SequenceNumber")}',
    )
    call(
        "POST /events",
        uri("events:action/PutEvents"),
        '{"Entries": [{"Source": "api", "DetailType": "made", "Detail": '
        '"$util.escapeJavaScript($input.body)"}]}',
    )
    call("POST /loop", sends, "#foreach($x in [1])Action=SendMessage&MessageBody=$x#end", **form)
    call("POST /wrong", uri(f"sqs:path/{ACCOUNT}/none"), "Action=SendMessage&MessageBody=x", **form)
    front.mock("GET /mock", '{"stage": "$context.stage", "body": $input.json("$")}')
    front.mock("ANY /{any+}", "greedy")
    front.mock("GET /", "root")
    front.deploy()
    return front.id


def _http(apis):
    gateway = apis.client("apigatewayv2")
    api = gateway.create_api(
        Name="front",
        ProtocolType="HTTP",
        CorsConfiguration={
            "AllowOrigins": ["https://shop.example", "http://*"],
            "AllowMethods": ["POST"],
            "AllowCredentials": True,
            "ExposeHeaders": ["x-one"],
        },
    )["ApiId"]
    for name in ("$default", "beta"):
        gateway.create_stage(
            ApiId=api, StageName=name, AutoDeploy=True, StageVariables={"bus": "default"}
        )

    def route(key, subtype, **parameters):
        made = gateway.create_integration(
            ApiId=api,
            IntegrationType="AWS_PROXY",
            IntegrationSubtype=subtype,
            PayloadFormatVersion="1.0",
            RequestParameters=parameters,
        )
        target = f"integrations/{made['IntegrationId']}"
        gateway.create_route(ApiId=api, RouteKey=key, Target=target)

    route("POST /orders", "SQS-SendMessage", QueueUrl=QUEUE, MessageBody="$request.body")
    route(
        "ANY /orders/{id}",
        "SQS-SendMessage",
        QueueUrl=QUEUE,
        MessageBody="$request.path.id ${request.header.x-one}|${request.querystring.q}"
        "|$context.stage $context.httpMethod",
        DelaySeconds="5",
    )
    route(
        "POST /fifo",
        "SQS-SendMessage",
        QueueUrl=f"{QUEUE}.fifo",
        MessageBody="$request.body.text",
        MessageGroupId="$request.body.group",
        MessageDeduplicationId="$request.header.x-id",
    )
    route(
        "POST /events",
        "EventBridge-PutEvents",
        Detail="$request.body",
        DetailType="made",
        Source="api.$context.routeKey",
        EventBusName="$stageVariables.bus",
    )
    route(
        "POST /clicks",
        "Kinesis-PutRecord",
        StreamName="clicks",
        Data="$request.body",
        PartitionKey="$request.querystring.key",
    )
    route(
        "POST /flow",
        "StepFunctions-StartExecution",
        StateMachineArn=f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:flow",
        Input="$request.body",
    )
    route("DELETE /{all+}", "SQS-SendMessage", QueueUrl=QUEUE, MessageBody="$request.path.all")
    return api


JSON = [("content-type", "application/json")]


@pytest.mark.parametrize(
    ("route", "body", "is_direct", "status"),
    [
        ("POST /raw", b"plain text", True, 200),
        ("POST /raw", b"a%20b+c", True, 200),
        ("POST /raw", b"a&b=c", False, 200),
        ("POST /raw", b"", True, 200),
        ("POST /orders/7", '{"é": "😀"}'.encode(), True, 200),
        ("PUT /orders/a%2Fb%20c", b"\xff\x00", False, 200),
        ("POST /params/x/y%20z?q=1&q=%C3%A9+2", b"", True, 200),
        ("POST /fifo", b'{"group": "g", "a": [1, 2.50]}', True, 200),
        ("POST /fifo", b'{"group": 7}', False, 200),
        ("POST /fifo", b"no json", False, 400),
        ("POST /flow", b'{"a": "it\'s \\n"}', False, 200),
        ("POST /clicks", b"\x01\x02", True, 200),
        ("POST /events", b'{"a": "b"}', True, 200),
        ("POST /events", b"no json", True, 200),
        ("POST /loop", b"", False, 200),
        ("POST /wrong", b"", False, 200),
        ("GET /mock", b"", True, 200),
        ("GET /mock", b'{"a":1}', True, 200),
        ("HEAD /any/thing", b"", True, 200),
        ("GET /", b"", True, 200),
        ("PATCH /mock", b"", True, 200),
        ("POST /", b"", False, 403),
    ],
)
def test_rest_apis_answer_the_same(apis, route, body, is_direct, status):
    method, path = route.split(" ", 1)
    target = f"/_aws/execute-api/{apis.rest}/dev{path}"
    answer, direct = apis.both(method, target, [*JSON, ("x-one", "head")], body)
    assert (answer[0], direct) == (status, is_direct), answer


@pytest.mark.parametrize(
    ("route", "body", "is_direct", "status"),
    [
        ("POST /orders", b"tea", True, 200),
        ("POST /orders", b"", False, 400),
        ("POST /orders/", b"tea", False, 404),
        ("POST /beta/orders", b"tea", True, 200),
        ("GET /orders/a%20b?q=1&q=2", b"", True, 200),
        ("GET /orders/%ff", b"", True, 200),
        ("POST /fifo", b'{"text": "t", "group": "g"}', True, 200),
        ("POST /fifo", '{"text": {"é": [1, null]}, "group": 7}'.encode(), True, 200),
        ("POST /fifo", b'{"text": true, "group": "g"}', True, 200),
        ("POST /fifo", b'{"text": {"a": 1.50}, "group": "g"}', False, 200),
        ("OPTIONS /orders", b"", False, 404),
        ("POST /fifo", b'{"group": "g"}', False, 400),
        ("POST /events", b'{"a": 1}', True, 200),
        ("POST /clicks?key=a", b"aGVsbG8=", True, 200),
        ("POST /clicks?key=a", b"hello world", True, 200),
        ("POST /clicks?key=a", b"aGVsbG8", False, 200),
        ("POST /clicks", b"hello", False, 400),
        ("POST /flow", b"no json", False, 400),
        ("DELETE /a/b%2Fc", b"", True, 200),
        ("DELETE /", b"", False, 404),
    ],
)
def test_http_apis_answer_the_same(apis, route, body, is_direct, status):
    method, path = route.split(" ", 1)
    target = f"/_aws/execute-api/{apis.http}{path}"
    answer, direct = apis.both(method, target, [*JSON, ("x-one", "head"), ("x-one", "two")], body)
    assert (answer[0], direct) == (status, is_direct), answer


@pytest.mark.parametrize("origin", ["https://shop.example", "http://a:1", "https://other", ""])
@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
def test_pages_are_told_the_same(apis, method, origin):
    headers = [("origin", origin), ("access-control-request-method", "POST")]
    for path in ("orders", "nothing"):
        target = f"/_aws/execute-api/{apis.http}/{path}"
        answer, is_direct = apis.both(method, target, headers, b"tea")
        assert is_direct == (method == "OPTIONS" or path == "orders"), answer


def test_a_trace_of_the_caller_is_told_back(apis):
    target = f"/_aws/execute-api/{apis.rest}/dev/raw"
    for trace in ("Root=1-2-3", "", "é"):
        apis.both("POST", target, [("x-amzn-trace-id", trace)], b"tea")


def test_what_is_sent_is_the_same(apis):
    sqs = apis.client("sqs")
    for target in (
        f"/_aws/execute-api/{apis.rest}/dev/orders/1",
        f"/_aws/execute-api/{apis.rest}/dev/raw",
        f"/_aws/execute-api/{apis.rest}/dev/params/a%2Fb/c%20d?q=%C3%A9+x",
        f"/_aws/execute-api/{apis.http}/orders",
    ):
        sqs.purge_queue(QueueUrl=QUEUE)
        _, is_direct = apis.both("POST", target, [("x-one", "1")], "a+b %41 é".encode())
        assert is_direct
        queue = apis.engine.queue("orders")
        found = [message.text() for message in queue.receive(10)]
        assert len(found) == 2
        assert found[0] == found[1]


def test_bodies_beyond_the_bound_are_answered_the_same(apis):
    for size in (256 * 1024, 256 * 1024 + 1, 1024 * 1024 + 1, 10 * 1024 * 1024 + 1):
        for api in (f"{apis.rest}/dev/orders/1", f"{apis.http}/orders"):
            apis.both("POST", f"/_aws/execute-api/{api}", JSON, b"x" * size)


PART = st.one_of(
    st.sampled_from(["orders", "mock", "fifo", "beta", "dev", "", ".", "..", "%2F", "%41", "a b"]),
    st.text(
        st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="?#"), max_size=6
    ),
)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    kind=st.sampled_from(["rest", "http"]),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]),
    parts=st.lists(PART, max_size=5),
    query=st.sampled_from(["", "q=1", "q=%zz&key=a", "&&=&q", "key=%C3%A9+"]),
    body=st.one_of(st.binary(max_size=40), st.sampled_from([b"", b"{}", b'{"group": "a&b"}'])),
    content_type=st.sampled_from([None, "application/json; charset=utf-8", "text/plain", ""]),
)
def test_any_request_is_answered_the_same(apis, kind, method, parts, query, body, content_type):
    stage = f"{apis.rest}/dev" if kind == "rest" else apis.http
    path = "/".join(parts).replace(" ", "%20")
    target = f"/_aws/execute-api/{stage}/{path}" + (f"?{query}" if query else "")
    headers = [] if content_type is None else [("content-type", content_type)]
    apis.both(method, target, headers, body)


SERVED = [
    *(("rest", one) for one in ("raw", "orders/{}", "params/{}/{}", "fifo", "clicks", "events")),
    *(("http", one) for one in ("orders", "orders/{}", "fifo", "events", "clicks", "beta/orders")),
]
VALUE = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(), below, max_size=3),
    max_leaves=6,
)
DOCUMENT = st.builds(
    lambda group, text, ascii: json.dumps({"group": group, "text": text}, ensure_ascii=ascii),
    st.one_of(st.just("g"), VALUE),
    VALUE,
    st.booleans(),
)
BODY = st.one_of(
    DOCUMENT.map(lambda text: text.encode("utf-8", "replace")),
    st.text(max_size=30).map(lambda text: text.encode("utf-8", "replace")),
    st.binary(max_size=30),
)
WORD = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="?#/"))


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    served=st.sampled_from(SERVED),
    words=st.tuples(WORD, WORD),
    query=st.builds("q={}&key={}&q={}".format, WORD, WORD, WORD),
    body=BODY,
    header=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=5),
)
def test_routes_that_the_core_serves_answer_any_content_the_same(
    apis, served, words, query, body, header
):
    kind, path = served
    stage = f"{apis.rest}/dev" if kind == "rest" else apis.http
    target = f"/_aws/execute-api/{stage}/{path.format(*words)}?{query}"
    apis.both("POST", target, [*JSON, ("x-one", header), ("x-id", header)], body)
