"""VPC links: kept and told. There is no VPC here, so integrations reach their URLs directly."""

from __future__ import annotations

import re

from trunkline.aws.apigateway.documents import members, new_id, paged_behind
from trunkline.aws.apigateway.errors import bad, missing
from trunkline.aws.apigateway.patching import Rule, check_operations, patched
from trunkline.aws.apigateway.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from trunkline.aws.operation import Call

RULES = {"/name": Rule(), "/description": Rule(("add", "replace", "remove"))}
_ARN = re.compile(r"arn:[\w-]+:elasticloadbalancing:[\w-]+:\d{12}:loadbalancer/.+")


def _key(call: Call, link: str = "") -> str:
    return f"apigateway/vpc-link/{call.account}/{call.region}/{link}"


def _read(call: Call, link: str) -> dict[str, Any]:
    found = call.store.get(_key(call, link))
    if found is None:
        raise missing("Invalid Vpc Link identifier specified")
    return found


@operations.add("CreateVpcLink", writes=True, stored_only=True)
def create_vpc_link(
    call: Call, *, name: str, target_arns: Sequence[str], **given: Any
) -> dict[str, Any]:
    """Keeps a link."""
    if not name:
        raise bad("Name cannot be empty")
    for arn in target_arns:
        if not _ARN.fullmatch(arn):
            raise bad(f"Invalid ARN. ARN is not well formed {arn}")
    link = {
        "id": new_id(),
        "name": name,
        "targetArns": list(target_arns),
        "status": "AVAILABLE",
        **members(given),
    }
    call.store.put(_key(call, link["id"]), link)
    return {**link, "status": "PENDING"}


@operations.add("GetVpcLink")
def get_vpc_link(call: Call, *, vpc_link_id: str) -> dict[str, Any]:
    """One link."""
    return _read(call, vpc_link_id)


@operations.add("GetVpcLinks")
def get_vpc_links(
    call: Call, *, position: str | None = None, limit: int | None = None
) -> dict[str, Any]:
    """The links of the caller."""
    return paged_behind(
        lambda after: call.store.every(_key(call), after=after),
        lambda link: str(link["id"]),
        limit,
        position,
    )


@operations.add("UpdateVpcLink", writes=True, stored_only=True)
def update_vpc_link(
    call: Call, *, vpc_link_id: str, patch_operations: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    """Patches a link."""
    check_operations("updateVpcLink", patch_operations)
    with call.store.lock:
        link = patched(_read(call, vpc_link_id), patch_operations, RULES)
        call.store.put(_key(call, vpc_link_id), link)
    return link


@operations.add("DeleteVpcLink", writes=True)
def delete_vpc_link(call: Call, *, vpc_link_id: str) -> None:
    """Forgets a link."""
    _read(call, vpc_link_id)
    call.store.put(_key(call, vpc_link_id), None)
