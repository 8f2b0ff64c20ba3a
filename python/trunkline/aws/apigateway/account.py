"""The settings of an account, and the tags of its APIs."""

from __future__ import annotations

import re

from trunkline.aws.apigateway.documents import publish, read, save
from trunkline.aws.apigateway.errors import bad, missing
from trunkline.aws.apigateway.patching import Rule, check_operations, patched
from trunkline.aws.apigateway.registry import operations
from trunkline.aws.limits import API_BURST_DEFAULT, API_RATE_DEFAULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from trunkline.aws.operation import Call

RULES = {
    "/cloudwatchRoleArn": Rule(("add", "replace", "remove")),
    "/features": Rule(("add", "remove"), is_list=True),
}
_ARN = re.compile(r"arn:[\w-]+:apigateway:[\w-]+::/restapis/([a-z0-9]+)(?:/stages/([\w-]+))?")


def _key(call: Call) -> str:
    return f"apigateway/account/{call.account}/{call.region}"


@operations.add("GetAccount")
def get_account(call: Call) -> dict[str, Any]:
    """The settings of the account."""
    kept = call.store.get(_key(call)) or {}
    return {
        "throttleSettings": {
            "burstLimit": API_BURST_DEFAULT,
            "rateLimit": float(API_RATE_DEFAULT),
        },
        "features": ["UsagePlans"],
        "apiKeyVersion": "4",
        **kept,
    }


@operations.add("UpdateAccount", writes=True)
def update_account(
    call: Call, *, patch_operations: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    """Patches the settings of the account."""
    check_operations("updateAccount", patch_operations)
    with call.store.lock:
        kept = patched(call.store.get(_key(call)) or {}, patch_operations, RULES)
        call.store.put(_key(call), kept)
    told: dict[str, Any] = get_account(call) or {}
    return told


def _tagged(call: Call, arn: str) -> tuple[dict[str, Any], dict[str, Any], str | None]:
    found = _ARN.fullmatch(arn)
    if found is None:
        raise bad(f"Invalid ARN specified: {arn}. APIs and their stages have tags here.")
    document = read(call, found[1])
    if found[2] is None:
        return document, document["rest"], None
    stage = document["stages"].get(found[2])
    if stage is None:
        raise missing("Invalid stage identifier specified")
    return document, stage, found[2]


@operations.add("TagResource", writes=True)
def tag_resource(call: Call, *, resource_arn: str, tags: dict[str, str]) -> None:
    """Sets tags of an API or a stage."""
    with call.store.lock:
        document, owner, stage = _tagged(call, resource_arn)
        owner["tags"] = {**owner.get("tags", {}), **tags}
        save(call, document)
        if stage is not None:
            publish(call, document, stage)


@operations.add("UntagResource", writes=True)
def untag_resource(call: Call, *, resource_arn: str, tag_keys: Sequence[str]) -> None:
    """Takes tags away."""
    with call.store.lock:
        document, owner, stage = _tagged(call, resource_arn)
        tags = owner.get("tags", {})
        owner["tags"] = {name: value for name, value in tags.items() if name not in tag_keys}
        save(call, document)
        if stage is not None:
            publish(call, document, stage)


@operations.add("GetTags")
def get_tags(
    call: Call, *, resource_arn: str, position: str | None = None, limit: int | None = None
) -> dict[str, Any]:
    """The tags of an API or a stage."""
    return {"tags": _tagged(call, resource_arn)[1].get("tags", {})}
