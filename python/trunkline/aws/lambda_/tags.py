"""Tags of functions and event source mappings."""

from __future__ import annotations

from trunkline.aws.lambda_.documents import key_of, name_of, named, read
from trunkline.aws.lambda_.errors import invalid, missing
from trunkline.aws.lambda_.registry import operations
from trunkline.aws.limits import TAGS_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline.aws.operation import Call


def _find(call: Call, arn: str) -> tuple[str, dict[str, Any]]:
    """The key and the document of what an ARN names."""
    if ":event-source-mapping:" in arn:
        uuid = arn.rpartition(":")[2]
        mapping = call.store.get(f"lambda/mappings/{call.region}/{call.account}/{uuid}")
        if mapping is None:
            raise missing("The resource you requested does not exist.")
        return f"lambda/mappings/{call.region}/{call.account}/{uuid}", mapping
    wanted = named(call, arn)
    if wanted.qualifier is not None:
        raise invalid(
            "Tags on function aliases and versions are not supported. Please specify a "
            "function ARN."
        )
    document = read(call, wanted)
    return key_of(name_of(document)), document


@operations.add("TagResource", writes=True)
def tag_resource(call: Call, *, resource: str, tags: Mapping[str, str]) -> None:
    """Adds tags."""
    with call.store.lock:
        key, document = _find(call, resource)
        document["tags"] |= tags
        if len(document["tags"]) > TAGS_MAX:
            raise invalid(f"The number of tags exceeds the limit of {TAGS_MAX}.")
        call.store.put(key, document)


@operations.add("UntagResource", writes=True)
def untag_resource(call: Call, *, resource: str, tag_keys: Sequence[str]) -> None:
    """Removes tags."""
    with call.store.lock:
        key, document = _find(call, resource)
        for name in tag_keys:
            document["tags"].pop(name, None)
        call.store.put(key, document)


@operations.add("ListTags")
def list_tags(call: Call, *, resource: str) -> dict[str, Any]:
    """The tags of a function or an event source mapping."""
    return {"Tags": _find(call, resource)[1]["tags"]}
