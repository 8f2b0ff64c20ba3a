"""Input templates: what the enrichment and the target get of a record."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

from trunkline._dataclasses import dataclass
from trunkline.aws.pipes.paths import MISSING, find, is_path, parsed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_VARIABLE = re.compile(r"<(\$[^<>]*|aws\.pipes\.[a-z.-]+)>")
_EVENT, _EVENT_JSON = "aws.pipes.event", "aws.pipes.event.json"
_INGESTED = "aws.pipes.event.ingestion-time"
RESERVED = frozenset(
    f"aws.pipes.{name}"
    for name in (
        "pipe-arn",
        "pipe-name",
        "source-arn",
        "enrichment-arn",
        "target-arn",
        "event",
        "event.json",
        "event.ingestion-time",
    )
)
"""The variables that a template may name beside paths."""


def problem_of(template: str) -> str | None:
    """Why a template cannot be used; None if it can."""
    for name in _VARIABLE.findall(template):
        if name.startswith("$"):
            if not is_path(name):
                return f"{name} is not a JSON path that is supported"
        elif name not in RESERVED:
            return f"{name} is not a reserved variable"
    return None


@dataclass(frozen=True, slots=True)
class Context:
    """What the reserved variables stand for, and the engine's clock."""

    names: Mapping[str, str]
    now: Callable[[], float]


def render(template: str | None, record: Any, context: Context) -> str:
    """The text that a record becomes.

    Inside a JSON string a value is escaped. Elsewhere in a template of JSON it is JSON itself; a
    variable that has no value is an empty string there.

    >>> context = Context({}, lambda: 0.0)
    >>> render('{"id": <$.id>, "told": "no. <$.id>", "none": <$.b>}', {"id": 7}, context)
    '{"id": 7, "told": "no. 7", "none": ""}'
    >>> render("order <$.id>", {"id": "x"}, context)
    'order x'
    >>> render(None, {"id": 7}, context)
    '{"id":7}'
    """
    if template is None:
        return _text(record)
    is_json = template.lstrip().startswith(("{", "["))
    open_record = parsed(record)
    parts, done, in_string = [], 0, False
    for found in _VARIABLE.finditer(template):
        literal = template[done : found.start()]
        in_string ^= _toggles(literal)
        value = _value(found[1], record, open_record, context)
        parts += [literal, _written(value, in_string=in_string, is_json=is_json)]
        done = found.end()
    return "".join([*parts, template[done:]])


def _toggles(literal: str) -> bool:
    """Whether a JSON string begins or ends in a piece of a template, and does not end or begin."""
    return bool(re.sub(r"\\.", "", literal).count('"') % 2)


def _value(name: str, record: Any, open_record: Any, context: Context) -> Any:
    if name == _EVENT:
        return record
    if name == _EVENT_JSON:
        return open_record
    if name == _INGESTED:
        at = datetime.fromtimestamp(context.now(), UTC)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if name.startswith("$"):
        return find(name, open_record)
    return context.names.get(name, MISSING)


def _written(value: Any, *, in_string: bool, is_json: bool) -> str:
    if value is MISSING:
        return '""' if is_json and not in_string else ""
    if in_string:
        return json.dumps(_text(value), ensure_ascii=False)[1:-1]
    return json.dumps(value, ensure_ascii=False) if is_json else _text(value)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
