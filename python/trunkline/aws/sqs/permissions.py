"""AddPermission and RemovePermission: statements of the queue's policy."""

from __future__ import annotations

import re

from trunkline.aws.arns import partition
from trunkline.aws.errors import ServiceError
from trunkline.aws.json_text import read_object, write_object
from trunkline.aws.limits import POLICY_ACTIONS_MAX
from trunkline.aws.sqs import stored
from trunkline.aws.sqs.errors import invalid_attribute, invalid_value, missing
from trunkline.aws.sqs.registry import operations
from trunkline.aws.sqs.resources import arn_of, find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from trunkline.aws.operation import Call

_ACCOUNT = re.compile(r"[0-9]{12}")
_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:(iam|sts)::[0-9]{12}:[\w+=,.@/-]+")
_ACTIONS = frozenset(
    (
        "*",
        "SendMessage",
        "ReceiveMessage",
        "DeleteMessage",
        "ChangeMessageVisibility",
        "GetQueueAttributes",
        "GetQueueUrl",
        "ListDeadLetterSourceQueues",
        "PurgeQueue",
    )
)


@operations.add("AddPermission", writes=True)
def add_permission(
    call: Call,
    *,
    queue_url: str = "",
    label: str = "",
    aws_account_ids: Sequence[str] = (),
    actions: Sequence[str] = (),
) -> None:
    """Adds a statement that lets accounts carry out actions."""
    queue = find(call, queue_url, own=True)
    for value, parameter in (
        (label, "Label"),
        (aws_account_ids, "AWSAccountIds"),
        (actions, "Actions"),
    ):
        if not value:
            raise missing(parameter)
    if len(actions) > POLICY_ACTIONS_MAX:
        raise ServiceError(
            "OverLimit",
            f"{len(actions)} Actions were found, maximum allowed is {POLICY_ACTIONS_MAX}.",
            403,
        )
    for action in actions:
        if action not in _ACTIONS:
            raise invalid_value(
                f"SQS:{action}",
                "ActionName",
                "Only the queue owner is allowed to invoke this action.",
            )
    arn = arn_of(queue)
    principals = [_principal(account, partition(queue.region)) for account in aws_account_ids]
    with call.store.lock:
        kept = stored.read(queue)
        policy = _read(kept) or {"Version": "2008-10-17", "Id": f"{arn}/SQSDefaultPolicy"}
        statements = policy.setdefault("Statement", [])
        if any(statement.get("Sid") == label for statement in statements):
            raise invalid_value(label, "Label", "Already exists.")
        names = [f"SQS:{action}" for action in actions]
        statements.append(
            {
                "Sid": label,
                "Effect": "Allow",
                "Principal": {"AWS": _one_or_all(principals)},
                "Action": _one_or_all(names),
                "Resource": arn,
            }
        )
        kept["Policy"] = write_object(policy)
        stored.write(queue, kept)


@operations.add("RemovePermission", writes=True)
def remove_permission(call: Call, *, queue_url: str = "", label: str = "") -> None:
    """Removes a statement by its label; the policy goes with its last statement."""
    queue = find(call, queue_url, own=True)
    if not label:
        raise missing("Label")
    with call.store.lock:
        kept = stored.read(queue)
        policy = _read(kept) or {}
        statements = policy.get("Statement", [])
        left = [statement for statement in statements if statement.get("Sid") != label]
        if len(left) == len(statements):
            raise invalid_value(label, "Label", "can't find label.")
        if left:
            policy["Statement"] = left
            kept["Policy"] = write_object(policy)
        else:
            del kept["Policy"]
        stored.write(queue, kept)


def _read(kept: dict[str, Any]) -> dict[str, Any] | None:
    text = kept.get("Policy")
    if not text:
        return None
    policy = read_object(text)
    statements = None if policy is None else policy.get("Statement", [])
    # IAM allows a single statement without a list around it.
    if isinstance(statements, dict):
        statements = [statements]
    if policy is None or not _are_statements(statements):
        raise invalid_attribute("Policy")
    return policy | {"Statement": statements}


def _are_statements(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(statement, dict) for statement in value)


def _principal(account: str, partition: str) -> str:
    if _ACCOUNT.fullmatch(account):
        return f"arn:{partition}:iam::{account}:root"
    if _PRINCIPAL.fullmatch(account):
        return account
    raise invalid_value(account, "PrincipalId", "Unable to verify.")


def _one_or_all(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values
