"""Requests made from botocore's model of Lambda, valid and then damaged.

Whatever comes, the answer has the form of AWS, and functions are called as before.
"""

from __future__ import annotations

import io
import re
import zipfile

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import get_session
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from model_requests import ODD

import trunkline
import trunkline.aws
from trunkline.functions.registry import functions_of

SERVICE = get_session().get_service_model("lambda")
HEAD = "arn:aws:lambda:us-east-1:000000000000:"
NAMES = ["tea", "none", "tea:live", "a:b:c", "x" * 200, f"{HEAD}function:tea", HEAD, "ä", ""]
ARNS = [
    f"{HEAD}function:tea",
    f"{HEAD}function:none:1",
    f"{HEAD}layer:cups:1",
    f"{HEAD}layer:cups",
    f"{HEAD}event-source-mapping:x",
    "arn:aws:sqs:us-east-1:000000000000:orders",
    "arn:aws:kinesis:us-east-1:000000000000:stream/clicks",
    "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/s",
    "arn:aws:s3:::bucket",
    "arn:",
    "x",
]


def archive() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as out:
        out.writestr("handler.py", "def handler(event, context): return event")
    return data.getvalue()


BLOBS = [archive(), b"", b"{", b'{"a":1}', b"[" * 5_000, b"PK\x03\x04damaged", b"1e999"]
TEXTS = {
    "Pattern": ['{"body":{"a":[1]}}', "null", "[" * 3_000, "{"],
    "Qualifier": ["$LATEST", "1", "live", "x y"],
    "FunctionVersion": ["$LATEST", "1", "live"],
    "Handler": ["handler.handler", "x", ""],
    "Runtime": ["python3.12", "nodejs22.x", "provided", "java21"],
    "Marker": ["Yg==", "\u00ff"],
    "ClientContext": ["e30=", "x", "W10="],
    "UUID": ["00000000-0000-0000-0000-000000000000", "x"],
}
# These would start a process for each example.
NOT_CALLED = {"InvokeWithResponseStream"}


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
        return st.lists(values(shape.member, name, depth + 1), max_size=3)
    if kind == "map":
        inside = values(shape.value, depth=depth + 1)
        return st.dictionaries(st.sampled_from(["1", "a", "$LATEST"]), inside, max_size=3)
    if kind in ("integer", "long"):
        return st.integers(-2, 12) | st.integers(-(2**31), 2**31 - 1)
    if kind in ("float", "double"):
        return st.floats(0, 2)
    if kind == "boolean":
        return st.booleans()
    if kind == "timestamp":
        return st.integers(-1, 2_000_000_000)
    if kind == "blob":
        return st.sampled_from(BLOBS)
    if enum := getattr(shape, "enum", None):
        return st.sampled_from([*enum, "Nonsense"])
    if name in TEXTS:
        return st.sampled_from(TEXTS[name])
    if re.search("arn|Resource|Destination$", name, re.IGNORECASE):
        return st.sampled_from(ARNS)
    if name.endswith(("Name", "Id")):
        return st.sampled_from(NAMES)
    return st.sampled_from(["a", "1", "lambda:InvokeFunction", "000000000000"])


@st.composite
def requests(draw):
    """An operation and its input, which was damaged in some places."""
    names = [name for name in SERVICE.operation_names if name not in NOT_CALLED]
    name = draw(st.sampled_from(names))
    shape = SERVICE.operation_model(name).input_shape
    made = draw(values(shape)) if shape is not None else {}
    if draw(st.booleans()) and shape is not None and shape.members:
        made[draw(st.sampled_from([*shape.members]))] = draw(ODD)
    return name, made


@pytest.fixture(scope="module")
def world():
    from botocore.config import Config

    with trunkline.open() as engine:
        functions_of(engine._core).allows_code = True
        config = Config(parameter_validation=False, retries={"total_max_attempts": 1})
        yield engine, trunkline.aws.client("lambda", engine=engine, config=config)


def refusal(client, name, made):
    """The error that is answered; None for an answer, and for what botocore cannot send."""
    try:
        client._make_api_call(name, made)
    except ClientError as error:
        return error.response
    except (BotoCoreError, TypeError, ValueError, AttributeError, LookupError):
        return None
    return None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(request=requests())
@example(request=("Invoke", {"FunctionName": "tea", "Payload": b"[" * 5_000}))
@example(request=("ListFunctions", {"Marker": "\u00ff"}))
@example(request=("CreateAlias", {"FunctionName": "tea", "Name": "a", "FunctionVersion": "9"}))
@example(
    request=(
        "CreateEventSourceMapping",
        {"FunctionName": "tea", "EventSourceArn": ARNS[6], "StartingPosition": "AT_TIMESTAMP"},
    )
)
def test_requests_are_answered_as_aws_does(world, request):
    engine, client = world
    engine.queue("orders")
    engine.stream("clicks")
    function = engine.function("tea", lambda event, context: event)
    name, made = request
    refused = refusal(client, name, made)
    if refused is not None:
        told = refused["Error"]
        assert refused["ResponseMetadata"]["HTTPStatusCode"] != 500, (name, made, told)
        assert re.fullmatch(r"[A-Za-z0-9_.]+", told["Code"])
        assert "panicked" not in told["Message"]
    function = engine.function("tea", lambda event, context: event)
    assert function.invoke({"a": 1}) == {"a": 1}
