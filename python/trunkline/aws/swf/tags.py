"""Tags of domains."""

from __future__ import annotations

from trunkline._core import WorkflowFault
from trunkline.aws.arns import read_resource
from trunkline.aws.limits import TAGS_MAX
from trunkline.aws.swf.errors import too_many_tags, unknown_arn
from trunkline.aws.swf.names import domains_of
from trunkline.aws.swf.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline._core import WorkflowDomain
    from trunkline.aws.operation import Call


def as_mapping(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """A list of tags by key."""
    return {tag["key"]: tag.get("value", "") for tag in tags}


def check_tags(tags: Mapping[str, str], of: str) -> None:
    """Raises for more tags than a domain may have."""
    if len(tags) > TAGS_MAX:
        raise too_many_tags(of)


def _tagged(call: Call, arn: str) -> WorkflowDomain:
    resource = read_resource(arn)
    if resource is None or resource.service != "swf":
        raise unknown_arn(arn)
    kind, _, name = resource.resource.removeprefix("/").partition("/")
    if kind != "domain" or resource.owner != (call.account, call.region):
        raise unknown_arn(arn)
    try:
        return domains_of(call).find((resource.account, resource.region, name))
    except WorkflowFault:
        raise unknown_arn(arn) from None


@operations.add("TagResource")
def tag_resource(call: Call, *, resource_arn: str, tags: Sequence[Mapping[str, str]]) -> None:
    """Adds tags to a domain, or gives those it has another value."""
    with call.store.lock:
        domain = _tagged(call, resource_arn)
        known = domain.settings()[3] | as_mapping(tags)
        check_tags(known, resource_arn)
        domain.set_tags(known)


@operations.add("UntagResource")
def untag_resource(call: Call, *, resource_arn: str, tag_keys: Sequence[str]) -> None:
    """Takes tags from a domain."""
    with call.store.lock:
        domain = _tagged(call, resource_arn)
        known = domain.settings()[3]
        domain.set_tags({key: value for key, value in known.items() if key not in tag_keys})


@operations.add("ListTagsForResource")
def list_tags_for_resource(call: Call, *, resource_arn: str) -> dict[str, Any]:
    """The tags of a domain, by key."""
    known = _tagged(call, resource_arn).settings()[3]
    return {"tags": [{"key": key, "value": value} for key, value in sorted(known.items())]}
