"""Between the names of a service's model and those of Step Functions' integrations.

In a definition members have names in Pascal case, texts may be given as JSON, and times are texts;
what a service answers is shown the same way.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def pascal(name: str) -> str:
    """A name with a capital at its start.

    >>> pascal("executionArn")
    'ExecutionArn'
    """
    return name[:1].upper() + name[1:]


def iso(at: float | datetime) -> str:
    """A time as integrations show it: with milliseconds, where there are any.

    >>> iso(1_000.5), iso(1_000)
    ('1970-01-01T00:16:40.500Z', '1970-01-01T00:16:40Z')
    """
    moment = at if isinstance(at, datetime) else datetime.fromtimestamp(at, UTC)
    moment = moment.astimezone(UTC)
    parts = "milliseconds" if moment.microsecond else "seconds"
    return moment.isoformat(timespec=parts).replace("+00:00", "Z")


def as_input(shape: Any, given: Any) -> Any:
    """What a definition gives, as the service takes it for `shape`."""
    kind = None if shape is None else shape.type_name
    if kind == "structure" and isinstance(given, dict):
        names = {pascal(name): name for name in shape.members}
        found = {}
        for name, value in given.items():
            own = names.get(pascal(name), name)
            found[own] = as_input(shape.members.get(own), value)
        return found
    if kind == "list" and isinstance(given, list):
        return [as_input(shape.member, item) for item in given]
    if kind == "map" and isinstance(given, dict):
        return {name: as_input(shape.value, value) for name, value in given.items()}
    if kind == "string" and not isinstance(given, str) and given is not None:
        return json.dumps(given, separators=(",", ":"), ensure_ascii=False)
    if kind == "blob" and given is not None:
        text = given if isinstance(given, str) else json.dumps(given, separators=(",", ":"))
        return text.encode()
    return given


def as_output(shape: Any, answer: Any) -> Any:
    """What a service answered, as integrations show it."""
    kind = None if shape is None else shape.type_name
    if kind == "structure" and isinstance(answer, dict):
        return {
            pascal(name): as_output(shape.members[name], value)
            for name, value in answer.items()
            if name in shape.members
        }
    if kind == "list" and isinstance(answer, list):
        return [as_output(shape.member, item) for item in answer]
    if kind == "map" and isinstance(answer, dict):
        return {name: as_output(shape.value, value) for name, value in answer.items()}
    if isinstance(answer, datetime):
        return iso(answer)
    if hasattr(answer, "read"):
        answer = answer.read()
    if isinstance(answer, bytes):
        return answer.decode("utf-8", "replace")
    return answer
