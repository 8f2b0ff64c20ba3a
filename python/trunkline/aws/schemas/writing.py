"""Schemas written from shapes: OpenAPI 3, and JSON Schema draft 4 by way of it."""

from __future__ import annotations

import json
import re

from trunkline.aws.schemas.exports import as_draft_4
from trunkline.aws.schemas.schemas import OPEN_API
from trunkline.aws.schemas.shapes import merge, shape_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from trunkline.aws.schemas.shapes import Shape

_ENVELOPE = (
    "detail-type",
    "resources",
    "detail",
    "id",
    "source",
    "time",
    "region",
    "version",
    "account",
)
_ROOT = "AWSEvent"


def camel(text: str) -> str:
    """A name of letters and digits.

    >>> [camel(text) for text in ("Order Placed", "aws.ec2-state", "7")]
    ['OrderPlaced', 'AwsEc2State', 'X7']
    """
    words = re.findall(r"[A-Za-z0-9]+", text)
    name = "".join(word[:1].upper() + word[1:] for word in words)
    return name if name[:1].isalpha() else f"X{name}"


def is_event(value: Any) -> bool:
    """Whether a value is an event of a bus, in its envelope."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("detail"), dict)
        and all(isinstance(value.get(name), str) for name in ("source", "detail-type"))
    )


def discovered(events: Sequence[dict[str, Any]], kind: str) -> str:
    """The schema of some events, as text."""
    if all(is_event(event) for event in events):
        detail = merge(shape_of(event["detail"]) for event in events)
        first = events[0]
        return event_schema(first["source"], first["detail-type"], detail or {"kinds": []}, kind)
    shape = merge(shape_of(event) for event in events)
    writer = _Writer()
    writer.name("Event")
    writer.components["Event"] = writer.object(shape or {"kinds": []})
    return _text("Event", writer.components, kind)


def event_schema(source: str, detail_type: str, detail: Shape, kind: str) -> str:
    """The schema of the events of one source and detail type, whose details have a shape."""
    title = camel(detail_type)
    writer = _Writer()
    writer.name(_ROOT)
    text = {"type": "string"}
    own: dict[str, Any] = dict.fromkeys(sorted(_ENVELOPE), text)
    own["time"] = {"type": "string", "format": "date-time"}
    own["resources"] = {"type": "array", "items": text}
    writer.components[_ROOT] = {}
    own["detail"] = writer.schema(detail, title)
    writer.components[_ROOT] = {
        "type": "object",
        "required": list(_ENVELOPE),
        "x-amazon-events-detail-type": detail_type,
        "x-amazon-events-source": source,
        "properties": own,
    }
    return _text(title, writer.components, kind)


def _text(title: str, components: dict[str, Any], kind: str) -> str:
    document = {
        "openapi": "3.0.0",
        "info": {"version": "1.0.0", "title": title},
        "paths": {},
        "components": {"schemas": components},
    }
    made = document if kind == OPEN_API else as_draft_4(document)
    return json.dumps(made, separators=(",", ":"))


class _Writer:
    """Writes shapes; each object becomes a component of its own."""

    def __init__(self) -> None:
        self.components: dict[str, Any] = {}
        self._names: set[str] = set()

    def name(self, wanted: str) -> str:
        """A name that no other component has."""
        name, number = wanted, 1
        while name in self._names:
            name, number = f"{wanted}_{number}", number + 1
        self._names.add(name)
        return name

    def schema(self, shape: Shape, name: str) -> dict[str, Any]:
        """The schema of a shape; `name` is what an object in it is called."""
        kinds = [kind for kind in shape["kinds"] if kind != "null"]
        options = [self._of_kind(kind, shape, name) for kind in kinds]
        if len(options) > 1:
            made: dict[str, Any] = {"oneOf": options}
        else:
            made = options[0] if options else {}
        if "null" in shape["kinds"]:
            # Beside a reference nothing counts.
            made = {"allOf": [made]} if "$ref" in made else made
            made = {**made, "nullable": True}
        return made

    def _of_kind(self, kind: str, shape: Shape, name: str) -> dict[str, Any]:
        if kind == "object":
            component = self.name(camel(name))
            # The place first: what is nested comes behind what it is nested in.
            self.components[component] = {}
            self.components[component] = self.object(shape)
            return {"$ref": f"#/components/schemas/{component}"}
        if kind == "array":
            items = shape.get("items", {"kinds": []})
            return {"type": "array", "items": self.schema(items, f"{name}Item")}
        if kind == "string" and shape.get("is_time"):
            return {"type": "string", "format": "date-time"}
        return {"type": kind}

    def object(self, shape: Shape) -> dict[str, Any]:
        """The schema of an object with its properties."""
        made: dict[str, Any] = {"type": "object"}
        if shape.get("required"):
            made["required"] = shape["required"]
        properties = shape.get("properties", {})
        made["properties"] = {name: self.schema(one, name) for name, one in properties.items()}
        return made
