"""Policies of their own, and their attachment to roles."""

from __future__ import annotations

from urllib.parse import quote

from trunkline.aws.arns import partition
from trunkline.aws.errors import ServiceError
from trunkline.aws.iam.registry import (
    check_document,
    count_of,
    exists,
    make_id,
    operations,
    page,
    shown,
)
from trunkline.aws.iam.roles import key_of as role_key
from trunkline.aws.iam.roles import load as load_role

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from trunkline.aws.operation import Call


def _key(call: Call, arn: str = "") -> str:
    return f"iam/{call.account}/policy/{arn}"


def _load(call: Call, arn: str) -> dict[str, Any]:
    policy = call.store.get(_key(call, arn))
    if policy is None:
        raise ServiceError("NoSuchEntity", f"Policy {arn} was not found.", 404)
    return policy


def _shown(policy: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in policy.items() if name != "document"}


@operations.add("CreatePolicy", writes=True)
def create_policy(
    call: Call,
    *,
    policy_name: str,
    policy_document: str,
    path: str = "/",
    description: str | None = None,
    tags: Sequence[dict[str, str]] = (),
) -> dict[str, Any]:
    """Stores a policy."""
    check_document(policy_document)
    arn = f"arn:{partition(call.region)}:iam::{call.account}:policy{path}{policy_name}"
    with call.store.lock:
        if call.store.get(_key(call, arn)) is not None:
            raise exists("Policy", policy_name)
        now = float(int(call.store.now()))
        policy: dict[str, Any] = {
            "PolicyName": policy_name,
            "PolicyId": make_id("ANPA", arn),
            "Arn": arn,
            "Path": path,
            "DefaultVersionId": "v1",
            "AttachmentCount": 0,
            "IsAttachable": True,
            "CreateDate": now,
            "UpdateDate": now,
            "document": policy_document,
        }
        if description is not None:
            policy["Description"] = description
        if tags:
            policy["Tags"] = list(tags)
        call.store.put(_key(call, arn), policy)
    return {"Policy": _shown(policy)}


@operations.add("GetPolicy")
def get_policy(call: Call, *, policy_arn: str) -> dict[str, Any]:
    """The policy of this resource name."""
    return {"Policy": _shown(_load(call, policy_arn))}


@operations.add("GetPolicyVersion")
def get_policy_version(call: Call, *, policy_arn: str, version_id: str) -> dict[str, Any]:
    """The document of a policy; there is one version."""
    policy = _load(call, policy_arn)
    if version_id != "v1":
        raise ServiceError("NoSuchEntity", f"Policy version {version_id} was not found.", 404)
    return {
        "PolicyVersion": {
            "Document": quote(policy["document"], safe=""),
            "VersionId": "v1",
            "IsDefaultVersion": True,
            "CreateDate": policy["CreateDate"],
        }
    }


@operations.add("ListPolicies")
def list_policies(
    call: Call,
    *,
    scope: str = "All",
    only_attached: bool = False,
    path_prefix: str = "/",
    policy_usage_filter: str | None = None,
    marker: str | None = None,
    max_items: int | None = None,
) -> dict[str, Any]:
    """The policies of the caller's account; AWS's own are not kept here."""

    def keep(policy: dict[str, Any]) -> bool:
        is_wanted = policy["AttachmentCount"] > 0 or not only_attached
        return is_wanted and str(policy["Path"]).startswith(path_prefix)

    if scope == "AWS":
        return shown("Policies", [], None)
    policies, following = call.store.page(
        _key(call), after=marker, limit=count_of(max_items), keep=keep
    )
    return shown("Policies", [_shown(policy) for policy in policies], following)


@operations.add("DeletePolicy", writes=True)
def delete_policy(call: Call, *, policy_arn: str) -> None:
    """Removes a policy that is attached to nothing."""
    with call.store.lock:
        if _load(call, policy_arn)["AttachmentCount"]:
            raise ServiceError(
                "DeleteConflict", "Cannot delete a policy attached to entities.", 409
            )
        call.store.put(_key(call, policy_arn), None)


@operations.add("AttachRolePolicy", writes=True)
def attach_role_policy(call: Call, *, role_name: str, policy_arn: str) -> None:
    """Attaches a policy to a role. AWS's own policies may be named, too; they are not kept."""
    with call.store.lock:
        role = load_role(call, role_name)
        attached = role.setdefault("attached", [])
        if policy_arn in attached:
            return
        if not _is_managed(policy_arn):
            _count(call, policy_arn, 1)
        attached.append(policy_arn)
        call.store.put(role_key(call, role_name), role)


@operations.add("DetachRolePolicy", writes=True)
def detach_role_policy(call: Call, *, role_name: str, policy_arn: str) -> None:
    """Takes a policy from a role."""
    with call.store.lock:
        role = load_role(call, role_name)
        if policy_arn not in role.get("attached", []):
            raise ServiceError("NoSuchEntity", f"Policy {policy_arn} was not found.", 404)
        role["attached"].remove(policy_arn)
        call.store.put(role_key(call, role_name), role)
        if not _is_managed(policy_arn):
            _count(call, policy_arn, -1)


def _is_managed(arn: str) -> bool:
    # AWS's own policies belong to the account "aws".
    return arn.split(":")[4:5] == ["aws"]


def _count(call: Call, arn: str, step: int) -> None:
    policy = _load(call, arn)
    policy["AttachmentCount"] += step
    call.store.put(_key(call, arn), policy)


@operations.add("ListAttachedRolePolicies")
def list_attached_role_policies(
    call: Call,
    *,
    role_name: str,
    path_prefix: str = "/",
    marker: str | None = None,
    max_items: int | None = None,
) -> dict[str, Any]:
    """The policies that are attached to a role."""
    arns = load_role(call, role_name).get("attached", [])
    attached = [
        {"PolicyName": arn.rsplit("/", 1)[-1], "PolicyArn": arn}
        for arn in arns
        if arn.split(":policy", 1)[-1].startswith(path_prefix)
    ]
    return page("AttachedPolicies", attached, marker, max_items)
