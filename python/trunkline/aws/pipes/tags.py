"""Tags of pipes."""

from __future__ import annotations

from trunkline.aws.limits import TAGS_MAX
from trunkline.aws.pipes.documents import PipeName
from trunkline.aws.pipes.errors import invalid, no_such_pipe
from trunkline.aws.pipes.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline.aws.operation import Call


def check_tags(tags: Mapping[str, str]) -> None:
    """Raises for what may not be the tags of a pipe."""
    if len(tags) > TAGS_MAX:
        raise invalid(f"A resource has at most {TAGS_MAX} tags.")
    if any(key.lower().startswith("aws:") for key in tags):
        raise invalid("Tag keys that start with aws: are reserved for system use.")


def _read(call: Call, arn: str) -> tuple[str, dict[str, Any]]:
    name = PipeName(call.account, call.region, arn.rpartition("/")[2])
    document = call.store.get(name.key)
    if document is None or name.arn != arn:
        raise no_such_pipe(name.name)
    return name.key, document


@operations.add("TagResource", writes=True)
def tag_resource(call: Call, *, resource_arn: str, tags: Mapping[str, str]) -> None:
    """Adds tags to a pipe, or changes their values."""
    with call.store.lock:
        key, document = _read(call, resource_arn)
        merged = document["tags"] | tags
        check_tags(merged)
        call.store.put(key, {**document, "tags": merged})


@operations.add("UntagResource", writes=True)
def untag_resource(call: Call, *, resource_arn: str, tag_keys: Sequence[str]) -> None:
    """Removes tags; keys that the pipe lacks do no harm."""
    with call.store.lock:
        key, document = _read(call, resource_arn)
        left = {tag: value for tag, value in document["tags"].items() if tag not in tag_keys}
        call.store.put(key, {**document, "tags": left})


@operations.add("ListTagsForResource")
def list_tags_for_resource(call: Call, *, resource_arn: str) -> dict[str, Any]:
    """The tags of a pipe."""
    return {"tags": _read(call, resource_arn)[1]["tags"]}
