"""Data protection policies: checked and stored. None is applied to messages."""

from __future__ import annotations

from trunkline.aws.json_text import read_object
from trunkline.aws.sns.errors import invalid
from trunkline.aws.sns.registry import operations
from trunkline.aws.sns.resources import read, topic_of, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call

_DIRECTIONS = ("Inbound", "Outbound")


def check(text: str) -> None:
    """Raises for a policy that may not be stored: one that would have to change messages."""
    policy = read_object(text)
    statements = None if policy is None else policy.get("Statement")
    if policy is None or policy.get("Version") != "2021-06-01" or not isinstance(statements, list):
        raise invalid("DataProtectionPolicy")
    for statement in statements:
        if not isinstance(statement, dict) or statement.get("DataDirection") not in _DIRECTIONS:
            raise invalid("DataProtectionPolicy Reason: DataDirection must be Inbound or Outbound")
        operation = statement.get("Operation")
        if not isinstance(operation, dict) or set(operation) - {"Audit", "Deidentify", "Deny"}:
            raise invalid("DataProtectionPolicy Reason: Operation is not valid")
        if set(operation) != {"Audit"}:
            name = next(iter(set(operation) - {"Audit"}), "none")
            raise invalid(
                f"DataProtectionPolicy Reason: the operation {name} is not served here, and a "
                "policy that protects nothing is not stored; only Audit is"
            )


@operations.add("GetDataProtectionPolicy")
def get_data_protection_policy(call: Call, *, resource_arn: str) -> dict[str, Any]:
    """The data protection policy of a topic."""
    policy = read(topic_of(call, resource_arn, "ResourceArn")).get("protection")
    return {} if policy is None else {"DataProtectionPolicy": policy}


@operations.add("PutDataProtectionPolicy", writes=True)
def put_data_protection_policy(
    call: Call, *, resource_arn: str, data_protection_policy: str
) -> None:
    """Replaces the data protection policy of a topic."""
    topic = topic_of(call, resource_arn, "ResourceArn")
    if data_protection_policy:
        check(data_protection_policy)
    with call.store.lock:
        write(topic, read(topic) | {"protection": data_protection_policy or None})
