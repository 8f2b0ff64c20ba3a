"""Resource policies of streams, of consumers and of queues."""

from __future__ import annotations

import json

from trunkline.aws.kinesis import queue_store, stored
from trunkline.aws.kinesis.consumers import find_consumer
from trunkline.aws.kinesis.errors import invalid, not_found
from trunkline.aws.kinesis.names import find
from trunkline.aws.kinesis.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from trunkline.aws.operation import Call


def _owner(call: Call, arn: str) -> tuple[str | None, Callable[[str | None], object]]:
    """The policy that a resource has, and what keeps another one."""
    if ":queue/" in arn:
        queue = queue_store.find(call, arn)
        return queue.kept.get("policy"), lambda policy: queue.change(policy=policy)
    if "/consumer/" in arn:
        stream, name, consumer = find_consumer(call, None, arn)

        def store(policy: str | None) -> None:
            known = stored.read(stream)["consumers"]
            known[name]["policy"] = policy
            stored.change(stream, consumers=known)

        return consumer.get("policy"), store
    stream = find(call)
    return stored.read(stream).get("policy"), lambda policy: stored.change(stream, policy=policy)


@operations.add("PutResourcePolicy", writes=True)
def put_resource_policy(
    call: Call, *, resource_arn: str, policy: str, stream_id: str | None = None
) -> None:
    """Sets the policy of a stream, a consumer or a queue."""
    try:
        statement = json.loads(policy)["Statement"]
    except (ValueError, KeyError, TypeError, RecursionError):
        statement = None
    if not isinstance(statement, (list, dict)) or not statement:
        raise invalid("Policy must be a JSON document with at least one statement.")
    with call.store.lock:
        _owner(call, resource_arn)[1](policy)


@operations.add("GetResourcePolicy")
def get_resource_policy(
    call: Call, *, resource_arn: str, stream_id: str | None = None
) -> dict[str, Any]:
    """The policy of a stream, a consumer or a queue; of one without a policy, an empty document."""
    return {"Policy": _owner(call, resource_arn)[0] or "{}"}


@operations.add("DeleteResourcePolicy", writes=True)
def delete_resource_policy(call: Call, *, resource_arn: str, stream_id: str | None = None) -> None:
    """Removes the policy of a stream, a consumer or a queue, which has to have one."""
    with call.store.lock:
        policy, store = _owner(call, resource_arn)
        if policy is None:
            raise not_found(f"No resource policy found for resource ARN {resource_arn}.")
        store(None)
