"""Requests made from botocore's model of Kinesis, valid and then damaged, in JSON and CBOR.

Whatever comes, the answer has the form of AWS, and the engine works on.
"""

from __future__ import annotations

import base64
import json
import re

import pytest
from botocore.parsers import create_parser
from botocore.session import get_session
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kinesis_calls import cbor
from test_model_fuzz import BASE, ODD

import trunkline
from trunkline.aws.dispatcher import dispatcher_of

SERVICE = get_session().get_service_model("kinesis")
HEAD = "arn:aws:kinesis:us-east-1:000000000000:stream/"
NAMES = ["clicks", "none", "", "x" * 200, "a b"]
ARNS = [HEAD + "clicks", HEAD + "none", HEAD + "clicks/consumer/c:1", HEAD, "arn:", "", "x"]
NUMBERS = ["0", "1", str(2**127), str(2**128), "9" * 60, "01", "x"]
KNOWN = {
    "ShardId": ["0", "shardId-000000000000", "shardId-000000000009", "x", ""],
    "ShardToSplit": ["0", "9", "x"],
    "ShardToMerge": ["0", "1", "x"],
    "AdjacentShardToMerge": ["0", "1", "x"],
    "StreamId": ["a" * 20 + "-abc", "x"],
    "NextToken": ["clicks", "x", base64.b64encode(b'{"stream":[1,2,3]}').decode()],
    "Policy": ['{"Statement":[1]}', "{}", "x", "[" * 5_000],
}
# A subscription in the process lasts until it ends.
OPERATIONS = [name for name in SERVICE.operation_names if name != "SubscribeToShard"]


def values(shape, name=""):
    """A strategy for values of a shape; mostly such that they mean something."""
    kind = shape.type_name
    if kind == "structure":
        members = {key: values(member, key) for key, member in shape.members.items()}
        required = {key: members[key] for key in shape.required_members}
        optional = {key: one for key, one in members.items() if key not in required}
        return st.fixed_dictionaries(required, optional=optional)
    if kind == "list":
        return st.lists(values(shape.member, name), max_size=4)
    if kind == "map":
        return st.dictionaries(st.text(max_size=8), values(shape.value), max_size=3)
    if kind in ("integer", "long"):
        return st.integers(-2, 12) | st.integers(-(2**31), 2**31 - 1)
    if kind == "boolean":
        return st.booleans()
    if kind == "timestamp":
        return st.integers(-1, 4_000_000_000) | st.floats(allow_nan=False, allow_infinity=False)
    if kind == "blob":
        return st.binary(max_size=20)
    if enum := getattr(shape, "enum", None):
        return st.sampled_from([*enum, "Nonsense"])
    return texts(name)


def texts(name):
    """A strategy for the texts of a member."""
    if name in KNOWN:
        return st.sampled_from(KNOWN[name])
    if "ARN" in name:
        return st.sampled_from(ARNS)
    if "Sequence" in name or "HashKey" in name:
        return st.sampled_from(NUMBERS)
    if name.endswith("Name"):
        return st.sampled_from(NAMES)
    return st.sampled_from(["a", "1", ""]) | st.text(max_size=12)


@st.composite
def requests(draw):
    """An operation and its input, which was damaged in some places."""
    name = draw(st.sampled_from(OPERATIONS))
    shape = SERVICE.operation_model(name).input_shape
    made = draw(values(shape)) if shape is not None else {}
    for _ in range(draw(st.integers(0, 2))):
        key = draw(st.sampled_from([*made, *(shape.members if shape else ()), "Unknown"]))
        if draw(st.booleans()):
            made.pop(key, None)
        else:
            made[key] = draw(ODD)
    return name, made


@pytest.fixture(scope="module")
def world():
    with trunkline.open() as engine:
        yield engine, dispatcher_of(engine)


def prepare(engine, dispatcher):
    """The same world for every example: a failure comes from one request alone."""
    dispatcher.call(("POST", "/_trunkline/reset", [], b"", BASE))
    engine.stream("clicks", shards=2).put("home", key="k")


def is_unharmed(engine):
    stream = engine.stream("unharmed")
    stream.put("body", key="k")
    assert [record.text() for record in stream.read()] == ["body"]


def as_json(value):
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{value!r} is not in a request")


def check(name, protocol, answer):
    status, headers, content = answer
    headers = dict(headers)
    assert status in (200, 400, 501), (name, status, content)
    assert headers["x-amzn-requestid"]
    if protocol == "cbor":
        return
    parsed = create_parser("json").parse(
        {"status_code": status, "headers": headers, "body": content, "context": {}},
        SERVICE.operation_model(name).output_shape,
    )
    if status != 200:
        assert re.fullmatch(r"[A-Za-z0-9_.]+", parsed["Error"]["Code"]), content
        assert "panicked" not in parsed["Error"]["Message"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(request=requests(), protocol=st.sampled_from(["json", "cbor"]))
def test_requests_are_answered_as_aws_does(world, request, protocol):
    engine, dispatcher = world
    prepare(engine, dispatcher)
    name, made = request
    headers = [
        ("host", "trunkline.local"),
        ("x-amz-target", f"Kinesis_20131202.{name}"),
        ("content-type", f"application/x-amz-{protocol}-1.1"),
    ]
    body = cbor(made) if protocol == "cbor" else json.dumps(made, default=as_json).encode()
    check(name, protocol, dispatcher.call(("POST", "/", headers, body, BASE)))
    is_unharmed(engine)
