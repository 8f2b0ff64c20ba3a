"""What events look like: the schema of some that a caller shows."""

from __future__ import annotations

from trunkline.aws.json_text import read_object
from trunkline.aws.schemas.errors import invalid
from trunkline.aws.schemas.registry import operations
from trunkline.aws.schemas.writing import discovered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from trunkline.aws.operation import Call


@operations.add("GetDiscoveredSchema")
def get_discovered_schema(call: Call, *, type: str, events: Sequence[str]) -> dict[str, Any]:
    """The schema that all these events have."""
    values = [read_object(event) for event in events]
    read = [value for value in values if value is not None]
    if len(read) < len(values):
        raise invalid("Events must be JSON objects, each as a text.")
    try:
        return {"Content": discovered(read, type)}
    except RecursionError:
        raise invalid("The events are nested too deep.") from None
