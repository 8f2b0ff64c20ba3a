"""AddPermission and RemovePermission: statements of the queue's policy."""

from __future__ import annotations

import json

from trunkline.aws.errors import ServiceError
from trunkline.aws.sqs import stored
from trunkline.aws.sqs.errors import invalid_value, missing
from trunkline.aws.sqs.registry import operations
from trunkline.aws.sqs.resources import arn_of, find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from trunkline.aws.operation import Call

_ACTIONS_MAX = 7
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
    if len(actions) > _ACTIONS_MAX:
        raise ServiceError(
            "OverLimit",
            f"{len(actions)} Actions were found, maximum allowed is {_ACTIONS_MAX}.",
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
    with call.store.lock:
        kept = stored.read(queue)
        policy = _read(kept) or {"Version": "2008-10-17", "Id": f"{arn}/SQSDefaultPolicy"}
        statements = policy.setdefault("Statement", [])
        if any(statement.get("Sid") == label for statement in statements):
            raise invalid_value(label, "Label", "Already exists.")
        principals = [f"arn:aws:iam::{account}:root" for account in aws_account_ids]
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
        kept["Policy"] = json.dumps(policy, separators=(",", ":"))
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
            kept["Policy"] = json.dumps(policy, separators=(",", ":"))
        else:
            del kept["Policy"]
        stored.write(queue, kept)


def _read(kept: dict[str, Any]) -> dict[str, Any] | None:
    text = kept.get("Policy")
    if not text:
        return None
    policy: dict[str, Any] = json.loads(text)
    # IAM allows a single statement without a list around it.
    if isinstance(policy.get("Statement"), dict):
        policy["Statement"] = [policy["Statement"]]
    return policy


def _one_or_all(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values
