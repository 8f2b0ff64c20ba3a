"""Roles, and the policies written into them."""

from __future__ import annotations

from urllib.parse import quote

from trunkline.aws.arns import partition
from trunkline.aws.errors import ServiceError
from trunkline.aws.iam.registry import (
    check_document,
    count_of,
    exists,
    make_id,
    missing,
    operations,
    page,
    shown,
)
from trunkline.aws.limits import SESSION_SECONDS_DEFAULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from trunkline.aws.operation import Call


def key_of(call: Call, name: str = "") -> str:
    """The key of a role's document; without a name, the prefix of all of an account."""
    return f"iam/{call.account}/role/{name}"


def load(call: Call, name: str) -> dict[str, Any]:
    """The stored role; raises NoSuchEntity."""
    role = call.store.get(key_of(call, name))
    if role is None:
        raise missing("role", name)
    return role


def _shown(role: dict[str, Any]) -> dict[str, Any]:
    hidden = ("inline", "attached")
    shown = {name: value for name, value in role.items() if name not in hidden}
    # IAM gives documents percent-encoded.
    return shown | {"AssumeRolePolicyDocument": quote(role["AssumeRolePolicyDocument"], safe="")}


@operations.add("CreateRole", writes=True)
def create_role(
    call: Call,
    *,
    role_name: str,
    assume_role_policy_document: str,
    path: str = "/",
    description: str | None = None,
    max_session_duration: int = SESSION_SECONDS_DEFAULT,
    permissions_boundary: str | None = None,
    tags: Sequence[dict[str, str]] = (),
) -> dict[str, Any]:
    """Stores a role."""
    check_document(assume_role_policy_document)
    with call.store.lock:
        if call.store.get(key_of(call, role_name)) is not None:
            raise exists("Role", role_name)
        arn = f"arn:{partition(call.region)}:iam::{call.account}:role{path}{role_name}"
        role: dict[str, Any] = {
            "Path": path,
            "RoleName": role_name,
            "RoleId": make_id("AROA", arn),
            "Arn": arn,
            "CreateDate": float(int(call.store.now())),
            "AssumeRolePolicyDocument": assume_role_policy_document,
            "MaxSessionDuration": max_session_duration,
        }
        if description is not None:
            role["Description"] = description
        if permissions_boundary is not None:
            role["PermissionsBoundary"] = {
                "PermissionsBoundaryType": "Policy",
                "PermissionsBoundaryArn": permissions_boundary,
            }
        if tags:
            role["Tags"] = list(tags)
        call.store.put(key_of(call, role_name), role)
    return {"Role": _shown(role)}


@operations.add("GetRole")
def get_role(call: Call, *, role_name: str) -> dict[str, Any]:
    """The role of this name."""
    return {"Role": _shown(load(call, role_name))}


@operations.add("ListRoles")
def list_roles(
    call: Call, *, path_prefix: str = "/", marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """The roles of the caller's account."""
    roles, following = call.store.page(
        key_of(call),
        after=marker,
        limit=count_of(max_items),
        keep=lambda role: str(role["Path"]).startswith(path_prefix),
    )
    return shown("Roles", [_shown(role) for role in roles], following)


@operations.add("UpdateAssumeRolePolicy", writes=True)
def update_assume_role_policy(call: Call, *, role_name: str, policy_document: str) -> None:
    """Changes who may take a role."""
    check_document(policy_document)
    with call.store.lock:
        role = load(call, role_name)
        role["AssumeRolePolicyDocument"] = policy_document
        call.store.put(key_of(call, role_name), role)


@operations.add("DeleteRole", writes=True)
def delete_role(call: Call, *, role_name: str) -> None:
    """Removes a role that has no policies."""
    with call.store.lock:
        role = load(call, role_name)
        if role.get("inline") or role.get("attached"):
            raise ServiceError(
                "DeleteConflict", "Cannot delete entity, must remove policies first.", 409
            )
        call.store.put(key_of(call, role_name), None)


@operations.add("PutRolePolicy", writes=True)
def put_role_policy(call: Call, *, role_name: str, policy_name: str, policy_document: str) -> None:
    """Writes a policy into a role."""
    check_document(policy_document)
    with call.store.lock:
        role = load(call, role_name)
        role.setdefault("inline", {})[policy_name] = policy_document
        call.store.put(key_of(call, role_name), role)


@operations.add("GetRolePolicy")
def get_role_policy(call: Call, *, role_name: str, policy_name: str) -> dict[str, Any]:
    """A policy that was written into a role."""
    document = load(call, role_name).get("inline", {}).get(policy_name)
    if document is None:
        raise missing("role policy", policy_name)
    return {
        "RoleName": role_name,
        "PolicyName": policy_name,
        "PolicyDocument": quote(document, safe=""),
    }


@operations.add("ListRolePolicies")
def list_role_policies(
    call: Call, *, role_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """The names of the policies that were written into a role."""
    names = sorted(load(call, role_name).get("inline", {}))
    return page("PolicyNames", names, marker, max_items)


@operations.add("DeleteRolePolicy", writes=True)
def delete_role_policy(call: Call, *, role_name: str, policy_name: str) -> None:
    """Removes a policy that was written into a role."""
    with call.store.lock:
        role = load(call, role_name)
        if role.get("inline", {}).pop(policy_name, None) is None:
            raise missing("role policy", policy_name)
        call.store.put(key_of(call, role_name), role)
