"""Tags of delivery streams."""

from __future__ import annotations

from trunkline.aws.firehose.documents import named, read
from trunkline.aws.firehose.errors import invalid, over_limit
from trunkline.aws.firehose.registry import operations
from trunkline.aws.limits import TAGS_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline.aws.operation import Call


def merged(known: Mapping[str, str], given: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Tags with those of a call, whose keys have to differ."""
    added = {tag["Key"]: tag.get("Value", "") for tag in given}
    if len(added) < len(given):
        raise invalid("Tag keys must be unique.")
    tags = {**known, **added}
    if len(tags) > TAGS_MAX:
        raise over_limit(f"A delivery stream cannot have more than {TAGS_MAX} tags.")
    return tags


@operations.add("TagDeliveryStream", writes=True)
def tag_delivery_stream(
    call: Call, *, delivery_stream_name: str, tags: Sequence[Mapping[str, Any]]
) -> None:
    """Adds tags to a delivery stream, or changes their values."""
    with call.store.lock:
        document = read(call, delivery_stream_name)
        document["tags"] = merged(document["tags"], tags)
        call.store.put(named(call, delivery_stream_name).key, document)


@operations.add("UntagDeliveryStream", writes=True)
def untag_delivery_stream(
    call: Call, *, delivery_stream_name: str, tag_keys: Sequence[str]
) -> None:
    """Removes tags; keys that the delivery stream lacks do no harm."""
    with call.store.lock:
        document = read(call, delivery_stream_name)
        for key in tag_keys:
            document["tags"].pop(key, None)
        call.store.put(named(call, delivery_stream_name).key, document)


@operations.add("ListTagsForDeliveryStream")
def list_tags_for_delivery_stream(
    call: Call,
    *,
    delivery_stream_name: str,
    exclusive_start_tag_key: str | None = None,
    limit: int = TAGS_MAX,
) -> dict[str, Any]:
    """The tags of a delivery stream, sorted by key, page by page."""
    tags = read(call, delivery_stream_name)["tags"]
    left = sorted(key for key in tags if key > (exclusive_start_tag_key or ""))
    shown = [{"Key": key, "Value": tags[key]} for key in left[:limit]]
    return {"Tags": shown, "HasMoreTags": len(left) > len(shown)}
