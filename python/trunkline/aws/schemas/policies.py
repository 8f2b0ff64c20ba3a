"""Policies of registries. They are kept and told; no request is checked against them."""

from __future__ import annotations

from uuid import uuid4

from trunkline.aws.json_text import read_object
from trunkline.aws.schemas.documents import DISCOVERED_REGISTRY, key, registry_of
from trunkline.aws.schemas.errors import invalid, not_found
from trunkline.aws.schemas.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call


def _read(call: Call, registry: str) -> dict[str, Any]:
    registry_of(call, registry)
    found = call.store.get(key(call, "policy", registry))
    if found is None:
        raise not_found("Policy of registry", registry)
    return found


@operations.add("PutResourcePolicy", writes=True, stored_only=True)
def put_resource_policy(
    call: Call,
    *,
    policy: str,
    registry_name: str = DISCOVERED_REGISTRY,
    revision_id: str | None = None,
) -> dict[str, Any]:
    """Replaces the policy of a registry; `revision_id` is that of the policy it replaces."""
    if read_object(policy) is None:
        raise invalid("Policy is not a JSON object.")
    with call.store.lock:
        registry_of(call, registry_name)
        where = key(call, "policy", registry_name)
        earlier = call.store.get(where)
        if revision_id is not None and (earlier or {}).get("RevisionId") != revision_id:
            raise invalid("RevisionId is not that of the policy of the registry.")
        kept = {"Policy": policy, "RevisionId": str(uuid4())}
        call.store.put(where, kept)
    return kept


@operations.add("GetResourcePolicy", stored_only=True)
def get_resource_policy(call: Call, *, registry_name: str = DISCOVERED_REGISTRY) -> dict[str, Any]:
    """The policy of a registry."""
    return _read(call, registry_name)


@operations.add("DeleteResourcePolicy", writes=True, stored_only=True)
def delete_resource_policy(call: Call, *, registry_name: str = DISCOVERED_REGISTRY) -> None:
    """Removes the policy of a registry."""
    with call.store.lock:
        _read(call, registry_name)
        call.store.put(key(call, "policy", registry_name), None)
