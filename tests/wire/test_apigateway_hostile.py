"""Mistakes and attacks at API Gateway: each is refused, and nothing is half applied."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from front import Front, function_uri, uri

from trunkline.aws.apigateway.front.authorizing import effect_of
from trunkline.server import Server

botocore = pytest.importorskip("botocore.exceptions")
pytest.importorskip("jsonschema")

LONG = "a" * 5_000 + "!"
"""A pattern that tracks back, as `(a+)+$` does, would never end with this."""


def refused(call: Any, operation: dict[str, str], **given: Any) -> str:
    with pytest.raises(botocore.ClientError) as told:
        call(**given, patchOperations=[operation])
    answer = told.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] in (400, 404)
    return answer["Error"]["Code"]


def replace(path: str, value: str = "") -> dict[str, str]:
    return {"op": "replace", "path": path, "value": value}


def test_a_patch_that_empties_what_is_needed_is_refused(make):
    front = make()
    front.mock("GET /a")
    client, api = front.client, {"restApiId": front.id}
    where = {**api, "resourceId": front.resource("/a")}
    assert refused(client.update_resource, replace("/parentId"), **where) == "NotFoundException"
    patched = client.update_integration, replace("/passthroughBehavior")
    assert refused(*patched, **where, httpMethod="GET") == "BadRequestException"
    uri = function_uri("arn:aws:lambda:us-east-1:000000000000:function:f")
    made = client.create_authorizer(**api, name="a", type="TOKEN", authorizerUri=uri)
    where = {**api, "authorizerId": made["id"]}
    assert refused(client.update_authorizer, replace("/type"), **where) == "ValidationException"
    assert refused(client.update_authorizer, replace("/name"), **where) == "BadRequestException"
    kept = client.get_authorizer(**where)
    assert (kept["name"], kept["type"]) == ("a", "TOKEN")


@pytest.mark.parametrize("path", ["", "x"])
def test_a_path_of_a_stage_begins_with_a_slash(make, path):
    front = make()
    front.mock("GET /a")
    front.deploy()
    where = {"restApiId": front.id, "stageName": "dev"}
    assert refused(front.client.update_stage, replace(path, "x"), **where) == "BadRequestException"


@pytest.mark.parametrize("value", ["1e999", "nan", "-inf", "9" * 400, "2147483648", "1.5"])
def test_a_number_of_a_patch_is_whole_and_has_32_bits(make, value):
    front = make()
    call, where = front.client.update_rest_api, {"restApiId": front.id}
    operation = replace("/minimumCompressionSize", value)
    assert refused(call, operation, **where) == "BadRequestException"
    assert "minimumCompressionSize" not in front.client.get_rest_api(**where)


def test_a_list_in_a_map_is_patched_by_its_own_path(make):
    front = make()
    operation = {"op": "add", "path": "/endpointConfiguration/types", "value": "REGIONAL"}
    changed = front.client.update_rest_api(restApiId=front.id, patchOperations=[operation])
    assert "REGIONAL" in changed["endpointConfiguration"]["types"]
    operation = {"op": "add", "path": "/endpointConfiguration/types", "value": ""}
    again = front.client.update_rest_api(restApiId=front.id, patchOperations=[operation])
    assert again["endpointConfiguration"] == changed["endpointConfiguration"]


def test_a_selection_pattern_does_not_track_back(make, engine):
    def fail(event, context):
        raise ValueError(LONG)

    front = make()
    uri = function_uri(engine.function("fail", fail).arn)
    integration = {"type": "AWS", "integrationHttpMethod": "POST", "uri": uri}
    answers = {
        "200": {},
        "418": {"selectionPattern": "(a+)+$"},
        "409": {"selectionPattern": "a.*!"},
    }
    front.method("POST /", integration, answers)
    front.deploy()
    assert front.send("POST /").status == 409
    where = {"restApiId": front.id, "resourceId": front.resource("/"), "httpMethod": "POST"}
    where["statusCode"] = "200"
    operation = replace("/selectionPattern", "(a)\\1")
    call = front.client.update_integration_response
    assert refused(call, operation, **where) == "BadRequestException"


def test_patterns_of_a_model_do_not_track_back(make):
    front = make()
    client, api = front.client, {"restApiId": front.id}
    schema = {
        "properties": {"name": {"pattern": "^(a+)+$"}, "all": {"uniqueItems": True}},
        "patternProperties": {"^(x+)+$": {"type": "number"}},
        "additionalProperties": False,
    }
    client.create_model(
        **api, name="Pet", contentType="application/json", schema=json.dumps(schema)
    )
    made = client.create_request_validator(**api, name="v", validateRequestBody=True)
    models = {"application/json": "Pet"}
    front.mock("POST /", requestValidatorId=made["id"], requestModels=models)
    front.deploy()
    for body, status in (
        ({"name": "aaa", "xx": 1, "all": [1, "1", True, [1]]}, 200),
        ({"name": LONG}, 400),
        ({"xx": "1"}, 400),
        ({"x" * 5_000 + "!": 1}, 400),
        ({"all": [1, "a", 1.0]}, 400),
    ):
        assert front.send("POST /", json.dumps(body)).status == status, str(body)[:60]


@pytest.mark.parametrize("status", [float("inf"), -5, 0, 101, 99_999, True, "x"])
def test_a_status_that_is_none_is_a_malformed_answer(make, engine, status):
    front = make()
    uri = function_uri(engine.function("f", lambda event, context: {"statusCode": status}).arn)
    front.method("GET /", {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": uri})
    front.mock("GET /set", "#set($context.responseOverride.status = 99999)x")
    front.deploy()
    for path, expected in (("/", 502), ("/set", 500)):
        answer = front.send(f"GET {path}")
        assert answer.status == expected
        assert answer.headers["x-amzn-errortype"] == "InternalServerErrorException"


def test_a_token_is_compared_with_its_pattern_in_linear_time(make, engine):
    def authorizer(event, context):
        allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        return {"principalId": "p", "policyDocument": {"Statement": [allow]}}

    front = make()
    made = front.client.create_authorizer(
        restApiId=front.id,
        name="a",
        type="TOKEN",
        authorizerUri=function_uri(engine.function("who", authorizer).arn),
        identitySource="method.request.header.Authorization",
        identityValidationExpression="(a+)+$",
    )
    front.mock("GET /", authorizationType="CUSTOM", authorizerId=made["id"])
    front.deploy()
    assert front.send("GET /", headers={"authorization": "aaa"}).status == 200
    assert front.send("GET /", headers={"authorization": LONG}).status == 401


@pytest.mark.parametrize(
    "excluded", [{"NotAction": "s3:*", "Resource": "*"}, {"Action": "*", "NotResource": "x"}]
)
def test_a_denial_of_all_but_some_counts(excluded):
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    arn = "arn:aws:execute-api:us-east-1:000000000000:api/dev/GET/"
    assert effect_of([allow, {"Effect": "Deny", **excluded}], arn) == "Deny"


@pytest.mark.parametrize("form", ["path", "action"])
def test_an_api_has_no_more_rights_than_its_account_where_these_are_proved(engine, form):
    boto3 = pytest.importorskip("boto3")
    owner, stranger = "111111111111", "222222222222"
    known = [(f"AKIA{account}", "secret", None, account) for account in (owner, stranger)]
    with Server(engine, port=0, auth="strict", credentials=known) as server:

        def client(service: str, account: str) -> Any:
            return boto3.session.Session().client(
                service,
                region_name="us-east-1",
                endpoint_url=server.url,
                aws_access_key_id=f"AKIA{account}",
                aws_secret_access_key="secret",
            )

        front = Front(client("apigateway", stranger), engine, server.url)
        for account in (owner, stranger):
            url = client("sqs", account).create_queue(QueueName="q")["QueueUrl"]
            called, text = "sqs:action/SendMessage", {"QueueUrl": url, "MessageBody": "a b"}
            kind, template = "application/x-amz-json-1.0", json.dumps(text)
            if form == "path":
                called, template = f"sqs:path/{account}/q", "Action=SendMessage&MessageBody=a+b"
                kind = "application/x-www-form-urlencoded"
            integration = {
                "type": "AWS",
                "integrationHttpMethod": "POST",
                "uri": uri(called),
                "requestParameters": {"integration.request.header.Content-Type": f"'{kind}'"},
                "requestTemplates": {"application/json": template},
            }
            refused = {"selectionPattern": "4[0-9]{2}"}
            front.method(f"GET /{account}", integration, {"200": {}, "403": refused})
        front.deploy()
        assert front.send(f"GET /{stranger}").status == 200
        assert front.send(f"GET /{owner}").status == 403
        url = client("sqs", owner).get_queue_url(QueueName="q")["QueueUrl"]
        assert "Messages" not in client("sqs", owner).receive_message(QueueUrl=url)


def test_an_http_api_reaches_its_own_account_alone_where_callers_are_proved(engine):
    boto3 = pytest.importorskip("boto3")
    owner, stranger = "111111111111", "222222222222"
    known = [(f"AKIA{account}", "secret", None, account) for account in (owner, stranger)]
    with Server(engine, port=0, auth="strict", credentials=known) as server:

        def client(service: str, account: str) -> Any:
            return boto3.session.Session().client(
                service,
                region_name="us-east-1",
                endpoint_url=server.url,
                aws_access_key_id=f"AKIA{account}",
                aws_secret_access_key="secret",
            )

        apis = client("apigatewayv2", stranger)
        api = apis.create_api(Name="a", ProtocolType="HTTP")["ApiId"]
        for account in (owner, stranger):
            url = client("sqs", account).create_queue(QueueName="q")["QueueUrl"]
            made = apis.create_integration(
                ApiId=api,
                IntegrationType="AWS_PROXY",
                IntegrationSubtype="SQS-SendMessage",
                PayloadFormatVersion="1.0",
                CredentialsArn=f"arn:aws:iam::{stranger}:role/r",
                RequestParameters={"QueueUrl": url, "MessageBody": "$request.path"},
            )
            target = f"integrations/{made['IntegrationId']}"
            apis.create_route(ApiId=api, RouteKey=f"GET /{account}", Target=target)
        apis.create_stage(ApiId=api, StageName="dev", AutoDeploy=True)
        where = urlsplit(server.url).netloc
        for account, status in ((owner, 403), (stranger, 200)):
            connection = HTTPConnection(where, timeout=30)
            connection.request("GET", f"/_aws/execute-api/{api}/dev/{account}")
            assert connection.getresponse().status == status
            connection.close()
