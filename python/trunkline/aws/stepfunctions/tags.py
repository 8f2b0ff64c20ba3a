"""Tags of state machines and activities."""

from __future__ import annotations

from trunkline.aws.errors import ServiceError
from trunkline.aws.limits import TAGS_MAX
from trunkline.aws.stepfunctions.documents import key
from trunkline.aws.stepfunctions.errors import invalid, no_such_resource
from trunkline.aws.stepfunctions.names import Arn
from trunkline.aws.stepfunctions.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline.aws.operation import Call

_KINDS = {"stateMachine": "machine", "activity": "activity"}


def as_mapping(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Tags by their keys; raises for too many, and for one without a key."""
    for number, tag in enumerate(tags, 1):
        # The model does not ask for it.
        if "key" not in tag:
            raise invalid(
                f"1 validation error detected: Value null at 'tags.{number}.member.key' failed to "
                "satisfy constraint: Member must not be null"
            )
    found = {tag["key"]: tag.get("value", "") for tag in tags}
    _check_count(found)
    return found


def _check_count(tags: Mapping[str, str]) -> None:
    if len(tags) > TAGS_MAX:
        raise ServiceError("TooManyTags", f"A resource may have at most {TAGS_MAX} tags.")


def _read(call: Call, text: str) -> tuple[str, dict[str, Any]]:
    arn = Arn.parse(text, *_KINDS)
    where = key(arn.account, arn.region, _KINDS[arn.kind], arn.name)
    found = call.store.get(where) if arn.qualifier is None else None
    if found is None:
        raise no_such_resource(text)
    return where, found


@operations.add("TagResource", writes=True)
def tag_resource(call: Call, *, resource_arn: str, tags: Sequence[Mapping[str, str]]) -> None:
    """Adds tags, or changes their values."""
    with call.store.lock:
        where, found = _read(call, resource_arn)
        merged = found["tags"] | as_mapping(tags)
        _check_count(merged)
        call.store.put(where, {**found, "tags": merged})


@operations.add("UntagResource", writes=True)
def untag_resource(call: Call, *, resource_arn: str, tag_keys: Sequence[str]) -> None:
    """Removes tags; keys that the resource lacks do no harm."""
    with call.store.lock:
        where, found = _read(call, resource_arn)
        left = {name: value for name, value in found["tags"].items() if name not in tag_keys}
        call.store.put(where, {**found, "tags": left})


@operations.add("ListTagsForResource")
def list_tags_for_resource(call: Call, *, resource_arn: str) -> dict[str, Any]:
    """The tags of a state machine or an activity."""
    tags = _read(call, resource_arn)[1]["tags"]
    return {"tags": [{"key": name, "value": value} for name, value in tags.items()]}
