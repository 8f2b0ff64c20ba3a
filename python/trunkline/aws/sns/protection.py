"""Data protection policies. The data plane applies them to what is published over the wire."""

from __future__ import annotations

from trunkline._core import protection_flaw
from trunkline.aws.sns.errors import invalid
from trunkline.aws.sns.registry import operations
from trunkline.aws.sns.resources import read, topic_of, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call


def check(text: str) -> None:
    """Raises for a policy that may not be stored: one that could not be applied."""
    flaw = protection_flaw(text)
    if flaw is not None:
        raise invalid(f"DataProtectionPolicy Reason: {flaw}")


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
