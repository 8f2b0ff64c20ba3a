"""Who may use a version of a layer. The statements are kept and told; use inside the engine needs
no right, and a layer of another account is not reached."""

from __future__ import annotations

import json
from uuid import uuid4

from trunkline.aws.lambda_.errors import conflict, missing, stale
from trunkline.aws.lambda_.layers import keep_version, layer_arn, read_version
from trunkline.aws.lambda_.permissions import principal_of
from trunkline.aws.lambda_.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call


@operations.add("AddLayerVersionPermission", writes=True, stored_only=True)
def add_layer_version_permission(
    call: Call,
    *,
    layer_name: str,
    version_number: int,
    statement_id: str,
    action: str,
    principal: str,
    organization_id: str | None = None,
    revision_id: str | None = None,
) -> dict[str, Any]:
    """Adds a statement to the policy of a version of a layer."""
    with call.store.lock:
        document = read_version(call, layer_arn(call, layer_name), version_number)
        policy = _policy(document, revision_id)
        if statement_id in policy["statements"]:
            raise conflict(
                f"The statement id ({statement_id}) provided already exists. Please provide a new "
                "statement id, or remove the existing statement."
            )
        statement: dict[str, Any] = {
            "Sid": statement_id,
            "Effect": "Allow",
            "Principal": principal_of(principal),
            "Action": action,
            "Resource": document["LayerVersionArn"],
        }
        if organization_id is not None:
            statement["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": organization_id}}
        policy["statements"][statement_id] = statement
        revision = _keep(call, document, policy)
    return {"Statement": _text(statement), "RevisionId": revision}


@operations.add("GetLayerVersionPolicy")
def get_layer_version_policy(call: Call, *, layer_name: str, version_number: int) -> dict[str, Any]:
    """The policy of a version of a layer."""
    policy = _policy(read_version(call, layer_arn(call, layer_name), version_number), None)
    if not policy["statements"]:
        raise missing("No policy is associated with the given resource.")
    statements = list(policy["statements"].values())
    text = _text({"Version": "2012-10-17", "Id": "default", "Statement": statements})
    return {"Policy": text, "RevisionId": policy["revision"]}


@operations.add("RemoveLayerVersionPermission", writes=True, stored_only=True)
def remove_layer_version_permission(
    call: Call,
    *,
    layer_name: str,
    version_number: int,
    statement_id: str,
    revision_id: str | None = None,
) -> None:
    """Removes a statement."""
    with call.store.lock:
        document = read_version(call, layer_arn(call, layer_name), version_number)
        policy = _policy(document, revision_id)
        if policy["statements"].pop(statement_id, None) is None:
            raise missing(f"Statement {statement_id} is not found in resource policy.")
        _keep(call, document, policy)


def _policy(document: dict[str, Any], revision_id: str | None) -> dict[str, Any]:
    policy: dict[str, Any] = document.get("policy") or {"statements": {}, "revision": None}
    if revision_id is not None and revision_id != policy["revision"]:
        raise stale()
    return policy


def _keep(call: Call, document: dict[str, Any], policy: dict[str, Any]) -> str:
    revision = str(uuid4())
    keep_version(call, document | {"policy": policy | {"revision": revision}})
    return revision


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))
