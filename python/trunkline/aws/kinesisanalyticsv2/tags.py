"""Tags of applications."""

from __future__ import annotations

from trunkline.aws.kinesisanalyticsv2.documents import by_arn, name_of
from trunkline.aws.kinesisanalyticsv2.errors import invalid, too_many_tags
from trunkline.aws.kinesisanalyticsv2.registry import operations
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
        raise too_many_tags(TAGS_MAX)
    return tags


@operations.add("TagResource", writes=True)
def tag_resource(call: Call, *, resource_arn: str, tags: Sequence[Mapping[str, Any]]) -> None:
    """Adds tags to an application, or changes their values."""
    with call.store.lock:
        document = by_arn(call, resource_arn)
        document["tags"] = merged(document["tags"], tags)
        call.store.put(name_of(document).key, document)


@operations.add("UntagResource", writes=True)
def untag_resource(call: Call, *, resource_arn: str, tag_keys: Sequence[str]) -> None:
    """Removes tags; keys that the application lacks do no harm."""
    with call.store.lock:
        document = by_arn(call, resource_arn)
        for key in tag_keys:
            document["tags"].pop(key, None)
        call.store.put(name_of(document).key, document)


@operations.add("ListTagsForResource")
def list_tags_for_resource(call: Call, *, resource_arn: str) -> dict[str, Any]:
    """The tags of an application, sorted by key."""
    tags = by_arn(call, resource_arn)["tags"]
    return {"Tags": [{"Key": key, "Value": tags[key]} for key in sorted(tags)]}
