"""Requests made from botocore's model of EventBridge, valid and then damaged.

Whatever comes, the answer has the form of AWS, and the engine works on.
"""

from __future__ import annotations

import json
import re

import pytest
from botocore.parsers import create_parser
from botocore.session import get_session
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import trunkline
from trunkline.aws.dispatcher import dispatcher_of

SERVICE = get_session().get_service_model("events")
BASE = "http://trunkline.local"
HEAD = "arn:aws:events:us-east-1:000000000000:"
NAMES = ["default", "shop", "none", "r", "a", "c", "d", "", "/", "x" * 300]
ARNS = [
    *(HEAD + rest for rest in ("event-bus/default", "event-bus/shop", "rule/r", "rule/shop/r")),
    *(HEAD + rest for rest in ("archive/a", "connection/c/1", "api-destination/d/1", "rule/", "")),
    *("arn:aws:sqs:us-east-1:000000000000:q", "arn:aws:sqs:us-east-1:000000000000:none"),
    *("arn:aws:kinesis:us-east-1:000000000000:stream/s", "arn:aws:lambda:us-east-1:1:function:f"),
    *("arn:", "", "x", "arn:aws:events:::"),
]
TEXTS = {
    "EventPattern": ['{"source":["shop"]}', "{", "[]", "[" * 3_000, '{"a":[{"numeric":["<",1]}]}'],
    "ScheduleExpression": ["rate(1 minute)", "cron(0 1 * * ? *)", "rate(0 days)", "cron(", "at(x)"],
    "Detail": ["{}", '{"a":1}', "[1]", "{", '{"a":' * 3_000, '{"a":1,"a":2}'],
    "Event": ["{}", "x", '{"id":"1"}', "[" * 3_000],
    "Policy": ['{"Statement":[1]}', "{}", "x", '{"Statement":{"Sid":"a"}}'],
    "Input": ['{"a":1}', "x", ""],
    "InputPath": ["$.detail", "$", "$[", "x"],
    "InputTemplate": ["<a>", '"<a>"', "<", '{"a":<a>}', "<aws.events.event>"],
    "NextToken": ["Yg==", "\u00ff", "x"],
    "Source": ["shop", "aws.s3", ""],
    "HttpMethod": ["POST", "GET", "x"],
    "InvocationEndpoint": ["https://example.com/*", "http://[", "x"],
}
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["\x00", "\ud7ff", "\U0010ffff", "9" * 400, "1e999", "../", [[]], {"a": {}}]),
)


def values(shape, name="", depth=0):
    """A strategy for values of a shape; mostly such that they mean something."""
    kind = shape.type_name
    if kind == "structure":
        members = {
            key: values(member, key, depth + 1)
            for key, member in shape.members.items()
            if depth < 4
        }
        required = {key: members[key] for key in shape.required_members if key in members}
        optional = {key: member for key, member in members.items() if key not in required}
        return st.fixed_dictionaries(required, optional=optional)
    if kind == "list":
        return st.lists(values(shape.member, name, depth + 1), max_size=6)
    if kind == "map":
        inside = values(shape.value, depth=depth + 1)
        return st.dictionaries(st.text(max_size=8), inside | st.none(), max_size=3)
    if kind in ("integer", "long"):
        return st.integers(-2, 12) | st.integers(-(2**31), 2**31 - 1)
    if kind == "boolean":
        return st.booleans()
    if kind == "timestamp":
        return st.integers(-1, 2_000_000_000) | st.floats(allow_nan=False, allow_infinity=False)
    if enum := getattr(shape, "enum", None):
        return st.sampled_from([*enum, "Nonsense"])
    if name in TEXTS:
        return st.sampled_from(TEXTS[name])
    if re.search("arn", name, re.IGNORECASE):
        return st.sampled_from(ARNS)
    if name.endswith(("Name", "Rule", "Id", "Ids")):
        return st.sampled_from(NAMES)
    return st.sampled_from(["a", "1", "events:PutEvents", "000000000000"]) | st.text(max_size=12)


@st.composite
def requests(draw):
    """An operation and its input, which was damaged in some places."""
    name = draw(st.sampled_from(SERVICE.operation_names))
    shape = SERVICE.operation_model(name).input_shape
    made = draw(values(shape))
    for _ in range(draw(st.integers(0, 2))):
        key = draw(st.sampled_from([*made, *shape.members, "Unknown"]))
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
    engine.queue("q")
    engine.stream("s")
    for bus in (engine.bus(), engine.bus("shop")):
        bus.rule("r", {"source": ["shop"]}, engine.queue("q"))
    engine.bus().archive("a")


def is_unharmed(engine):
    """An event still reaches its queue."""
    queue = engine.queue("unharmed")
    bus = engine.bus("unharmed")
    bus.rule("all", {"source": ["s"]}, queue)
    assert bus.put({"source": "s", "detail-type": "t", "detail": {}}).delivered == 1
    with queue.receive()[0] as message:
        assert message.json()["source"] == "s"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(request=requests())
@example(request=("PutEvents", {"Entries": [{"Time": 1e300, "Source": "s"}]}))
@example(request=("StartReplay", {"EventStartTime": -1e300, "EventEndTime": 1e300}))
def test_requests_are_answered_as_aws_does(world, request):
    engine, dispatcher = world
    prepare(engine, dispatcher)
    name, made = request
    headers = [
        ("host", "trunkline.local"),
        ("x-amz-target", f"AWSEvents.{name}"),
        ("content-type", "application/x-amz-json-1.1"),
    ]
    body = json.dumps(made).encode()
    status, answered, content = dispatcher.call(("POST", "/", headers, body, BASE))
    answered = dict(answered)
    assert status in (200, 400, 403, 404, 501), (name, status, content)
    answer = {"status_code": status, "headers": answered, "body": content, "context": {}}
    parsed = create_parser("json").parse(answer, SERVICE.operation_model(name).output_shape)
    if status != 200:
        assert re.fullmatch(r"[A-Za-z0-9_.]+", parsed["Error"]["Code"])
        assert "panicked" not in parsed["Error"]["Message"]
    is_unharmed(engine)
