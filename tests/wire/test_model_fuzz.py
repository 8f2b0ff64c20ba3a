"""Requests made from botocore's model of SQS, valid and then damaged, in both protocols.

Whatever comes, the answer has the form of AWS, and the engine works on.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from model_requests import BASE, Words, check, is_unharmed, model_of, requests

import trunkline
from trunkline.aws.dispatcher import dispatcher_of

SERVICE = model_of("sqs")
NAMES = ("q", "q.fifo", "dead", "none", "")
ADDRESSES = [f"{BASE}/000000000000/{name}" for name in NAMES] + ["q", "", "http://", "/a/b"]
ARNS = [f"arn:aws:sqs:us-east-1:000000000000:{name}" for name in NAMES] + ["arn:", "x"]
KNOWN = {
    "QueueUrl": ADDRESSES,
    "SourceArn": ARNS,
    "DestinationArn": ARNS,
    "QueueName": [*NAMES, "new", "new.fifo"],
    "QueueOwnerAWSAccountId": ["000000000000", "111111111111", "x"],
    "DataType": ["String", "Number", "Binary", "String.custom", "Nonsense"],
    # Long waits belong elsewhere.
    "WaitTimeSeconds": [0, -1, 21],
}
TEXTS = ["a", "1", "0", "q", "true"]
# What attributes, policies and handles may hold; some of it only breaks when it is read again.
DOCUMENTS = [
    '{"a":1}',
    "[" * 5_000,
    '{"Statement":{"Sid":"a"}}',
    '{"Statement":[1]}',
    '{"Statement":"x"}',
    f'{{"deadLetterTargetArn":"{ARNS[2]}","maxReceiveCount":1e400}}',
    f'{{"deadLetterTargetArn":"{ARNS[2]}","maxReceiveCount":3}}',
    '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:\\ud800","maxReceiveCount":1}',
    '{"redrivePermission":"byQueue","sourceQueueArns":[1,null,{}]}',
    '{"redrivePermission":[]}',
]
HANDLES = ["[" * 5_000, "null", "1", '{"taskId":1e400}', '{"taskId":{},"sourceArn":"\\ud800"}']
KNOWN["TaskHandle"] = [urlsafe_b64encode(text.encode()).decode() for text in HANDLES]


WORDS = Words(KNOWN, texts=[*TEXTS, *DOCUMENTS])


def flat(value, prefix=""):
    """An input as a form, in the way of SQS."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from flat(member, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(value, list):
        for place, member in enumerate(value, 1):
            yield from flat(member, f"{prefix}.{place}")
    elif value is not None:
        yield prefix, str(value)


@pytest.fixture(scope="module")
def world():
    with trunkline.open() as engine:
        yield engine, dispatcher_of(engine)


def prepare(engine, dispatcher):
    """The same world for every example: a failure comes from one request alone."""
    dispatcher.call(("POST", "/_trunkline/reset", [], b"", BASE))
    dead = engine.queue("dead")
    engine.queue("q", dead_letter=dead.name, max_receive_count=3)
    engine.queue("q.fifo")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(request=requests(SERVICE, WORDS))
@example(request=("SendMessage", {"QueueUrl": "q", "MessageBody": float("nan")}))
def test_json_requests_are_answered_as_aws_does(world, request):
    engine, dispatcher = world
    prepare(engine, dispatcher)
    name, given = request
    headers = [
        ("host", "trunkline.local"),
        ("x-amz-target", f"AmazonSQS.{name}"),
        ("content-type", "application/x-amz-json-1.0"),
    ]
    body = json.dumps(given).encode()
    status, answered, content = dispatcher.call(("POST", "/", headers, body, BASE))
    assert dict(answered)["x-amzn-requestid"]
    check(SERVICE, name, "json", (status, answered, content))
    is_unharmed(engine)


PATHS = ["/", "/000000000000/q", "/000000000000/none", "/queue/us-east-1/000000000000/q", "/q"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(request=requests(SERVICE, WORDS), path=st.sampled_from(PATHS), is_get=st.booleans())
@example(request=("GetQueueUrl", {}), path="/000000000000/q", is_get=True)
@example(request=("StartMessageMoveTask", {}), path="/000000000000/q", is_get=True)
def test_query_requests_are_answered_as_aws_does(world, request, path, is_get):
    engine, dispatcher = world
    prepare(engine, dispatcher)
    name, given = request
    form = urlencode(
        [("Action", name), ("Version", "2012-11-05"), *flat(given)], errors="surrogatepass"
    )
    headers = [
        ("host", "trunkline.local"),
        ("content-type", "application/x-www-form-urlencoded"),
    ]
    if is_get and len(form) < 60_000:
        asked = ("GET", f"{path}?{form}", headers[:1], b"", BASE)
    else:
        asked = ("POST", path, headers, form.encode(), BASE)
    status, answered, content = dispatcher.call(asked)
    assert dict(answered)["x-amzn-requestid"]
    check(SERVICE, name, "query", (status, answered, content))
    is_unharmed(engine)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    body=st.binary(max_size=200),
    target=st.sampled_from(["AmazonSQS.SendMessage", "AmazonSQS.ListQueues", "AmazonSQS.", "."]),
    content=st.sampled_from(
        [
            "application/x-amz-json-1.0",
            "application/x-www-form-urlencoded",
            "application/cbor",
            "application/x-amz-cbor-1.1",
            "text/plain",
        ]
    ),
    path=st.text(max_size=20).map(lambda text: "/" + quote(text, errors="ignore")),
)
def test_any_bytes_are_answered(world, body, target, content, path):
    engine, dispatcher = world
    headers = [("host", "a"), ("x-amz-target", target), ("content-type", content)]
    for named in (
        headers,
        headers[:1] + headers[2:],
        [*headers, ("smithy-protocol", "rpc-v2-cbor")],
    ):
        status, answered, _ = dispatcher.call(("POST", path, named, body, BASE))
        # S3 says by a status of its own what it does not have.
        assert 200 <= status < 500 or status == 501
        assert answered
    is_unharmed(engine)
