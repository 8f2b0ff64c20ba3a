"""Tags of streams, consumers, queues and channels, in both families of operations."""

from __future__ import annotations

from trunkline._dataclasses import dataclass
from trunkline.aws.kinesis import channel_store, queue_store, stored
from trunkline.aws.kinesis.consumers import find_consumer
from trunkline.aws.kinesis.names import find
from trunkline.aws.kinesis.registry import operations
from trunkline.aws.kinesis.tag_rules import check_tags
from trunkline.aws.limits import TAGS_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from trunkline.aws.operation import Call


@dataclass(frozen=True, slots=True)
class _Tagged:
    """What has tags: a stream, a consumer of one, a queue or a channel."""

    name: str
    account: str
    tags: dict[str, str]
    store: Callable[[dict[str, str]], object]


def _tagged(call: Call, arn: str | None) -> _Tagged:
    """The resource of this name; without one the stream that the input names."""
    if arn is not None and ":queue/" in arn:
        queue = queue_store.find(call, arn)
        tags = queue.kept.get("tags", {})
        return _Tagged(
            queue.kept["name"], queue.records.account, tags, lambda tags: queue.change(tags=tags)
        )
    if arn is not None and ":channel/" in arn:
        channel = channel_store.find(call, arn)
        key = channel_store.name_of(channel).key
        return _Tagged(
            channel["name"],
            channel["account"],
            channel["tags"],
            lambda tags: call.store.put(key, {**channel, "tags": tags}),
        )
    if arn is not None and "/consumer/" in arn:
        stream, name, consumer = find_consumer(call, None, arn)

        def store(tags: dict[str, str]) -> None:
            known = stored.read(stream)["consumers"]
            known[name]["tags"] = tags
            stored.change(stream, consumers=known)

        tags = consumer.get("tags", {})
        return _Tagged(stream.full_name[2], stream.full_name[0], tags, store)
    stream = find(call)
    tags = stored.read(stream).get("tags", {})
    account, _, name = stream.full_name
    return _Tagged(name, account, tags, lambda tags: stored.change(stream, tags=tags))


def _add(call: Call, tags: Mapping[str, str], arn: str | None) -> None:
    with call.store.lock:
        tagged = _tagged(call, arn)
        check_tags(tags, tagged.tags, tagged.name, tagged.account)
        tagged.store({**tagged.tags, **tags})


def _remove(call: Call, keys: Sequence[str], arn: str | None) -> None:
    with call.store.lock:
        tagged = _tagged(call, arn)
        tagged.store({key: value for key, value in tagged.tags.items() if key not in keys})


@operations.add("AddTagsToStream", writes=True)
def add_tags_to_stream(
    call: Call,
    *,
    tags: Mapping[str, str],
    stream_name: str | None = None,
    stream_arn: str | None = None,
    stream_id: str | None = None,
) -> None:
    """Adds tags to a stream."""
    _add(call, tags, None)


@operations.add("RemoveTagsFromStream", writes=True)
def remove_tags_from_stream(
    call: Call,
    *,
    tag_keys: Sequence[str],
    stream_name: str | None = None,
    stream_arn: str | None = None,
    stream_id: str | None = None,
) -> None:
    """Removes tags of a stream."""
    _remove(call, tag_keys, None)


@operations.add("ListTagsForStream")
def list_tags_for_stream(
    call: Call,
    *,
    stream_name: str | None = None,
    stream_arn: str | None = None,
    stream_id: str | None = None,
    exclusive_start_tag_key: str | None = None,
    limit: int = TAGS_MAX,
) -> dict[str, Any]:
    """The tags of a stream, sorted by key, page by page."""
    known = _tagged(call, None).tags
    left = sorted(key for key in known if key > (exclusive_start_tag_key or ""))
    shown = left[:limit]
    return {"Tags": _output(known, shown), "HasMoreTags": len(left) > len(shown)}


def _output(known: Mapping[str, str], keys: Sequence[str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": known[key]} for key in keys]


@operations.add("TagResource", writes=True)
def tag_resource(
    call: Call, *, tags: Mapping[str, str], resource_arn: str, stream_id: str | None = None
) -> None:
    """Adds tags to a stream, a consumer, a queue or a channel."""
    _add(call, tags, resource_arn)


@operations.add("UntagResource", writes=True)
def untag_resource(
    call: Call, *, tag_keys: Sequence[str], resource_arn: str, stream_id: str | None = None
) -> None:
    """Removes tags of a stream, a consumer, a queue or a channel."""
    _remove(call, tag_keys, resource_arn)


@operations.add("ListTagsForResource")
def list_tags_for_resource(
    call: Call, *, resource_arn: str, stream_id: str | None = None
) -> dict[str, Any]:
    """The tags of a stream, a consumer, a queue or a channel."""
    known = _tagged(call, resource_arn).tags
    return {"Tags": _output(known, sorted(known))}
