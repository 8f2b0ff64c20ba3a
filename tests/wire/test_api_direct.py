"""Which requests to APIs the core answers without Python, and when it asks Python again."""

from __future__ import annotations

import json
import urllib.request

import pytest
from test_api_data_path import ACCOUNT, QUEUE, REGION, Apis

import trunkline

ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
MACHINE = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})


@pytest.fixture
def apis(engine):
    pytest.importorskip("botocore")
    import trunkline.aws  # noqa: F401

    engine.queue("orders")
    return Apis(engine)


@pytest.fixture
def rest(apis):
    """A REST API with a mock, which the core answers."""
    from front import Front

    front = Front(apis.client("apigateway"), apis.engine, None)
    front.mock("GET /mock")
    front.deploy()
    return front


@pytest.fixture
def http(apis):
    """The id of an HTTP API with a route to a queue, which the core answers."""
    gateway = apis.client("apigatewayv2")
    api = gateway.create_api(Name="front", ProtocolType="HTTP")["ApiId"]
    gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    integration = gateway.create_integration(
        ApiId=api,
        IntegrationType="AWS_PROXY",
        IntegrationSubtype="SQS-SendMessage",
        PayloadFormatVersion="1.0",
        RequestParameters={"QueueUrl": QUEUE, "MessageBody": "$request.body"},
    )
    gateway.create_route(
        ApiId=api,
        RouteKey="POST /orders",
        Target=f"integrations/{integration['IntegrationId']}",
    )
    return api


def ask(apis, method, path, body=b"tea", headers=()):
    """Status, and whether the core answered alone."""
    before = apis.direct()
    lines = [("host", "localhost"), *headers]
    status, _, _ = apis.core.call((method, f"/_aws/execute-api/{path}", lines, body, ""))
    return status, apis.direct() > before


def test_the_first_request_lets_the_stage_be_compiled(apis, rest, http):
    for method, path in (("GET", f"{rest.id}/dev/mock"), ("POST", f"{http}/orders")):
        assert ask(apis, method, path) == (200, False)
        assert ask(apis, method, path) == (200, True)


def test_a_change_counts_for_the_next_request(apis, rest):
    path = f"{rest.id}/dev/mock"
    ask(apis, "GET", path)
    rest.mock("GET /more")
    assert ask(apis, "GET", path) == (200, True)
    assert ask(apis, "GET", f"{rest.id}/dev/more") == (403, False)
    rest.deploy()
    assert ask(apis, "GET", f"{rest.id}/dev/more") == (200, False)
    assert ask(apis, "GET", f"{rest.id}/dev/more") == (200, True)
    rest.client.delete_stage(restApiId=rest.id, stageName="dev")
    assert ask(apis, "GET", path) == (403, False)


def test_a_deleted_api_is_gone(apis, http):
    path = f"{http}/orders"
    ask(apis, "POST", path)
    assert ask(apis, "POST", path) == (200, True)
    apis.client("apigatewayv2").delete_api(ApiId=http)
    assert ask(apis, "POST", path) == (403, False)


def test_a_reset_forgets_everything(apis, http):
    ask(apis, "POST", f"{http}/orders")
    apis.core.call(("POST", "/_trunkline/reset", [("host", "localhost")], b"", ""))
    assert ask(apis, "POST", f"{http}/orders") == (403, False)


def test_stages_that_are_stored_are_compiled_after_a_restart(tmp_path):
    pytest.importorskip("botocore")
    with trunkline.open(tmp_path) as engine:
        api = engine.api("front").route("POST /orders", engine.queue("orders")).id
    with trunkline.open(tmp_path) as engine:
        apis = Apis(engine)
        assert [ask(apis, "POST", f"{api}/live/orders") for _ in range(2)] == [
            (202, False),
            (202, True),
        ]


def test_what_is_answered_over_a_socket_is_on_disk(tmp_path):
    with trunkline.open(tmp_path, durability="disk") as engine:
        api = engine.api("front").route("POST /orders", engine.queue("orders"))
        with api.serve() as served:
            for number in range(3):
                url, body = f"{served.url}/orders", f"tea {number}".encode()
                with urllib.request.urlopen(url, body, timeout=30) as answer:
                    assert (answer.status, set(json.load(answer))) == (202, {"messageId"})
            with urllib.request.urlopen(f"{served.server.url}/metrics", timeout=30) as told:
                assert b"\ntrunkline_direct_api_requests_total 2\n" in told.read()
    with trunkline.open(tmp_path) as engine:
        found = engine.queue("orders").receive(10)
        assert sorted(message.text() for message in found) == ["tea 0", "tea 1", "tea 2"]


def test_every_resource_of_the_program_is_called_directly(apis):
    engine = apis.engine
    api = engine.api("front")
    bus, stream = engine.bus("shop"), engine.stream("clicks")
    topic, machine = engine.topic("news"), engine.machine("flow", MACHINE)
    targets = {"queue": engine.queue("orders"), "bus": bus, "stream": stream, "topic": topic}
    for name, target in {**targets, "flow": machine}.items():
        api.route(f"POST /{name}", target)
    # Python has to start the first execution.
    ask(apis, "POST", f"{api.id}/live/flow", b"{}")
    for name in (*targets, "flow"):
        assert ask(apis, "POST", f"{api.id}/live/{name}", b"{}") == (202, True), name


def test_throttles_are_shared_and_on_the_clock_of_the_engine(apis, http, rest, clock):
    gateway = apis.client("apigatewayv2")
    settings = {"ThrottlingBurstLimit": 3, "ThrottlingRateLimit": 1.0}
    gateway.update_stage(ApiId=http, StageName="$default", DefaultRouteSettings=settings)
    rest.client.update_stage(
        restApiId=rest.id,
        stageName="dev",
        patchOperations=[
            {"op": "replace", "path": "/*/*/throttling/burstLimit", "value": "3"},
            {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "1"},
        ],
    )
    for method, path in (("POST", f"{http}/orders"), ("GET", f"{rest.id}/dev/mock")):
        # Python takes the first token.
        answers = [ask(apis, method, path) for _ in range(4)]
        assert answers == [(200, False), (200, True), (200, True), (429, True)]
        answer, is_direct = apis.both(method, f"/_aws/execute-api/{path}", [], b"tea")
        assert (answer[0], is_direct) == (429, True)
        clock.advance(1)
        assert ask(apis, method, path) == (200, True)
        assert ask(apis, method, path) == (429, True)
        clock.advance(60)


def test_what_python_has_to_decide_is_never_answered_by_the_core(apis, rest, http):
    client, gateway = rest.client, apis.client("apigatewayv2")

    def never(path, method="GET", **more):
        for _ in range(2):
            assert not ask(apis, method, f"{rest.id}/dev{path}", **more)[1], path

    rest.mock("GET /key", apiKeyRequired=True)
    rest.mock("GET /signed", authorizationType="AWS_IAM")
    validator = client.create_request_validator(
        restApiId=rest.id, name="v", validateRequestParameters=True
    )
    rest.mock("GET /checked", requestValidatorId=validator["id"])
    rest.deploy()
    for path in ("/key", "/signed", "/checked"):
        never(path)
    assert ask(apis, "GET", f"{rest.id}/dev/mock") == (200, True)
    switch = [{"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "true"}]
    client.update_rest_api(restApiId=rest.id, patchOperations=switch)
    never("/mock")
    route = gateway.get_routes(ApiId=http)["Items"][0]["RouteId"]
    gateway.update_route(ApiId=http, RouteId=route, AuthorizationType="AWS_IAM")
    assert [ask(apis, "POST", f"{http}/orders") for _ in range(2)] == [(403, False)] * 2
    gateway.update_route(ApiId=http, RouteId=route, AuthorizationType="NONE")
    assert [ask(apis, "POST", f"{http}/orders") for _ in range(2)][1] == (200, True)
    gateway.update_api(ApiId=http, DisableExecuteApiEndpoint=True)
    assert [ask(apis, "POST", f"{http}/orders") for _ in range(2)] == [(403, False)] * 2


def test_a_stage_with_an_access_log_is_python_s(apis, http):
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:front"
    apis.client("apigatewayv2").update_stage(
        ApiId=http,
        StageName="$default",
        AccessLogSettings={"DestinationArn": group, "Format": "$context.status"},
    )
    assert [ask(apis, "POST", f"{http}/orders") for _ in range(2)] == [(200, False)] * 2


def test_nothing_is_direct_where_signatures_are_proved(engine):
    from trunkline.aws.dispatcher import make_dispatcher

    api = engine.api("front").route("POST /orders", engine.queue("orders"))
    strict = make_dispatcher(engine, auth="strict", credentials=[("key", "secret", None, None)])
    apis = Apis(engine)
    for dispatcher in (strict, apis.core):
        for _ in range(2):
            path = f"/_aws/execute-api/{api.id}/live/orders"
            dispatcher.call(("POST", path, [("host", "localhost")], b"tea", ""))
        assert apis._count(dispatcher) == 0
