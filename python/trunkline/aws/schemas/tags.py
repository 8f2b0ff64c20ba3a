"""Tags of registries, schemas and discoverers."""

from __future__ import annotations

from trunkline.aws.limits import TAGS_MAX
from trunkline.aws.schemas.documents import arn_of, key
from trunkline.aws.schemas.errors import invalid, not_found
from trunkline.aws.schemas.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline.aws.operation import Call


def _read(call: Call, arn: str) -> tuple[str, dict[str, Any]]:
    kind, *names = arn.rpartition(":")[2].split("/")
    where = key(call, kind, *names)
    found = None
    if kind in ("registry", "schema", "discoverer") and arn == arn_of(call, kind, *names):
        found = call.store.get(where)
    if found is None:
        raise not_found("Resource", arn)
    return where, found


@operations.add("TagResource", writes=True)
def tag_resource(call: Call, *, resource_arn: str, tags: Mapping[str, str]) -> None:
    """Adds tags, or changes their values."""
    with call.store.lock:
        where, found = _read(call, resource_arn)
        merged = found["tags"] | tags
        if len(merged) > TAGS_MAX:
            raise invalid(f"A resource has at most {TAGS_MAX} tags.")
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
    """The tags of a resource."""
    return {"Tags": _read(call, resource_arn)[1]["tags"]}
