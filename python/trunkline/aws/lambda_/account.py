"""What an account may have, and what it has."""

from __future__ import annotations

from trunkline.aws.lambda_.code_source import ARCHIVE_BYTES_MAX, UNPACKED_BYTES_MAX
from trunkline.aws.lambda_.documents import PREFIX
from trunkline.aws.lambda_.registry import operations
from trunkline.functions.definition import CONCURRENCY_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call

CODE_BYTES_MAX = 80_530_636_800
"""How much code an account may have: Lambda's bound."""


@operations.add("GetAccountSettings")
def get_account_settings(call: Call) -> dict[str, Any]:
    """The bounds of the caller's account, and how much of them is used."""
    found = list(call.store.every(f"{PREFIX}{call.region}/{call.account}/"))
    reserved = sum(document["concurrency"] or 0 for document in found)
    return {
        "AccountLimit": {
            "TotalCodeSize": CODE_BYTES_MAX,
            "CodeSizeUnzipped": UNPACKED_BYTES_MAX,
            "CodeSizeZipped": ARCHIVE_BYTES_MAX,
            "ConcurrentExecutions": CONCURRENCY_MAX,
            "UnreservedConcurrentExecutions": max(0, CONCURRENCY_MAX - reserved),
        },
        "AccountUsage": {
            "TotalCodeSize": sum(document["latest"]["code"]["Size"] for document in found),
            "FunctionCount": len(found),
        },
    }
