"""URLs of functions: what a request over HTTP becomes, and what the answer of the function does."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

import pytest

pytest.importorskip("boto3")
import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

import trunkline.aws
from trunkline.server import Server

PAGE = "http://localhost:3000"


def ask(server, url, method="GET", body=None, *, host=None, **headers):
    target = urlsplit(url)
    path = target.path + (f"?{target.query}" if target.query else "")
    connection = http.client.HTTPConnection(*server.address, timeout=30)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, ({"Host": host} if host else {}) | named)
    response = connection.getresponse()
    answer = response.status, response.read(), dict(response.getheaders())
    connection.close()
    return answer


@pytest.fixture
def client(engine, server):
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client("lambda", endpoint_url=server.url, region_name="us-east-1", **keys)


def url_of(client, engine, handler, auth="NONE", **options):
    engine.function("front", handler)
    made = client.create_function_url_config(FunctionName="front", AuthType=auth, **options)
    told = client.get_function_url_config(FunctionName="front")
    assert told["FunctionUrl"] == made["FunctionUrl"]
    return made["FunctionUrl"]


def test_a_request_becomes_an_event_of_format_2(client, engine, server):
    url = url_of(client, engine, lambda event, context: event)
    id = url.rstrip("/").rpartition("/")[2]
    headers = {"Cookie": "a=1; b=2", "Content_Type": "application/json", "X_One": "1"}
    status, body, _ = ask(server, f"{url}my/p%20ath?p=1&p=2&q=%C3%BC", "POST", '{"n":1}', **headers)
    event = json.loads(body)
    assert (status, event["version"], event["rawPath"]) == (200, "2.0", "/my/p%20ath")
    assert event["rawQueryString"] == "p=1&p=2&q=%C3%BC"
    assert event["queryStringParameters"] == {"p": "1,2", "q": "ü"}
    assert (event["cookies"], event["headers"]["x-one"]) == (["a=1", "b=2"], "1")
    assert (event["body"], event["isBase64Encoded"]) == ('{"n":1}', False)
    about = event["requestContext"]
    assert (about["apiId"], about["accountId"], about["stage"]) == (id, "anonymous", "$default")
    assert about["http"]["method"] == "POST"
    assert about["domainName"] == f"{id}.lambda-url.us-east-1.on.aws"
    # The same function by its host.
    for host in (about["domainName"], f"{id}.lambda-url.us-east-1.localhost:4566"):
        status, body, _ = ask(server, f"{server.url}/by-host", host=host)
        assert (status, json.loads(body)["rawPath"]) == (200, "/by-host")


def test_bytes_come_and_go_in_base64(client, engine, server):
    def echo(event, context):
        assert event["isBase64Encoded"]
        return {"statusCode": 201, "body": event["body"], "isBase64Encoded": True}

    url = url_of(client, engine, echo)
    content = bytes(range(256))
    status, body, _ = ask(server, url, "PUT", content, Content_Type="image/png")
    assert (status, body) == (201, content)


@pytest.mark.parametrize(
    ("result", "status", "body"),
    [
        ({"statusCode": 404, "body": "no", "headers": {"X-A": 1}}, 404, b"no"),
        ({"statusCode": "302", "cookies": ["a=1", "b=2"]}, 302, b""),
        ({"n": 1}, 200, b'{"n": 1}'),
        ("text", 200, b"text"),
        (None, 200, b"null"),
        ({"statusCode": "none"}, 502, b'{"Message": "Internal Server Error"}'),
        ({"statusCode": 200, "headers": 5}, 502, b'{"Message": "Internal Server Error"}'),
    ],
)
def test_the_result_says_what_is_answered(client, engine, server, result, status, body):
    url = url_of(client, engine, lambda event, context: result)
    assert ask(server, url)[:2] == (status, body)


def test_a_failure_and_a_url_of_nothing(client, engine, server):
    def fail(event, context):
        raise ValueError("secret")

    url = url_of(client, engine, fail)
    status, body, _ = ask(server, url)
    assert (status, b"secret" in body) == (502, False)
    client.delete_function_url_config(FunctionName="front")
    assert ask(server, url)[0] == 404
    assert ask(server, f"{server.url}/_aws/lambda-url/none/")[0] == 404
    with pytest.raises(ClientError, match="RESPONSE_STREAM"):
        client.create_function_url_config(
            FunctionName="front", AuthType="NONE", InvokeMode="RESPONSE_STREAM"
        )


def signed(server, url, credentials):
    request = AWSRequest("GET", url)
    SigV4Auth(credentials, "lambda", "us-east-1").add_auth(request)
    return ask(server, url, **dict(request.headers.items()))


def test_a_url_of_iam_needs_a_signature(client, engine, server):
    url = url_of(client, engine, lambda event, context: event, "AWS_IAM")
    assert ask(server, url)[0] == 403
    status, body, _ = signed(server, url, Credentials("111111111111", "any"))
    told = json.loads(body)["requestContext"]
    assert (status, told["accountId"]) == (200, "111111111111")
    assert told["authorizer"]["iam"]["accountId"] == "111111111111"


def test_policies_count_where_signatures_are_proved(engine):
    owner, other = "111111111111", "222222222222"
    known = [("AKIAOWNER", "secret", None, owner), ("AKIAOTHER", "secret", None, other)]
    engine.function("front", lambda event, context: "in", account=owner, region="us-east-1")
    with Server(engine, port=0, auth="strict", credentials=known) as server:
        keys = {"aws_access_key_id": "AKIAOWNER", "aws_secret_access_key": "secret"}
        client = boto3.client("lambda", endpoint_url=server.url, region_name="us-east-1", **keys)
        given = {"FunctionName": "front"}
        url = client.create_function_url_config(**given, AuthType="AWS_IAM")["FunctionUrl"]
        stranger = Credentials("AKIAOTHER", "secret")
        assert ask(server, url)[0] == 403
        assert signed(server, url, Credentials("AKIAOWNER", "wrong"))[0] == 403
        assert signed(server, url, Credentials("AKIAOWNER", "secret"))[:2] == (200, b"in")
        assert signed(server, url, stranger)[0] == 403
        allowed = {"Action": "lambda:InvokeFunctionUrl"}
        client.add_permission(
            **given, **allowed, StatementId="a", Principal=other, FunctionUrlAuthType="AWS_IAM"
        )
        assert signed(server, url, stranger)[0] == 200
        client.update_function_url_config(**given, AuthType="NONE")
        assert ask(server, url)[0] == 403
        client.add_permission(
            **given, **allowed, StatementId="b", Principal="*", FunctionUrlAuthType="NONE"
        )
        assert ask(server, url)[:2] == (200, b"in")


def test_the_cors_settings_speak_to_pages(client, engine, server):
    cors = {
        "AllowOrigins": [PAGE],
        "AllowMethods": ["POST"],
        "AllowHeaders": ["x-a"],
        "ExposeHeaders": ["x-b"],
        "AllowCredentials": True,
        "MaxAge": 5,
    }
    url = url_of(client, engine, lambda event, context: "in", Cors=cors)
    asked = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "x-a"}
    status, _, headers = ask(server, url, "OPTIONS", Origin=PAGE, **asked)
    assert (status, headers["access-control-allow-origin"]) == (200, PAGE)
    assert headers["access-control-allow-methods"] == "POST"
    assert (headers["access-control-allow-headers"], headers["access-control-max-age"]) == (
        "x-a",
        "5",
    )
    status, body, headers = ask(server, url, Origin=PAGE)
    assert (status, body, headers["access-control-expose-headers"]) == (200, b"in", "x-b")
    headers = ask(server, url, Origin="http://localhost:1")[2]
    assert "access-control-allow-origin" not in headers


def test_an_alias_has_a_url_of_its_own(engine, server, client):
    from lambda_calls import archive, create

    from trunkline.functions.registry import functions_of

    functions_of(engine._core).allows_code = True
    own = trunkline.aws.client("lambda", engine=engine)
    code = "def handler(event, context):\n    return context.invoked_function_arn\n"
    arn = create(own, Code={"ZipFile": archive(handler__py=code)})["FunctionArn"]
    own.publish_version(FunctionName="echo")
    own.create_alias(FunctionName="echo", Name="live", FunctionVersion="1")
    urls = {}
    for qualifier in (None, "live"):
        named = {} if qualifier is None else {"Qualifier": qualifier}
        made = client.create_function_url_config(FunctionName="echo", AuthType="NONE", **named)
        urls[qualifier] = made["FunctionUrl"]
    assert ask(server, urls["live"])[1].decode() == f"{arn}:live"
    assert ask(server, urls[None])[1].decode() == arn
