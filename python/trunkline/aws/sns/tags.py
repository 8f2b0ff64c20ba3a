"""Tags of topics."""

from __future__ import annotations

from trunkline.aws.errors import ServiceError
from trunkline.aws.limits import TAGS_MAX
from trunkline.aws.sns.errors import invalid
from trunkline.aws.sns.registry import operations
from trunkline.aws.sns.resources import read, split_arn, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline._core import Topic
    from trunkline.aws.operation import Call


def read_tags(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Tags by their keys."""
    found = {tag["Key"]: tag["Value"] for tag in tags}
    if len(found) < len(tags):
        raise invalid("Duplicated keys are not allowed.")
    for key in found:
        if key.lower().startswith("aws:"):
            raise invalid("Tag keys that start with aws: are reserved for internal use.")
    if len(found) > TAGS_MAX:
        raise _too_many()
    return found


def _too_many() -> ServiceError:
    return ServiceError(
        "TagLimitExceeded",
        f"Could not complete request: tag quota of per resource exceeded ({TAGS_MAX})",
    )


def _topic(call: Call, arn: str) -> Topic:
    split_arn(arn, "ResourceArn")
    topic = None if call.target is None else call.store.core.topic(call.target, False, None, None)
    if topic is None:
        raise ServiceError("ResourceNotFound", "Resource does not exist", 404)
    return topic


@operations.add("TagResource", writes=True)
def tag_resource(
    call: Call, *, resource_arn: str, tags: Sequence[Mapping[str, str]] = ()
) -> dict[str, Any]:
    """Adds tags to a topic, or changes their values."""
    topic, given = _topic(call, resource_arn), read_tags(tags)
    with call.store.lock:
        kept = read(topic)
        kept["tags"] = kept["tags"] | given
        if len(kept["tags"]) > TAGS_MAX:
            raise _too_many()
        write(topic, kept)
    return {}


@operations.add("UntagResource", writes=True)
def untag_resource(
    call: Call, *, resource_arn: str, tag_keys: Sequence[str] = ()
) -> dict[str, Any]:
    """Removes tags from a topic; keys that it lacks do no harm."""
    topic = _topic(call, resource_arn)
    with call.store.lock:
        kept = read(topic)
        kept["tags"] = {key: value for key, value in kept["tags"].items() if key not in tag_keys}
        write(topic, kept)
    return {}


@operations.add("ListTagsForResource")
def list_tags_for_resource(call: Call, *, resource_arn: str) -> dict[str, Any]:
    """The tags of a topic."""
    tags = read(_topic(call, resource_arn))["tags"]
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
