"""GetQueueAttributes and SetQueueAttributes."""

from __future__ import annotations

from trunkline.aws.sqs import attributes as table
from trunkline.aws.sqs import stored
from trunkline.aws.sqs.errors import missing, unknown_attribute
from trunkline.aws.sqs.registry import operations
from trunkline.aws.sqs.resources import arn_of, find
from trunkline.queues.metadata import encode_metadata, read_metadata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline.aws.operation import Call


@operations.add("GetQueueAttributes")
def get_queue_attributes(
    call: Call, *, queue_url: str = "", attribute_names: Sequence[str] | None = None
) -> dict[str, Any]:
    """The attributes of a queue that are asked for; none are given if none are."""
    queue = find(call, queue_url)
    names = set(attribute_names or ())
    for name in names:
        if name not in table.NAMES:
            raise unknown_attribute(name)
    found = table.describe(call, queue, stored.read(queue), read_metadata(queue))
    if "All" in names or any(table.is_counter(name) for name in names):
        found |= table.counters(queue)
    if "All" not in names:
        found = {name: value for name, value in found.items() if name in names}
    return {"Attributes": found} if found else {}


@operations.add("SetQueueAttributes", writes=True)
def set_queue_attributes(
    call: Call, *, queue_url: str = "", attributes: Mapping[str, str] | None = None
) -> None:
    """Changes attributes of a queue; all of them or none."""
    queue = find(call, queue_url, own=True)
    if not attributes:
        raise missing("Attribute.Name")
    with call.store.lock:
        change = table.Change(stored.settings_of(queue), stored.read(queue), read_metadata(queue))
        table.apply(call, change, attributes, arn=arn_of(queue), new=False)
        document = change.document | {"sqs": change.kept or None}
        queue.configure(stored.make_settings(change.settings), encode_metadata(document))
