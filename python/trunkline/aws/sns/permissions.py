"""AddPermission and RemovePermission: statements of the topic's policy."""

from __future__ import annotations

import re

from trunkline.aws.json_text import read_object, write_object
from trunkline.aws.limits import QUOTE_CHARS_MAX
from trunkline.aws.sns import attributes as table
from trunkline.aws.sns.errors import invalid
from trunkline.aws.sns.registry import operations
from trunkline.aws.sns.resources import read, topic_of, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from trunkline._core import Topic
    from trunkline.aws.operation import Call

_ACCOUNT = re.compile(r"[0-9]{12}")
_ACTIONS = frozenset(
    (
        "AddPermission",
        "DeleteTopic",
        "GetDataProtectionPolicy",
        "GetTopicAttributes",
        "ListSubscriptionsByTopic",
        "ListTagsForResource",
        "Publish",
        "PutDataProtectionPolicy",
        "RemovePermission",
        "SetTopicAttributes",
        "Subscribe",
    )
)


def _policy(topic: Topic, kept: dict[str, Any]) -> dict[str, Any]:
    policy = read_object(kept["attributes"].get("Policy") or "{}") or table.default_policy(topic)
    statements = policy.get("Statement", [])
    policy["Statement"] = [statements] if isinstance(statements, dict) else list(statements)
    return policy


@operations.add("AddPermission", writes=True)
def add_permission(
    call: Call,
    *,
    topic_arn: str,
    label: str = "",
    aws_account_id: Sequence[str] = (),
    action_name: Sequence[str] = (),
) -> None:
    """Adds a statement that lets accounts carry out actions."""
    topic = topic_of(call, topic_arn)
    if not label or not aws_account_id or not action_name:
        raise invalid("Label, AWSAccountId and ActionName are required")
    for action in action_name:
        if action not in _ACTIONS:
            raise invalid("Policy statement action out of service scope!")
    principals = []
    for account in aws_account_id:
        if not _ACCOUNT.fullmatch(account):
            raise invalid(f"Invalid AWS account ID: {account[:QUOTE_CHARS_MAX]}")
        principals.append(f"arn:{table.partition_of(topic)}:iam::{account}:root")
    with call.store.lock:
        kept = read(topic)
        policy = _policy(topic, kept)
        if any(statement.get("Sid") == label for statement in policy["Statement"]):
            raise invalid("Statement already exists")
        actions = [f"SNS:{action}" for action in action_name]
        policy["Statement"].append(
            {
                "Sid": label,
                "Effect": "Allow",
                "Principal": {"AWS": principals[0] if len(principals) == 1 else principals},
                "Action": actions[0] if len(actions) == 1 else actions,
                "Resource": topic.arn,
            }
        )
        kept["attributes"]["Policy"] = write_object(policy)
        write(topic, kept)


@operations.add("RemovePermission", writes=True)
def remove_permission(call: Call, *, topic_arn: str, label: str = "") -> None:
    """Removes a statement by its label; one that is gone is a success."""
    topic = topic_of(call, topic_arn)
    with call.store.lock:
        kept = read(topic)
        policy = _policy(topic, kept)
        policy["Statement"] = [one for one in policy["Statement"] if one.get("Sid") != label]
        kept["attributes"]["Policy"] = write_object(policy)
        write(topic, kept)
