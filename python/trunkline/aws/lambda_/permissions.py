"""The resource policy of a function. It is kept and told; callers in the engine need no right."""

from __future__ import annotations

import json
from uuid import uuid4

from trunkline.aws.lambda_.documents import key_of, name_of, named, read, version_of
from trunkline.aws.lambda_.errors import conflict, missing, stale
from trunkline.aws.lambda_.registry import operations
from trunkline.functions.names import LATEST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call


def principal_of(principal: str) -> str | dict[str, str]:
    """A principal of a request as a policy names it: a service, an account, or everyone.

    >>> principal_of("123456789012")
    {'AWS': 'arn:aws:iam::123456789012:root'}
    """
    if principal == "*":
        return principal
    if principal.endswith(".amazonaws.com"):
        return {"Service": principal}
    return {"AWS": f"arn:aws:iam::{principal}:root" if principal.isdigit() else principal}


def _statement(arn: str, statement_id: str, given: dict[str, Any]) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "Sid": statement_id,
        "Effect": "Allow",
        "Principal": principal_of(given["principal"]),
        "Action": given["action"],
        "Resource": arn,
    }
    conditions: dict[str, Any] = {}
    if "source_arn" in given:
        conditions["ArnLike"] = {"AWS:SourceArn": given["source_arn"]}
    equal = {
        "AWS:SourceAccount": given.get("source_account"),
        "lambda:FunctionUrlAuthType": given.get("function_url_auth_type"),
        "aws:PrincipalOrgID": given.get("principal_org_id"),
        "lambda:EventSourceToken": given.get("event_source_token"),
    }
    equal = {name: value for name, value in equal.items() if value is not None}
    if equal:
        conditions["StringEquals"] = equal
    return statement | ({"Condition": conditions} if conditions else {})


@operations.add("AddPermission", writes=True, stored_only=True)
def add_permission(
    call: Call,
    *,
    function_name: str,
    statement_id: str,
    qualifier: str | None = None,
    revision_id: str | None = None,
    **given: Any,
) -> dict[str, Any]:
    """Adds a statement to the policy of a function."""
    wanted = named(call, function_name, qualifier)
    with call.store.lock:
        document = read(call, wanted)
        version_of(document, wanted.qualifier)
        policy = _policy(document, wanted.qualifier)
        _check_revision(policy, revision_id)
        if statement_id in policy["statements"]:
            raise conflict(
                f"The statement id ({statement_id}) provided already exists. Please provide a new "
                "statement id, or remove the existing statement."
            )
        statement = _statement(wanted.arn, statement_id, given)
        policy["statements"][statement_id] = statement
        _keep(call, document, wanted.qualifier, policy)
    return {"Statement": _text(statement)}


@operations.add("RemovePermission", writes=True, stored_only=True)
def remove_permission(
    call: Call,
    *,
    function_name: str,
    statement_id: str,
    qualifier: str | None = None,
    revision_id: str | None = None,
) -> None:
    """Removes a statement."""
    wanted = named(call, function_name, qualifier)
    with call.store.lock:
        document = read(call, wanted)
        policy = _policy(document, wanted.qualifier)
        _check_revision(policy, revision_id)
        if policy["statements"].pop(statement_id, None) is None:
            raise missing(f"Statement {statement_id} is not found in resource policy.")
        _keep(call, document, wanted.qualifier, policy)


@operations.add("GetPolicy")
def get_policy(call: Call, *, function_name: str, qualifier: str | None = None) -> dict[str, Any]:
    """The policy of a function."""
    wanted = named(call, function_name, qualifier)
    policy = _policy(read(call, wanted), wanted.qualifier)
    if not policy["statements"]:
        raise missing("The resource you requested does not exist.")
    statements = list(policy["statements"].values())
    text = _text({"Version": "2012-10-17", "Id": "default", "Statement": statements})
    return {"Policy": text, "RevisionId": policy["revision"]}


def may_invoke(document: dict[str, Any], qualifier: str | None, account: str) -> bool:
    """Whether the policy of a function lets another account call it.

    A statement with a condition lets no caller in: conditions are not evaluated here.
    """
    wanted = ("*", account, f"arn:aws:iam::{account}:root")
    for statement in _policy(document, qualifier)["statements"].values():
        principal = statement["Principal"]
        who = principal if principal == "*" else principal.get("AWS")
        is_action = statement["Action"] in ("lambda:InvokeFunction", "lambda:*")
        if who in wanted and is_action and "Condition" not in statement:
            return True
    return False


def lets_url_be_called(
    document: dict[str, Any], qualifier: str, account: str | None, kind: str
) -> bool:
    """Whether the policy of a function lets its URL be called: by `account`, or by all for None.

    Of conditions, the kind of authentication is evaluated; any other one lets no caller in.
    """
    wanted = ("*",) if account is None else ("*", account, f"arn:aws:iam::{account}:root")
    only = {"StringEquals": {"lambda:FunctionUrlAuthType": kind}}
    for statement in _policy(document, qualifier)["statements"].values():
        principal = statement["Principal"]
        who = principal if principal == "*" else principal.get("AWS")
        is_action = statement["Action"] in ("lambda:InvokeFunctionUrl", "lambda:*")
        if who in wanted and is_action and statement.get("Condition", only) == only:
            return True
    return False


def _policy(document: dict[str, Any], qualifier: str | None) -> dict[str, Any]:
    kept: dict[str, Any] = document["policy"].get(qualifier or LATEST, {})
    return {"statements": {}, "revision": None} | kept


def _keep(
    call: Call, document: dict[str, Any], qualifier: str | None, policy: dict[str, Any]
) -> None:
    document["policy"][qualifier or LATEST] = policy | {"revision": str(uuid4())}
    call.store.put(key_of(name_of(document)), document)


def _check_revision(policy: dict[str, Any], revision_id: str | None) -> None:
    if revision_id is not None and revision_id != policy["revision"]:
        raise stale()


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))
