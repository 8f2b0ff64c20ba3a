"""Tags of queues."""

from __future__ import annotations

from trunkline.aws.limits import TAG_KEY_CHARS_MAX, TAG_VALUE_CHARS_MAX, TAGS_MAX
from trunkline.aws.sqs import stored
from trunkline.aws.sqs.errors import invalid, missing
from trunkline.aws.sqs.registry import operations
from trunkline.aws.sqs.resources import find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline.aws.errors import ServiceError
    from trunkline.aws.operation import Call


def check_tags(tags: Mapping[str, str]) -> None:
    """Raises for the first tag that may not be."""
    for key, value in tags.items():
        if not 1 <= len(key) <= TAG_KEY_CHARS_MAX:
            raise _invalid_key()
        if len(value) > TAG_VALUE_CHARS_MAX:
            raise invalid(
                f"Tag values must be between 0 and {TAG_VALUE_CHARS_MAX} characters in length."
            )
        if key.lower().startswith("aws:"):
            raise invalid("Tag keys that start with aws: are reserved for internal use.")


def _invalid_key() -> ServiceError:
    return invalid(f"Tag keys must be between 1 and {TAG_KEY_CHARS_MAX} characters in length.")


@operations.add("TagQueue", writes=True)
def tag_queue(call: Call, *, queue_url: str = "", tags: Mapping[str, str] | None = None) -> None:
    """Adds tags to a queue, or changes their values."""
    queue = find(call, queue_url, own=True)
    if not tags:
        raise missing("Tags")
    check_tags(tags)
    with call.store.lock:
        kept = stored.read(queue)
        merged = kept.get("tags", {}) | dict(tags)
        if len(merged) > TAGS_MAX:
            raise invalid(f"Too many tags added for queue {queue.name}.")
        kept["tags"] = merged
        stored.write(queue, kept)


@operations.add("UntagQueue", writes=True)
def untag_queue(call: Call, *, queue_url: str = "", tag_keys: Sequence[str] | None = None) -> None:
    """Removes tags from a queue; keys that it lacks do no harm."""
    queue = find(call, queue_url, own=True)
    if not tag_keys:
        raise _invalid_key()
    with call.store.lock:
        kept = stored.read(queue)
        left = {key: value for key, value in kept.get("tags", {}).items() if key not in tag_keys}
        if left:
            kept["tags"] = left
        else:
            kept.pop("tags", None)
        stored.write(queue, kept)


@operations.add("ListQueueTags")
def list_queue_tags(call: Call, *, queue_url: str = "") -> dict[str, Any]:
    """The tags of a queue."""
    tags = stored.read(find(call, queue_url, own=True)).get("tags")
    return {"Tags": tags} if tags else {}
