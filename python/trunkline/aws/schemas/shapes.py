"""The shape of JSON values: what their schema is written from.

A shape is an object of JSON itself, so that a discoverer can keep it and merge what comes later.
Its members: ``kinds``, the types that values had; ``properties`` and ``required`` of objects;
``items`` of arrays, absent while all arrays were empty; ``is_time`` for texts that all are times.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    Shape = dict[str, Any]

DEPTH_MAX = 255
"""How deep a shape goes; what lies deeper may be anything."""

_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def shape_of(value: Any, depth: int = 0) -> Shape:
    """The shape of one value.

    >>> shape_of({"a": [1, None]})["properties"]["a"]["items"]["kinds"]
    ['null', 'number']
    """
    if depth > DEPTH_MAX:
        return {"kinds": []}
    if isinstance(value, dict):
        properties = {name: shape_of(one, depth + 1) for name, one in value.items()}
        return {"kinds": ["object"], "properties": properties, "required": sorted(value)}
    if isinstance(value, list):
        items = merge(shape_of(one, depth + 1) for one in value)
        return {"kinds": ["array"]} | ({} if items is None else {"items": items})
    if isinstance(value, str):
        return {"kinds": ["string"], "is_time": _TIME.fullmatch(value) is not None}
    if value is None:
        return {"kinds": ["null"]}
    return {"kinds": ["boolean" if isinstance(value, bool) else "number"]}


def merge(shapes: Iterable[Shape]) -> Shape | None:
    """The shape that values of all these shapes have; None if there are none.

    A property is required if every object has it.

    >>> merged = merge([shape_of({"a": 1, "b": 1}), shape_of({"a": "x"})])
    >>> merged["required"], merged["properties"]["a"]["kinds"]
    (['a'], ['number', 'string'])
    """
    merged: Shape | None = None
    for shape in shapes:
        merged = shape if merged is None else _merged(merged, shape)
    return merged


def _merged(one: Shape, other: Shape) -> Shape:
    # A shape without kinds is that of anything, whatever else was seen.
    if not one["kinds"] or not other["kinds"]:
        return {"kinds": []}
    made: Shape = {"kinds": sorted({*one["kinds"], *other["kinds"]})}
    texts = [shape["is_time"] for shape in (one, other) if "is_time" in shape]
    if texts:
        made["is_time"] = all(texts)
    items = merge(shape["items"] for shape in (one, other) if "items" in shape)
    if items is not None:
        made["items"] = items
    objects = [shape for shape in (one, other) if "properties" in shape]
    if objects:
        names = sorted({name for shape in objects for name in shape["properties"]})
        made["properties"] = {
            name: merge(
                shape["properties"][name] for shape in objects if name in shape["properties"]
            )
            for name in names
        }
        in_all = set.intersection(*(set(shape["required"]) for shape in objects))
        made["required"] = sorted(in_all)
    return made
