"""Tags of streams and of consumers, in both families of operations."""

from __future__ import annotations

from trunkline.aws.kinesis import stored
from trunkline.aws.kinesis.consumers import find_consumer
from trunkline.aws.kinesis.names import find
from trunkline.aws.kinesis.registry import operations
from trunkline.aws.kinesis.tag_rules import check_tags
from trunkline.aws.limits import TAGS_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline._core import WireStream
    from trunkline.aws.operation import Call


def _tagged(call: Call, arn: str | None) -> tuple[WireStream, str | None, dict[str, str]]:
    """The stream, the consumer if the resource name is that of one, and the tags."""
    if arn is not None and "/consumer/" in arn:
        stream, name, consumer = find_consumer(call, None, arn)
        return stream, name, dict(consumer.get("tags", {}))
    stream = find(call)
    return stream, None, dict(stored.read(stream).get("tags", {}))


def _store(stream: WireStream, consumer: str | None, tags: dict[str, str]) -> None:
    if consumer is None:
        stored.change(stream, tags=tags)
        return
    known = stored.read(stream)["consumers"]
    known[consumer]["tags"] = tags
    stored.change(stream, consumers=known)


def _add(call: Call, tags: Mapping[str, str], arn: str | None) -> None:
    with call.store.lock:
        stream, consumer, known = _tagged(call, arn)
        account, _, name = stream.full_name
        check_tags(tags, known, name, account)
        _store(stream, consumer, known | dict(tags))


def _remove(call: Call, keys: Sequence[str], arn: str | None) -> None:
    with call.store.lock:
        stream, consumer, known = _tagged(call, arn)
        _store(stream, consumer, {key: value for key, value in known.items() if key not in keys})


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
    known = _tagged(call, None)[2]
    left = sorted(key for key in known if key > (exclusive_start_tag_key or ""))
    shown = left[:limit]
    return {"Tags": _output(known, shown), "HasMoreTags": len(left) > len(shown)}


def _output(known: Mapping[str, str], keys: Sequence[str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": known[key]} for key in keys]


@operations.add("TagResource", writes=True)
def tag_resource(
    call: Call, *, tags: Mapping[str, str], resource_arn: str, stream_id: str | None = None
) -> None:
    """Adds tags to a stream or a consumer."""
    _add(call, tags, resource_arn)


@operations.add("UntagResource", writes=True)
def untag_resource(
    call: Call, *, tag_keys: Sequence[str], resource_arn: str, stream_id: str | None = None
) -> None:
    """Removes tags of a stream or a consumer."""
    _remove(call, tag_keys, resource_arn)


@operations.add("ListTagsForResource")
def list_tags_for_resource(
    call: Call, *, resource_arn: str, stream_id: str | None = None
) -> dict[str, Any]:
    """The tags of a stream or a consumer."""
    known = _tagged(call, resource_arn)[2]
    return {"Tags": _output(known, sorted(known))}
