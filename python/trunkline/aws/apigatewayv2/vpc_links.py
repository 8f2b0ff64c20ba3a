"""VPC links. They are kept; no request can use one, because this engine has no VPCs."""

from __future__ import annotations

from trunkline.aws.apigatewayv2.documents import members, new_id, paged_behind
from trunkline.aws.apigatewayv2.errors import missing
from trunkline.aws.apigatewayv2.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call

    Document = dict[str, Any]


def link_key(account: str, region: str, id: str = "") -> str:
    """The key of a VPC link; without an id, the prefix of all."""
    return f"apigatewayv2/vpc-link/{account}/{region}/{id}"


def _read(call: Call, id: str) -> Document:
    found = call.store.get(link_key(call.account, call.region, id))
    if found is None:
        raise missing("VpcLink", id)
    return found


@operations.add("CreateVpcLink", writes=True, stored_only=True)
def create_vpc_link(call: Call, **given: Any) -> Document:
    """Keeps a VPC link."""
    link = {
        "VpcLinkId": new_id(6),
        "CreatedDate": call.store.now(),
        "SecurityGroupIds": [],
        "Tags": {},
        "VpcLinkStatus": "AVAILABLE",
        "VpcLinkVersion": "V2",
        **members(given),
    }
    call.store.put(link_key(call.account, call.region, link["VpcLinkId"]), link)
    return link


@operations.add("GetVpcLink")
def get_vpc_link(call: Call, *, vpc_link_id: str) -> Document:
    """One VPC link."""
    return _read(call, vpc_link_id)


@operations.add("GetVpcLinks")
def get_vpc_links(
    call: Call, *, max_results: str | None = None, next_token: str | None = None
) -> Document:
    """The VPC links of the caller."""
    prefix = link_key(call.account, call.region)
    return paged_behind(
        lambda after: call.store.every(prefix, after=after), "VpcLinkId", max_results, next_token
    )


@operations.add("UpdateVpcLink", writes=True, stored_only=True)
def update_vpc_link(call: Call, *, vpc_link_id: str, **given: Any) -> Document:
    """Renames a VPC link."""
    with call.store.lock:
        link = {**_read(call, vpc_link_id), **members(given)}
        call.store.put(link_key(call.account, call.region, vpc_link_id), link)
    return link


@operations.add("DeleteVpcLink", writes=True)
def delete_vpc_link(call: Call, *, vpc_link_id: str) -> None:
    """Forgets a VPC link."""
    with call.store.lock:
        _read(call, vpc_link_id)
        call.store.put(link_key(call.account, call.region, vpc_link_id), None)
