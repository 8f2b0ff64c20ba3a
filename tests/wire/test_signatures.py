"""What a proved signature covers: requests that are signed for one thing and ask for another."""

from __future__ import annotations

import hashlib
import http.client
import json
from urllib.parse import urlencode, urlsplit

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from trunkline.server import Server

ACCOUNT = "111111111111"
KEY = Credentials("AKIAOWNER", "secret")
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def strict(engine):
    known = [("AKIAOWNER", "secret", None, ACCOUNT)]
    with Server(engine, port=0, auth="strict", credentials=known) as server:
        yield server


def signed(server, method, target, body=b"", *, service="sqs", after=(), **headers):
    """A request signed for `service`; `after` holds headers that are added once it is signed."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = AWSRequest(method, server.url + target, data=body, headers=names)
    SigV4Auth(KEY, service, "us-east-1").add_auth(request)
    return send(server, method, target, body, dict(request.headers) | dict(after))


def presigned(server, method, target, *, signed_body=b"", service="sqs"):
    """The target of a presigned URL."""
    request = AWSRequest(method, server.url + target, data=signed_body)
    SigV4QueryAuth(KEY, service, "us-east-1", expires=60).add_auth(request)
    parts = urlsplit(request.url)
    return f"{parts.path}?{parts.query}"


def send(server, method, target, body=b"", headers=()):
    connection = http.client.HTTPConnection(*server.address, timeout=60)
    connection.request(method, target, body, dict(headers))
    response = connection.getresponse()
    answer = response.status, response.read().decode(errors="replace")
    connection.close()
    return answer


def call(server, operation, given, **options):
    body = json.dumps(given).encode()
    headers = {
        "X-Amz-Target": f"AmazonSQS.{operation}",
        "Content-Type": "application/x-amz-json-1.0",
    }
    return signed(server, "POST", "/", body, **headers, **options)


def queues(server):
    status, answer = call(server, "ListQueues", {})
    assert status == 200
    return json.loads(answer).get("QueueUrls", [])


@pytest.mark.parametrize("operation", ["CreateQueue", "SendMessage"])
def test_a_signature_for_one_service_does_not_call_another(strict, operation):
    given = {"QueueName": "q"} if operation == "CreateQueue" else {"QueueUrl": "q"}
    for service in ("sts", "s3", "iam", "sns"):
        status, answer = call(strict, operation, given, service=service)
        assert status == 403
        assert "Credential should be scoped to correct service: 'sqs'." in answer
    assert queues(strict) == []


def test_a_form_signed_for_one_service_does_not_call_another(strict):
    body = urlencode({"Action": "CreateQueue", "QueueName": "q", "Version": "2012-11-05"}).encode()
    status, _ = signed(strict, "POST", "/", body, Content_Type=FORM, service="sts")
    assert status != 200
    assert queues(strict) == []
    assert signed(strict, "POST", "/", body, Content_Type=FORM)[0] == 200


@pytest.mark.parametrize(
    "after",
    [
        {"X-Amz-Target": "AmazonSQS.CreateQueue"},
        {"smithy-protocol": "rpc-v2-cbor"},
        {"Content-Type": FORM},
        {"Content-Type": "application/x-amz-json-1.0"},
        {"Content-Encoding": "gzip"},
    ],
)
def test_a_header_that_chooses_the_operation_has_to_be_signed(strict, after):
    name = next(iter(after)).lower()
    status, answer = signed(strict, "POST", "/", b'{"QueueName":"q"}', after=after)
    assert status == 403
    assert f"'{name}' must be a 'SignedHeader'" in answer
    assert queues(strict) == []


def test_a_header_of_aws_that_is_a_part_of_the_input_has_to_be_signed(strict):
    path = "/2015-03-31/functions/f/invocations"
    event = {"X-Amz-Invocation-Type": "Event"}
    given = {"service": "lambda", "Content_Type": "application/json"}
    status, answer = signed(strict, "POST", path, b"{}", after=event, **given)
    assert (status, "'x-amz-invocation-type' must be a 'SignedHeader'" in answer) == (403, True)
    status, _ = signed(strict, "POST", path, b"{}", X_Amz_Invocation_Type="Event", **given)
    assert status == 404, "the function does not exist"


def test_a_presigned_request_does_what_its_query_says_and_nothing_else(strict):
    call(strict, "CreateQueue", {"QueueName": "q"})
    target = presigned(strict, "GET", f"/{ACCOUNT}/q?Action=GetQueueUrl&QueueName=q")
    harmless = presigned(strict, "POST", "/?Action=ListQueues")
    assert send(strict, "POST", harmless)[0] == 200
    delete = urlencode({"Action": "DeleteQueue", "QueueUrl": "q"}).encode()
    as_json = {
        "X-Amz-Target": "AmazonSQS.DeleteQueue",
        "Content-Type": "application/x-amz-json-1.0",
    }
    for target_, method, body, headers in (
        (harmless, "POST", delete, {"Content-Type": FORM}),
        (harmless, "POST", b'{"QueueUrl":"q"}', as_json),
        (harmless, "POST", b"", as_json),
        (harmless + "&Action=DeleteQueue&QueueUrl=q", "POST", b"", {}),
        (harmless.replace("Action=ListQueues", "Action=DeleteQueue"), "POST", b"", {}),
        (harmless.replace("/?", f"/{ACCOUNT}/q?"), "POST", b"", {}),
        (harmless, "DELETE", b"", {}),
        (target.replace("GetQueueUrl", "DeleteQueue"), "GET", b"", {}),
    ):
        status, answer = send(strict, method, target_, body, headers)
        assert status in (400, 403), answer
    assert len(queues(strict)) == 1


def test_two_readings_of_one_signed_query_are_refused(strict):
    call(strict, "CreateQueue", {"QueueName": "q"})
    two = "/?Action=ListQueues&Action=DeleteQueue&QueueUrl=q"
    status, answer = signed(strict, "POST", two)
    assert (status, "must be sent once" in answer) == (400, True)
    assert len(queues(strict)) == 1


@pytest.mark.parametrize(
    ("service", "method", "twice"),
    [
        ("lambda", "GET", "/2015-03-31/functions?MaxItems=1&MaxItems=2"),
        ("lambda", "DELETE", "/2015-03-31/functions/f?Qualifier=1&Qualifier=2"),
        ("scheduler", "GET", "/schedules?NamePrefix=a&NamePrefix=b"),
        ("apigateway", "POST", "/restapis?mode=import&basepath=ignore&basepath=prepend"),
        ("s3", "DELETE", "/bucket/key?versionId=a&versionId=b"),
        ("s3", "GET", "/bucket?list-type=2&prefix=a&prefix=b"),
    ],
)
def test_a_rest_parameter_that_comes_twice_is_refused(strict, service, method, twice):
    """The canonical form sorts them, so the signature of one order is that of the other."""
    empty = {"X_Amz_Content_Sha256": hashlib.sha256(b"").hexdigest()}
    status, answer = signed(strict, method, twice, b"", service=service, **empty)
    assert (status, "is given twice" in answer) == (400, True), answer


def test_a_list_of_a_rest_service_comes_in_repeats(strict):
    topic = f"arn:aws:scheduler:us-east-1:{ACCOUNT}:schedule-group/default"
    target = f"/tags/{topic.replace('/', '%2F')}?TagKeys=a&TagKeys=b"
    status, answer = signed(strict, "DELETE", target, b"", service="scheduler")
    assert (status, "twice" in answer) == (200, False), answer


def test_a_body_that_is_not_signed_is_refused(strict):
    body = b'{"QueueName":"q"}'
    headers = {
        "X-Amz-Target": "AmazonSQS.CreateQueue",
        "Content-Type": "application/x-amz-json-1.0",
    }
    request = AWSRequest("POST", strict.url + "/", data=body, headers=headers)
    signer = SigV4Auth(KEY, "sqs", "us-east-1")
    signer.payload = lambda _: "UNSIGNED-PAYLOAD"
    request.headers["X-Amz-Content-SHA256"] = "UNSIGNED-PAYLOAD"
    signer.add_auth(request)
    status, answer = send(strict, "POST", "/", body, dict(request.headers))
    assert status == 403
    assert "payload of this service must be signed" in answer
    assert queues(strict) == []
