"""Tasks that call HTTP APIs, APIs of API Gateway, and S3."""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import ModuleType

import pytest

pytest.importorskip("boto3")

from tests.waiting import until
from trunkline.aws.execute_api import kinds
from trunkline.aws.execute_api.message import ApiResponse

ROLE = "arn:aws:iam::000000000000:role/states"


@pytest.fixture
def states(connect):
    return connect("stepfunctions")


@pytest.fixture
def api():
    """An HTTP API that tells what it was sent, and its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"] or 0)).decode()
            if self.path.startswith("/gone"):
                self.send_error(404)
                return
            told = {"path": self.path, "body": body, "headers": dict(self.headers.items())}
            data = json.dumps(told).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def run(states, resource, parameters):
    task = {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True}
    text = json.dumps({"StartAt": "A", "States": {"A": task}})
    name = f"m{len(states.list_state_machines()['stateMachines'])}"
    made = states.create_state_machine(name=name, definition=text, roleArn=ROLE)
    execution = states.start_execution(stateMachineArn=made["stateMachineArn"])["executionArn"]
    answers = []

    def has_ended():
        answers.append(states.describe_execution(executionArn=execution))
        return answers[-1]["status"] != "RUNNING"

    until(has_ended)
    return answers[-1]


def test_an_http_api_is_called_with_what_the_connection_adds(states, connect, api):
    made = connect("events").create_connection(
        Name="shop",
        AuthorizationType="API_KEY",
        AuthParameters={
            "ApiKeyAuthParameters": {"ApiKeyName": "x-key", "ApiKeyValue": "secret"},
            "InvocationHttpParameters": {
                "QueryStringParameters": [{"Key": "by", "Value": "connection"}],
                "BodyParameters": [{"Key": "shop", "Value": "one"}],
            },
        },
    )
    parameters = {
        "ApiEndpoint": f"{api}/orders",
        "Method": "POST",
        "Authentication": {"ConnectionArn": made["ConnectionArn"]},
        "Headers": {"x-own": "1", "X-Key": "mine"},
        "QueryParameters": {"by": "task", "many": ["a", "b"]},
        "RequestBody": {"total": 3},
    }
    answer = run(states, "arn:aws:states:::http:invoke", parameters)
    output = json.loads(answer["output"])
    assert (output["StatusCode"], output["StatusText"]) == (200, "OK")
    assert output["Headers"]["content-type"] == ["application/json"]
    seen = output["ResponseBody"]
    assert seen["path"] == "/orders?many=a&many=b&by=connection"
    assert json.loads(seen["body"]) == {"total": 3, "shop": "one"}
    headers = {name.lower(): value for name, value in seen["headers"].items()}
    assert (headers["x-key"], headers["x-own"]) == ("secret", "1")
    # The secret is not in the history.
    history = states.get_execution_history(executionArn=answer["executionArn"])
    assert "secret" not in json.dumps(history["events"][:4], default=str)

    gone = run(states, "arn:aws:states:::http:invoke", {**parameters, "ApiEndpoint": f"{api}/gone"})
    assert gone["error"] == "States.Http.StatusCode.404"
    form = {"RequestBodyEncoding": "URL_ENCODED"}
    body = {"RequestBody": {"a": [1, 2]}, "Transform": form}
    sent = run(states, "arn:aws:states:::http:invoke", {**parameters, **body})
    assert json.loads(sent["output"])["ResponseBody"]["body"] == "a%5B0%5D=1&a%5B1%5D=2&shop=one"


def test_a_task_without_a_usable_connection_fails(states, api):
    arn = "arn:aws:events:us-east-1:000000000000:connection/none/1"
    parameters = {"ApiEndpoint": api, "Method": "POST"}
    answer = run(states, "arn:aws:states:::http:invoke", parameters)
    assert "ConnectionArn" in answer["cause"]
    parameters["Authentication"] = {"ConnectionArn": arn}
    answer = run(states, "arn:aws:states:::http:invoke", parameters)
    assert (answer["error"], "does not exist" in answer["cause"]) == ("States.Runtime", True)


def test_an_api_of_api_gateway_gets_the_request_of_a_task(states, monkeypatch):
    seen = []

    def invoke(apis, request):
        seen.append(request)
        if request.path.startswith("/none"):
            return ApiResponse(403, [], b'{"message":"Forbidden"}')
        return ApiResponse(200, [("Content-Type", "application/json")], b'{"paid":true}')

    kind = ModuleType("an_api")
    kind.invoke = invoke
    monkeypatch.setitem(sys.modules, "an_api", kind)
    monkeypatch.setattr(kinds, "KINDS", ("an_api",))
    parameters = {
        "ApiEndpoint": "abc123.execute-api.us-east-1.amazonaws.com",
        "Method": "post",
        "Stage": "dev",
        "Path": "/orders/a b",
        "QueryParameters": {"by": ["x", "y"]},
        "Headers": {"X-Own": ["1"]},
        "RequestBody": {"total": 3},
        "AuthType": "IAM_ROLE",
    }
    answer = run(states, "arn:aws:states:::apigateway:invoke", parameters)
    output = json.loads(answer["output"])
    assert (output["StatusCode"], output["ResponseBody"]) == (200, {"paid": True})
    (request,) = seen
    assert (request.api, request.method, request.path) == ("abc123", "POST", "/dev/orders/a%20b")
    assert (request.query, request.body) == ("by=x&by=y", b'{"total":3}')
    assert request.header("x-own") == "1"
    assert request.signer == ("000000000000", "us-east-1", "states")
    # The endpoint as this server has it, and LocalStack: the path names the API.
    for base in ("http://127.0.0.1:4566/_aws/execute-api/", "localhost:4566/restapis/"):
        local = {**parameters, "ApiEndpoint": f"{base}abc123"}
        assert "output" in run(states, "arn:aws:states:::apigateway:invoke", local)
    assert [request.api for request in seen] == ["abc123"] * 3
    refused = run(states, "arn:aws:states:::apigateway:invoke", {**parameters, "Stage": "none"})
    assert (refused["error"], refused["cause"]) == ("ApiGateway.403", '{"message":"Forbidden"}')


def test_objects_are_put_listed_and_read(states, connect):
    connect("s3").create_bucket(Bucket="shop")
    sdk = "arn:aws:states:::aws-sdk:s3:"
    place = {"Bucket": "shop", "Key": "a/1"}
    run(states, f"{sdk}putObject", {**place, "Body": {"total": 3}})
    found = json.loads(run(states, f"{sdk}getObject", place)["output"])
    assert (found["Body"], found["ContentLength"]) == ('{"total":3}', 11)
    copy = {"Bucket": "shop", "Key": "b", "CopySource": "shop/a/1"}
    assert "output" in run(states, f"{sdk}copyObject", copy)
    prefix = {"Bucket": "shop", "Prefix": "a/"}
    listed = json.loads(run(states, f"{sdk}listObjectsV2", prefix)["output"])
    assert [one["Key"] for one in listed["Contents"]] == ["a/1"]
    run(states, f"{sdk}deleteObject", place)
    missing = run(states, f"{sdk}headObject", place)
    assert missing["error"] == "S3.NoSuchKeyException"
    other = connect("s3", account="111111111111")
    other.create_bucket(Bucket="foreign")
    refused = run(states, f"{sdk}getObject", {"Bucket": "foreign", "Key": "a"})
    assert "Access Denied" in refused["cause"]
