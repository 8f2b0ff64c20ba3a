"""Invoking REST APIs: the same claims over a socket and in the process."""

from __future__ import annotations

import base64
import gzip
import json
import zlib

import pytest
from front import function_uri, uri

import trunkline

pytest.importorskip("boto3")


def test_an_api_is_reached_by_all_its_addresses(make):
    front = make()
    front.mock("GET /pets")
    front.deploy()
    assert front.send("GET /pets").json == {"ok": True}
    assert front.send("GET /pets", form="/restapis/{api}/dev/_user_request_").status == 200
    host = "{api}.execute-api.localhost:4566"
    assert front.send("GET /pets", form="/dev", host=host).status == 200
    assert front.send("GET /pets", form="/_aws/execute-api/{api}/prod").status == 403


def test_a_static_part_wins_over_a_variable_and_that_over_a_greedy_one(make):
    front = make()
    for path in ("/a/b", "/a/{id}", "/{all+}"):
        front.mock(f"GET {path}", json.dumps({"path": path}))
    front.mock("POST /a/b", '{"path": "post"}')
    front.deploy()
    for sent, path in (
        ("/a/b", "/a/b"),
        ("/a/c", "/a/{id}"),
        ("/a/c/d", "/{all+}"),
        ("/x", "/{all+}"),
    ):
        assert front.send(f"GET {sent}").json == {"path": path}
    missing = front.send("DELETE /a/b")
    assert (missing.status, missing.json) == (403, {"message": "Missing Authentication Token"})
    assert missing.headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"


def test_a_deployment_is_a_snapshot(make):
    front = make()
    front.mock("GET /one")
    front.deploy()
    front.mock("GET /two")
    assert front.send("GET /two").status == 403
    front.deploy()
    assert front.send("GET /two").status == 200


def test_a_function_is_called_as_a_proxy(make, engine):
    seen = []

    def handler(event, context):
        seen.append(event)
        headers = {"X-Own": "yes", "Content-Type": "text/plain"}
        cookies = {"Set-Cookie": ["a=1", "b=2"]}
        answer = {"statusCode": 201, "headers": headers, "body": event["body"]}
        return {**answer, "multiValueHeaders": cookies}

    front = make()
    arn = engine.function("echo", handler).arn
    integration = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": function_uri(arn)}
    front.method("ANY /{proxy+}", integration)
    front.deploy(variables={"color": "red"})
    answer = front.send("POST /a/b%20c?x=1&x=2&y=z", "tea", {"x-api-version": "7"})
    assert (answer.status, answer.body, answer.headers["x-own"]) == (201, b"tea", "yes")
    event = seen[0]
    assert (event["resource"], event["path"]) == ("/{proxy+}", "/a/b%20c")
    assert event["pathParameters"] == {"proxy": "a/b%20c"}
    assert event["queryStringParameters"] == {"x": "2", "y": "z"}
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"], "y": ["z"]}
    assert event["headers"]["X-Api-Version"] == "7"
    assert event["stageVariables"] == {"color": "red"}
    assert event["requestContext"]["stage"] == "dev"
    assert event["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"
    assert (event["body"], event["isBase64Encoded"]) == ("tea", False)


@pytest.mark.parametrize("answer", ["text", {"statusCode": "x"}, {"wrong": 1}, {"headers": 1}])
def test_a_function_that_answers_wrongly_is_a_bad_gateway(make, engine, answer):
    front = make()
    arn = engine.function("wrong", lambda event, context: answer).arn
    integration = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": function_uri(arn)}
    front.method("GET /", integration)
    front.deploy()
    found = front.send("GET /")
    assert (found.status, found.json) == (502, {"message": "Internal server error"})


def test_errors_of_a_function_select_an_answer(make, engine):
    def handler(event, context):
        if event["id"] == "7":
            return {"found": 7}
        raise KeyError(f"no pet {event['id']}")

    front = make()
    integration = {
        "type": "AWS",
        "integrationHttpMethod": "POST",
        "uri": function_uri(engine.function("pets", handler).arn),
        "requestTemplates": {"application/json": '{"id": "$input.params(\'id\')"}'},
    }
    told = {"application/json": '{"error": $input.json("$.errorMessage")}'}
    answers = {
        "200": {},
        "404": {"selectionPattern": ".*no pet.*", "responseTemplates": told},
    }
    front.method("GET /{id}", integration, answers)
    front.deploy()
    assert front.send("GET /7").json == {"found": 7}
    missing = front.send("GET /8")
    assert missing.status == 404
    assert "no pet 8" in missing.json["error"]


def test_a_queue_gets_messages_by_path(make, engine):
    queue = engine.queue("orders")
    front = make()
    integration = {
        "type": "AWS",
        "integrationHttpMethod": "POST",
        "uri": uri("sqs:path/000000000000/orders"),
        "requestParameters": {
            "integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"
        },
        "requestTemplates": {
            "application/json": "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"
        },
    }
    template = '{"id": $input.json("$.SendMessageResponse.SendMessageResult.MessageId")}'
    answers = {"202": {"responseTemplates": {"application/json": template}}}
    front.method("POST /orders", integration, answers)
    front.deploy()
    answer = front.send("POST /orders", '{"tea": "a&b=c %"}', {"content-type": "application/json"})
    (message,) = queue.receive()
    assert (answer.status, answer.json["id"]) == (202, message.message_id)
    assert message.text() == '{"tea": "a&b=c %"}'


def test_services_are_called_by_action(make, engine, connect):
    stream = connect("kinesis")
    stream.create_stream(StreamName="clicks", ShardCount=1)
    bus_queue = engine.queue("events")
    engine.bus("default").rule("all", {"source": ["front"]}, bus_queue)
    front = make()
    record = (
        '{"StreamName": "clicks", "PartitionKey": "k", "Data": "$util.base64Encode($input.body)"}'
    )
    entry = '{"Entries": [{"Source": "front", "DetailType": "made", "Detail": "{}"}]}'
    for path, action, template in (
        ("/record", "kinesis:action/PutRecord", record),
        ("/event", "events:action/PutEvents", entry),
    ):
        integration = {
            "type": "AWS",
            "integrationHttpMethod": "POST",
            "uri": uri(action),
            "requestTemplates": {"application/json": template},
        }
        answers = {"200": {}, "400": {"selectionPattern": r"4\d\d"}}
        front.method(f"POST {path}", integration, answers)
    front.deploy()
    assert front.send("POST /record", "click").json["SequenceNumber"]
    assert front.send("POST /event").json["FailedEntryCount"] == 0
    assert json.loads(bus_queue.receive(wait=20)[0].text())["detail-type"] == "made"


def test_an_execution_is_started(make, engine):
    done = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}}
    machine = engine.machine("flow", done)
    front = make()
    template = f'{{"stateMachineArn": "{machine.arn}", "input": "{{}}"}}'
    integration = {
        "type": "AWS",
        "integrationHttpMethod": "POST",
        "uri": uri("states:action/StartExecution"),
        "requestTemplates": {"application/json": template},
    }
    front.method("POST /", integration, {"200": {}})
    front.deploy()
    assert ":execution:flow:" in front.send("POST /").json["executionArn"]


def test_a_service_that_is_not_served_is_no_success(make):
    front = make()
    integration = {
        "type": "AWS",
        "integrationHttpMethod": "POST",
        "uri": uri("dynamodb:action/Query"),
    }
    front.method("POST /", integration, {"200": {}})
    front.deploy()
    assert front.send("POST /").status == 500


def test_addresses_of_metadata_are_not_reached(make):
    front = make()
    given = {"type": "HTTP", "integrationHttpMethod": "GET"}
    front.method("GET /", {**given, "uri": "http://169.254.169.254/latest"}, {"200": {}})
    front.deploy()
    refused = front.send("GET /")
    told = "Network error communicating with endpoint"
    assert (refused.status, refused.json) == (504, {"message": told})


def test_parameters_and_bodies_are_checked(make):
    front = make()
    api = {"restApiId": front.id}
    model = {"type": "object", "required": ["tea"], "properties": {"tea": {"type": "integer"}}}
    front.client.create_model(
        **api, name="Order", contentType="application/json", schema=json.dumps(model)
    )
    ref = f"https://apigateway.amazonaws.com/restapis/{front.id}/models/Order"
    many = json.dumps({"type": "array", "items": {"$ref": ref}})
    front.client.create_model(**api, name="Orders", contentType="application/json", schema=many)
    validator = front.client.create_request_validator(
        **api, name="all", validateRequestBody=True, validateRequestParameters=True
    )["id"]
    front.mock(
        "POST /",
        requestValidatorId=validator,
        requestParameters={"method.request.querystring.n": True},
        requestModels={"application/json": "Orders"},
    )
    front.deploy()
    assert front.send("POST /?n=1", '[{"tea": 1}]').status == 200
    refused = front.send("POST /", '[{"tea": 1}]')
    assert refused.status == 400
    assert refused.json == {"message": "Missing required request parameters: [n]"}
    for body in ('[{"tea": "x"}]', "[{}]", "{", ""):
        refused = front.send("POST /?n=1", body)
        assert (refused.status, refused.json) == (400, {"message": "Invalid request body"}), body


def test_a_template_for_no_content_type_is_refused_or_passed(make):
    front = make()
    for path, behavior in (("/never", "NEVER"), ("/none", "WHEN_NO_TEMPLATES")):
        template = {"application/json": '{"statusCode": 200}'}
        integration = {
            "type": "MOCK",
            "requestTemplates": template,
            "passthroughBehavior": behavior,
        }
        front.method(f"POST {path}", integration, {"200": {}})
    front.deploy()
    xml = {"content-type": "application/xml"}
    for path in ("/never", "/none"):
        assert front.send(f"POST {path}", "<a/>", xml).status == 415
        assert front.send(f"POST {path}", "{}").status == 200


def test_gateway_responses_are_the_apis_own(make):
    front = make()
    front.mock("GET /x")
    front.client.put_gateway_response(
        restApiId=front.id,
        responseType="MISSING_AUTHENTICATION_TOKEN",
        statusCode="404",
        responseParameters={"gatewayresponse.header.X-Why": "'lost'"},
        responseTemplates={"application/json": '{"error": $context.error.messageString}'},
    )
    front.deploy()
    lost = front.send("GET /y")
    assert (lost.status, lost.json) == (404, {"error": "Missing Authentication Token"})
    assert lost.headers["x-why"] == "lost"


def test_bytes_come_through_for_binary_types(make, engine):
    def handler(event, context):
        assert event["isBase64Encoded"]
        image = {"Content-Type": "image/png"}
        return {"body": event["body"], "isBase64Encoded": True, "headers": image}

    front = make(binaryMediaTypes=["image/png"])
    arn = engine.function("image", handler).arn
    integration = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": function_uri(arn)}
    front.method("POST /", integration)
    front.deploy()
    png = bytes(range(256))
    headers = {"content-type": "image/png", "accept": "image/png"}
    assert front.send("POST /", png, headers).body == png
    text = front.send("POST /", png, {**headers, "accept": "text/plain"}).body
    assert base64.b64decode(text) == png


def test_access_is_logged(make, connect):
    logs = connect("logs")
    logs.create_log_group(logGroupName="access")
    front = make()
    front.mock("GET /a")
    front.deploy()
    line = "$context.httpMethod $context.resourcePath $context.status $context.nothing"
    patches = [
        {
            "op": "replace",
            "path": "/accessLogSettings/destinationArn",
            "value": "arn:aws:logs:us-east-1:000000000000:log-group:access",
        },
        {"op": "replace", "path": "/accessLogSettings/format", "value": line},
    ]
    front.client.update_stage(restApiId=front.id, stageName="dev", patchOperations=patches)
    front.send("GET /a")
    front.send("GET /b")
    (stream,) = logs.describe_log_streams(logGroupName="access")["logStreams"]
    events = logs.get_log_events(logGroupName="access", logStreamName=stream["logStreamName"])
    lines = [event["message"] for event in events["events"]]
    assert lines == ["GET /a 200 -", "GET - 403 -"]


def test_a_method_is_tried_without_a_stage(make):
    front = make()
    front.mock("GET /pets/{id}", '{"id": "$input.params(\'id\')"}')
    told = front.client.test_invoke_method(
        restApiId=front.id,
        resourceId=front.resource("/pets/{id}"),
        httpMethod="GET",
        pathWithQueryString="/pets/7?x=1",
    )
    assert (told["status"], json.loads(told["body"])) == (200, {"id": "7"})
    assert "Method request path: {id=7}" in told["log"]


def test_a_canary_gets_its_share(make):
    front = make()
    front.mock("GET /", '{"color": "$stageVariables.color"}')
    front.deploy(variables={"color": "red"})
    canary = {"percentTraffic": 100.0, "stageVariableOverrides": {"color": "blue"}}
    front.deploy(canarySettings=canary)
    assert front.send("GET /").json == {"color": "blue"}
    patches = [{"op": "replace", "path": "/canarySettings/percentTraffic", "value": "0"}]
    front.client.update_stage(restApiId=front.id, stageName="dev", patchOperations=patches)
    assert front.send("GET /").json == {"color": "red"}


def test_a_body_that_is_too_long_is_refused(make):
    front = make()
    front.mock("POST /")
    front.deploy()
    assert front.send("POST /", b"x" * 10_485_761).status == 413


def test_an_api_answers_browsers_itself(make):
    front = make()
    template = {"application/json": '{"statusCode": 200}'}
    integration = {"type": "MOCK", "requestTemplates": template}
    origin = {"method.response.header.Access-Control-Allow-Origin": "'https://shop.example'"}
    front.method("OPTIONS /", integration, {"200": {"responseParameters": origin}})
    front.deploy()
    asked = {"origin": "http://localhost:3000", "access-control-request-method": "GET"}
    answer = front.send("OPTIONS /", headers=asked)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"


def test_an_api_of_a_closed_engine_lives_on_in_its_folder(tmp_path):
    boto3 = pytest.importorskip("boto3")
    del boto3
    with trunkline.open(tmp_path) as engine:
        orders = engine.queue("orders")
        engine.api("front").route("POST /orders", orders)
    with trunkline.open(tmp_path) as engine:
        api = engine.api("front")
        assert api.routes() == ["POST /orders"]
        assert api.request("POST", "/orders", "tea").status == 202
        assert engine.queue("orders").receive()[0].text() == "tea"


def test_bodies_are_compressed_where_the_api_says_so(make, engine):
    def handler(event, context):
        return {"statusCode": 200, "body": event["body"] or ""}

    arn = engine.function("echo", handler).arn
    integration = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": function_uri(arn)}
    front = make(minimumCompressionSize=100)
    front.method("POST /", integration)
    front.deploy()
    text = "tea " * 100
    sent = gzip.compress(text.encode())
    takes = {"accept-encoding": "br, gzip"}
    answer = front.send("POST /", sent, {**takes, "content-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(answer.body).decode() == text
    answer = front.send("POST /", zlib.compress(text.encode()), {"content-encoding": "deflate"})
    assert (answer.body.decode(), "content-encoding" in answer.headers) == (text, False)
    assert front.send("POST /", "short", takes).body == b"short"
    refused = front.send("POST /", "no gzip", {"content-encoding": "gzip"})
    assert (refused.status, refused.json) == (400, {"message": "Invalid request body"})
    bomb = gzip.compress(bytes(11_000_000))
    assert front.send("POST /", bomb, {"content-encoding": "gzip"}).status == 413
    plain = make()
    plain.method("POST /", integration)
    plain.deploy()
    assert plain.send("POST /", text, takes).body.decode() == text
