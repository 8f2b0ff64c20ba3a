"""Requests made from botocore's model of a service, valid and then damaged: one mechanism for all.

What differs from service to service is data: the words that mean something to it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from botocore.parsers import create_parser
from botocore.session import get_session
from hypothesis import strategies as st

BASE = "http://trunkline.local"

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
    st.sampled_from([[[]], {"a": {}}]),
)
"""What no member of a model is, or only by chance."""


@dataclass(frozen=True)
class Words:
    """What the members of one service may hold so that it means something."""

    known: dict[str, list] = field(default_factory=dict)
    """By the name of the member."""
    arns: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=lambda: ["a", "1"])
    keys: dict[str, list] = field(default_factory=dict)
    """Those of a map, by the name of its member."""


def values(shape, words, name="", depth=0):
    """A strategy for values of a shape; mostly such that they mean something."""
    if name in words.known and shape.type_name not in ("list", "structure", "map"):
        return st.sampled_from(words.known[name])
    kind = shape.type_name
    if kind == "structure":
        members = {
            key: values(member, words, key, depth + 1)
            for key, member in shape.members.items()
            if depth < 4
        }
        required = {key: members[key] for key in shape.required_members if key in members}
        optional = {key: member for key, member in members.items() if key not in required}
        return st.fixed_dictionaries(required, optional=optional)
    if kind == "list":
        return st.lists(values(shape.member, words, name, depth + 1), max_size=11)
    if kind == "map":
        keys = st.text(max_size=8)
        if name in words.keys:
            keys = st.sampled_from(words.keys[name])
        elif enum := getattr(shape.key, "enum", None):
            keys = st.sampled_from(enum)
        inside = values(shape.value, words, depth=depth + 1)
        # Now and then a value is null, or is not there at all in a form.
        return st.dictionaries(keys, inside | inside | inside | st.none(), max_size=4)
    return scalars(shape, words, name)


def scalars(shape, words, name):
    """The same for what holds no other value."""
    kind = shape.type_name
    if kind in ("integer", "long"):
        return st.integers(-2, 12) | st.integers(-(2**31), 2**31 - 1)
    if kind in ("double", "float"):
        return st.floats(allow_nan=False, allow_infinity=False)
    if kind == "boolean":
        return st.booleans()
    if kind == "timestamp":
        return st.integers(-1, 2_000_000_000) | st.floats(allow_nan=False, allow_infinity=False)
    if kind == "blob":
        return st.binary(max_size=20).map(lambda data: data.hex())
    assert kind == "string"
    if enum := getattr(shape, "enum", None):
        return st.sampled_from([*enum, "Nonsense"])
    if words.arns and re.search("arn", name, re.IGNORECASE):
        return st.sampled_from(words.arns)
    if words.names and re.search("(Name|Rule|Id|Ids|Prefix)$", name):
        return st.sampled_from(words.names)
    return st.sampled_from(words.texts) | st.text(max_size=20)


@st.composite
def requests(draw, service, words, operations=None):
    """An operation and its input, which was damaged in some places."""
    name = draw(st.sampled_from(sorted(operations or service.operation_names)))
    shape = service.operation_model(name).input_shape
    made = draw(values(shape, words)) if shape is not None else {}
    for _ in range(draw(st.integers(0, 2))):
        key = draw(st.sampled_from([*made, *(shape.members if shape else ()), "Unknown"]))
        if draw(st.booleans()):
            made.pop(key, None)
        else:
            made[key] = draw(ODD)
    return name, made


def model_of(service):
    return get_session().get_service_model(service)


def http_request(service, name, made):
    """The request for an input, damaged or not, in the service's own protocol."""
    model = service.operation_model(name)
    if service.metadata.get("targetPrefix"):
        headers = [
            ("host", "trunkline.local"),
            ("x-amz-target", f"{service.metadata['targetPrefix']}.{name}"),
            ("content-type", f"application/x-amz-json-{service.metadata['jsonVersion']}"),
        ]
        return ("POST", "/", headers, json.dumps(made).encode(), BASE)
    scope = service.metadata.get("signingName", service.service_name)
    credential = f"Credential=000000000000/20230101/us-east-1/{scope}/aws4_request"
    headers = [
        ("host", "trunkline.local"),
        ("authorization", f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"),
        ("x-amz-date", "20230101T000000Z"),
        ("content-type", "application/json"),
    ]
    return rest_request(model, dict(made), headers)


def rest_request(model, made, headers):
    """The same for a protocol in which members are in the path, the query and the body."""
    path, query = model.http["requestUri"], []
    members = model.input_shape.members if model.input_shape is not None else {}
    for key, shape in members.items():
        place, name = shape.serialization.get("location"), shape.serialization.get("name", key)
        if place not in ("uri", "querystring"):
            continue
        value = made.pop(key, None)
        text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
        if place == "uri":
            # Without a name the path would be that of another operation.
            text = quote(text or "-", safe="", errors="replace")
            path = path.replace(f"{{{name}}}", text).replace(f"{{{name}+}}", text)
        elif value is not None:
            parts = value if isinstance(value, list) else [text]
            query += [(name, part if isinstance(part, str) else json.dumps(part)) for part in parts]
    if query:
        path += ("&" if "?" in path else "?") + urlencode(query, errors="replace")
    payload = model.input_shape.serialization.get("payload") if model.input_shape else None
    made = made.get(payload) if payload else made
    renamed = {
        (members[key].serialization.get("name", key) if key in members else key): value
        for key, value in (made if isinstance(made, dict) else {}).items()
    }
    return (model.http["method"], path, headers, json.dumps(renamed).encode(), BASE)


def check(service, name, protocol, answer, allowed=(200, 400, 403, 404)):
    """The answer has the form of AWS, and is no failure of ours."""
    status, headers, content = answer[0], dict(answer[1]), answer[2]
    assert status in allowed, (name, status, content)
    told = {"status_code": status, "headers": headers, "body": content, "context": {}}
    model = service.operation_model(name)
    parsed = create_parser(protocol).parse(told, model.output_shape)
    if status >= 300:
        assert parsed["Error"]["Code"], content
        assert re.fullmatch(r"[A-Za-z0-9_.]+", parsed["Error"]["Code"])
        assert "panicked" not in parsed["Error"]["Message"]
    return parsed


def is_unharmed(engine):
    """The engine sends, delivers and deletes as if nothing had been."""
    queue = engine.queue("unharmed")
    queue.send("body")
    with queue.receive()[0] as message:
        assert message.text() == "body"
    assert queue.statistics().total == 0
