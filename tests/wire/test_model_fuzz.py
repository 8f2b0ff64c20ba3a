"""Requests made from botocore's model of SQS, valid and then damaged, in both protocols.

Whatever comes, the answer has the form of AWS, and the engine works on.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from urllib.parse import quote, urlencode

import pytest
from botocore.parsers import create_parser
from botocore.session import get_session
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import trunkline
from trunkline.aws.dispatcher import dispatcher_of

SERVICE = get_session().get_service_model("sqs")
BASE = "http://trunkline.local"
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
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["\x00", "\ud7ff", "\U0010ffff", "[" * 200, "9" * 400, "-0", "1e999", "../"]),
    st.sampled_from(["[" * 5_000, '{"a":' * 5_000, '{"a":1e400}', '{"Statement":[1]}']),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
)


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


def values(shape, name="", depth=0):
    """A strategy for values of a shape; mostly such that they mean something."""
    if name in KNOWN:
        return st.sampled_from(KNOWN[name])
    if shape.type_name == "structure":
        members = {
            key: values(member, key, depth + 1)
            for key, member in shape.members.items()
            if depth < 4
        }
        required = {key: members[key] for key in shape.required_members if key in members}
        optional = {key: member for key, member in members.items() if key not in required}
        return st.fixed_dictionaries(required, optional=optional)
    if shape.type_name == "list":
        return st.lists(values(shape.member, depth=depth + 1), max_size=11)
    if shape.type_name == "map":
        keys = st.text(max_size=8)
        if enum := getattr(shape.key, "enum", None):
            keys = st.sampled_from(enum)
        inside = values(shape.value, depth=depth + 1)
        # Now and then a value is null, or is not there at all in a form.
        return st.dictionaries(keys, inside | inside | inside | st.none(), max_size=4)
    if shape.type_name in ("integer", "long"):
        return st.integers(-2, 12) | st.integers(-(2**31), 2**31 - 1)
    if shape.type_name == "boolean":
        return st.booleans()
    if shape.type_name == "blob":
        return st.binary(max_size=20).map(lambda data: data.hex())
    assert shape.type_name == "string"
    if enum := getattr(shape, "enum", None):
        return st.sampled_from([*enum, "Nonsense"])
    return st.sampled_from([*TEXTS, *DOCUMENTS]) | st.text(max_size=20)


@st.composite
def requests(draw):
    """An operation, its input, and the places where the input was damaged."""
    name = draw(st.sampled_from(SERVICE.operation_names))
    shape = SERVICE.operation_model(name).input_shape
    given = draw(values(shape)) if shape is not None else {}
    for _ in range(draw(st.integers(0, 2))):
        key = draw(st.sampled_from([*given, *(shape.members if shape else ()), "Unknown"]))
        if draw(st.booleans()):
            given.pop(key, None)
        else:
            given[key] = draw(ODD)
    return name, given


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


def is_unharmed(engine):
    """The engine sends, delivers and deletes as if nothing had been."""
    queue = engine.queue("unharmed")
    queue.send("body")
    with queue.receive()[0] as message:
        assert message.text() == "body"
    assert queue.statistics().total == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(request=requests())
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
    check(name, "json", status, dict(answered), content)
    is_unharmed(engine)


PATHS = ["/", "/000000000000/q", "/000000000000/none", "/queue/us-east-1/000000000000/q", "/q"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(request=requests(), path=st.sampled_from(PATHS), is_get=st.booleans())
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
    check(name, "query", status, dict(answered), content)
    is_unharmed(engine)


def check(name, protocol, status, headers, content):
    assert status in (200, 400, 403, 404), (name, status, content)
    assert headers["x-amzn-requestid"]
    model = SERVICE.operation_model(name)
    parser = create_parser(protocol)
    answer = {"status_code": status, "headers": headers, "body": content, "context": {}}
    parsed = parser.parse(answer, model.output_shape)
    if status != 200:
        assert parsed["Error"]["Code"], content
        assert re.fullmatch(r"[A-Za-z0-9_.]+", parsed["Error"]["Code"])
        assert "panicked" not in parsed["Error"]["Message"]


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
        assert 200 <= status < 500
        assert answered
    is_unharmed(engine)
