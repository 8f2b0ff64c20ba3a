"""STS: who the caller is."""

from __future__ import annotations

from trunkline.aws.arns import partition
from trunkline.aws.operation import Operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call

operations: Operations = Operations()


@operations.add("GetCallerIdentity")
def get_caller_identity(call: Call) -> dict[str, Any]:
    """The account and user that a request counts as."""
    return {
        "UserId": call.access_key or call.account,
        "Account": call.account,
        "Arn": f"arn:{partition(call.region)}:iam::{call.account}:root",
    }
