"""Tags of groups; a schedule has none of its own."""

from __future__ import annotations

from trunkline.aws.limits import TAGS_MAX
from trunkline.aws.scheduler import groups
from trunkline.aws.scheduler.errors import invalid, no_such_group
from trunkline.aws.scheduler.registry import operations
from trunkline.aws.scheduler.tag_list import as_mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline.aws.operation import Call


def _group(call: Call, arn: str) -> dict[str, Any]:
    name = arn.rpartition("/")[2]
    group = groups.read(call, name)
    if arn != groups.arn_of(call, name):
        raise no_such_group(name)
    return group


def _write(call: Call, group: dict[str, Any], tags: dict[str, str]) -> None:
    groups.write(call, {**group, "tags": tags, "modified": call.store.now()})


@operations.add("TagResource", writes=True)
def tag_resource(call: Call, *, resource_arn: str, tags: Sequence[Mapping[str, str]]) -> None:
    """Adds tags to a group, or changes their values."""
    given = as_mapping(tags)
    with call.store.lock:
        group = _group(call, resource_arn)
        merged = group["tags"] | given
        if len(merged) > TAGS_MAX:
            raise invalid(f"A resource has at most {TAGS_MAX} tags.")
        _write(call, group, merged)


@operations.add("UntagResource", writes=True)
def untag_resource(call: Call, *, resource_arn: str, tag_keys: Sequence[str]) -> None:
    """Removes tags; keys that the group lacks do no harm."""
    with call.store.lock:
        group = _group(call, resource_arn)
        left = {key: value for key, value in group["tags"].items() if key not in tag_keys}
        _write(call, group, left)


@operations.add("ListTagsForResource")
def list_tags_for_resource(call: Call, *, resource_arn: str) -> dict[str, Any]:
    """The tags of a group."""
    tags = _group(call, resource_arn)["tags"]
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
