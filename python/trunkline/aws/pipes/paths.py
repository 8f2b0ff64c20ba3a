"""JSON paths into a record, as input templates and dynamic parameters have them.

A message's body and a stream record's data are text. A path that leads into them reads the JSON
that they hold.
"""

from __future__ import annotations

import base64
import binascii
import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_STEP = re.compile(r"\.([\w/-]+|\*)|\[(\d+|\*)\]|\['([^']+)'\]")
_PATH = re.compile(r"\$(?:\.(?:[\w/-]+|\*)|\[(?:\d+|\*)\]|\['[^']+'\])*")

MISSING = object()
"""What a path finds where there is nothing."""


def is_path(text: str) -> bool:
    """Whether a parameter is a path as a whole.

    >>> [is_path(text) for text in ("$.body.id", "$", "$.a b", "id")]
    [True, True, False, False]
    """
    return _PATH.fullmatch(text) is not None


def parsed(record: Any) -> Any:
    """A record whose body or data is the JSON value that it holds, if it is an object or an array.

    >>> parsed({"eventSource": "aws:sqs", "body": '{"id": 7}'})["body"]
    {'id': 7}
    """
    field = encoded_field(record)
    if field is None:
        return record
    value = _structure(plain_text(record, field))
    return record if value is MISSING else {**record, field: value}


def encoded_field(record: Any) -> str | None:
    """The member of a source's record that holds text which the sender chose."""
    if not isinstance(record, dict):
        return None
    field = {"aws:sqs": "body", "aws:kinesis": "data"}.get(record.get("eventSource", ""))
    return field if field is not None and isinstance(record.get(field), str) else None


def plain_text(record: dict[str, Any], field: str) -> str | None:
    """The text of a body, or of data, which are in base64; None for what is no text."""
    value: str = record[field]
    if field == "body":
        return value
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def _structure(text: str | None) -> Any:
    if text is None or not text.lstrip().startswith(("{", "[")):
        return MISSING
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return MISSING


def find(path: str, record: Any) -> Any:
    """The value at `path` in a record that :func:`parsed` returned; MISSING if there is none.

    >>> find("$.a[1].b", {"a": [{}, {"b": 2}]})
    2
    >>> find("$.a[*].b", {"a": [{"b": 1}, {}, {"b": 2}]})
    [1, 2]
    """
    steps = [name or index or quoted for name, index, quoted in _STEP.findall(path)]
    return _walk(record, steps)


def _walk(value: Any, steps: list[str]) -> Any:
    for number, step in enumerate(steps):
        if step == "*" and isinstance(value, (list, dict)):
            members = value if isinstance(value, list) else list(value.values())
            found = [_walk(member, steps[number + 1 :]) for member in members]
            return [one for one in found if one is not MISSING]
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return MISSING
    return value


def text_at(parameter: str, record: Any) -> str:
    """A dynamic parameter: the text at its path, or itself if it is no path.

    Raises LookupError if the record has nothing there.
    """
    if not is_path(parameter):
        return parameter
    value = find(parameter, record)
    if value is MISSING or value is None:
        raise LookupError(f"the record has nothing at {parameter}")
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
