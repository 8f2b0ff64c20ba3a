"""Tags of APIs, stages, domain names and VPC links."""

from __future__ import annotations

from trunkline.aws.apigatewayv2.documents import read, save
from trunkline.aws.apigatewayv2.domains import domain_key
from trunkline.aws.apigatewayv2.errors import bad, missing
from trunkline.aws.apigatewayv2.registry import operations
from trunkline.aws.apigatewayv2.vpc_links import link_key
from trunkline.aws.limits import TAGS_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from trunkline.aws.operation import Call

    Document = dict[str, Any]


def _tagged(call: Call, arn: str) -> tuple[Document, Callable[[], None]]:
    """What has the tags of a resource, and what keeps it."""
    path = arn.partition("::")[2] or arn
    steps = path.strip("/").split("/")
    if steps[0] == "apis" and len(steps) in (2, 4):
        document = read(call, steps[1])
        if len(steps) == 2:
            return document["api"], lambda: save(call, document)
        stage = document["stages"].get(steps[3])
        if stage is None:
            raise missing("Stage", steps[3])
        return stage, lambda: save(call, document)
    if len(steps) == 2 and steps[0] in ("domainnames", "vpclinks"):
        named = domain_key if steps[0] == "domainnames" else link_key
        key = named(call.account, call.region, steps[1])
        found = call.store.get(key)
        if found is None:
            raise missing("resource", arn)
        return found.get("domain", found), lambda: call.store.put(key, found)
    raise bad(f"Invalid resource ARN {arn!r}")


@operations.add("GetTags")
def get_tags(call: Call, *, resource_arn: str) -> Document:
    """The tags of a resource."""
    return {"Tags": _tagged(call, resource_arn)[0].get("Tags", {})}


@operations.add("TagResource", writes=True)
def tag_resource(call: Call, *, resource_arn: str, tags: dict[str, str] | None = None) -> None:
    """Adds tags to a resource."""
    with call.store.lock:
        found, keep = _tagged(call, resource_arn)
        merged = {**found.get("Tags", {}), **(tags or {})}
        if len(merged) > TAGS_MAX:
            raise bad(f"A resource has at most {TAGS_MAX} tags")
        found["Tags"] = merged
        keep()


@operations.add("UntagResource", writes=True)
def untag_resource(call: Call, *, resource_arn: str, tag_keys: Sequence[str]) -> None:
    """Takes tags from a resource."""
    with call.store.lock:
        found, keep = _tagged(call, resource_arn)
        found["Tags"] = {
            name: value for name, value in found.get("Tags", {}).items() if name not in tag_keys
        }
        keep()
