"""Resource policies of streams and of consumers."""

from __future__ import annotations

import json

from trunkline.aws.kinesis import stored
from trunkline.aws.kinesis.consumers import find_consumer
from trunkline.aws.kinesis.errors import invalid, not_found
from trunkline.aws.kinesis.names import find
from trunkline.aws.kinesis.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import WireStream
    from trunkline.aws.operation import Call


def _owner(call: Call, arn: str) -> tuple[WireStream, str | None]:
    if "/consumer/" in arn:
        stream, consumer, _ = find_consumer(call, None, arn)
        return stream, consumer
    return find(call), None


def _policy(stream: WireStream, consumer: str | None) -> str | None:
    kept = stored.read(stream)
    owner = kept if consumer is None else kept["consumers"][consumer]
    policy: str | None = owner.get("policy")
    return policy


def _store(stream: WireStream, consumer: str | None, policy: str | None) -> None:
    if consumer is None:
        stored.change(stream, policy=policy)
        return
    known = stored.read(stream)["consumers"]
    known[consumer]["policy"] = policy
    stored.change(stream, consumers=known)


@operations.add("PutResourcePolicy", writes=True)
def put_resource_policy(
    call: Call, *, resource_arn: str, policy: str, stream_id: str | None = None
) -> None:
    """Sets the policy of a stream or a consumer."""
    try:
        statement = json.loads(policy)["Statement"]
    except (ValueError, KeyError, TypeError, RecursionError):
        statement = None
    if not isinstance(statement, (list, dict)) or not statement:
        raise invalid("Policy must be a JSON document with at least one statement.")
    with call.store.lock:
        _store(*_owner(call, resource_arn), policy)


@operations.add("GetResourcePolicy")
def get_resource_policy(
    call: Call, *, resource_arn: str, stream_id: str | None = None
) -> dict[str, Any]:
    """The policy of a stream or a consumer; of one without a policy, an empty document."""
    return {"Policy": _policy(*_owner(call, resource_arn)) or "{}"}


@operations.add("DeleteResourcePolicy", writes=True)
def delete_resource_policy(call: Call, *, resource_arn: str, stream_id: str | None = None) -> None:
    """Removes the policy of a stream or a consumer, which has to have one."""
    with call.store.lock:
        stream, consumer = _owner(call, resource_arn)
        if _policy(stream, consumer) is None:
            raise not_found(f"No resource policy found for resource ARN {resource_arn}.")
        _store(stream, consumer, None)
