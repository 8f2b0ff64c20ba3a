"""Consumers of enhanced fan-out: register, describe, list, deregister."""

from __future__ import annotations

from trunkline._core import WireStream
from trunkline.aws.kinesis import account, names, queue_store, stored
from trunkline.aws.kinesis.errors import in_use, invalid, not_found, over_limit
from trunkline.aws.kinesis.names import change_duration, find
from trunkline.aws.kinesis.registry import operations
from trunkline.aws.kinesis.tag_rules import check_tags
from trunkline.aws.limits import (
    CONSUMERS_ADVANTAGE_MAX,
    CONSUMERS_MAX,
    KINESIS_PAGE_DEFAULT,
)
from trunkline.aws.pages import page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.aws.operation import Call


def present(call: Call, kept: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The consumers that a stream has now, by name."""
    found: dict[str, dict[str, Any]] = kept.get("consumers", {})
    lasts = call.store.lasts
    return {name: one for name, one in found.items() if "gone" not in one or lasts(one["gone"])}


def consumer_arn(stream: WireStream, name: str, consumer: Mapping[str, Any]) -> str:
    """The resource name of a consumer, which ends with the time of its creation."""
    return f"{names.stream_arn(stream.full_name)}/consumer/{name}:{int(consumer['created'])}"


def _status(call: Call, consumer: Mapping[str, Any]) -> str:
    if "gone" in consumer:
        return "DELETING"
    return "CREATING" if call.store.lasts(consumer["active"]) else "ACTIVE"


def _output(
    call: Call, stream: WireStream, name: str, consumer: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "ConsumerName": name,
        "ConsumerARN": consumer_arn(stream, name, consumer),
        "ConsumerStatus": _status(call, consumer),
        "ConsumerCreationTimestamp": consumer["created"],
    }


def find_consumer(
    call: Call, name: str | None, arn: str | None
) -> tuple[WireStream, str, dict[str, Any]]:
    """The consumer that a resource name, or the name of a consumer of a stream, names."""
    if arn is None and name is None:
        raise invalid("Either ConsumerARN, or StreamARN and ConsumerName must be given.")
    stream = find(call)
    for one, consumer in present(call, stored.read(stream)).items():
        if (arn is None or consumer_arn(stream, one, consumer) == arn) and name in (None, one):
            return stream, one, consumer
    owner, _, stream_name = stream.full_name
    which = arn if arn is not None else name
    raise not_found(f"Consumer {which} of stream {stream_name} under account {owner} not found.")


def check_capacity(call: Call, stream: WireStream) -> None:
    """Raises for a stream that has as many consumers and queues as it may."""
    most = CONSUMERS_ADVANTAGE_MAX if account.is_committed(call) else CONSUMERS_MAX
    known = len(present(call, stored.read(stream)))
    if known + len(queue_store.of_stream(call.store, stream.full_name)) >= most:
        owner, _, name = stream.full_name
        raise over_limit(
            f"Stream {name} under account {owner} has {most} registered consumers already."
        )


@operations.add("RegisterStreamConsumer", writes=True)
def register_stream_consumer(
    call: Call,
    *,
    stream_arn: str,
    consumer_name: str,
    stream_id: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Registers a consumer of a stream; it is CREATING for a while."""
    with call.store.lock:
        stream = names.find_active(call)
        known = present(call, stored.read(stream))
        owner, _, name = stream.full_name
        if consumer_name in known:
            raise in_use(
                f"Consumer {consumer_name} of stream {name} under account {owner} already exists."
            )
        check_capacity(call, stream)
        check_tags(tags or {}, {}, name, owner)
        now = call.store.now()
        consumer = {
            "created": now,
            "active": now + change_duration(call) / 1_000,
            "tags": dict(tags or {}),
        }
        stored.change(stream, consumers=known | {consumer_name: consumer})
    return {"Consumer": _output(call, stream, consumer_name, consumer)}


@operations.add("DescribeStreamConsumer")
def describe_stream_consumer(
    call: Call,
    *,
    stream_arn: str | None = None,
    consumer_name: str | None = None,
    consumer_arn: str | None = None,
    stream_id: str | None = None,
) -> dict[str, Any]:
    """A consumer with its stream."""
    stream, name, consumer = find_consumer(call, consumer_name, consumer_arn)
    output = _output(call, stream, name, consumer)
    return {
        "ConsumerDescription": output | {"StreamARN": names.stream_arn(stream.full_name)},
    }


@operations.add("ListStreamConsumers")
def list_stream_consumers(
    call: Call,
    *,
    stream_arn: str,
    next_token: str | None = None,
    max_results: int = KINESIS_PAGE_DEFAULT,
    stream_creation_timestamp: float | None = None,
    stream_id: str | None = None,
) -> dict[str, Any]:
    """The consumers of a stream, sorted by name."""
    stream = find(call)
    known = present(call, stored.read(stream))
    refusal = lambda: invalid("Invalid NextToken.")  # noqa: E731
    shown, rest = page(known, str, max_results, next_token, refusal)
    return {"Consumers": [_output(call, stream, one, known[one]) for one in shown]} | rest


@operations.add("DeregisterStreamConsumer", writes=True)
def deregister_stream_consumer(
    call: Call,
    *,
    stream_arn: str | None = None,
    consumer_name: str | None = None,
    consumer_arn: str | None = None,
    stream_id: str | None = None,
) -> None:
    """Takes a consumer away; it is DELETING for a while."""
    with call.store.lock:
        stream, name, consumer = find_consumer(call, consumer_name, consumer_arn)
        known = present(call, stored.read(stream))
        if duration := change_duration(call):
            known[name] = consumer | {"gone": call.store.now() + duration / 1_000}
        else:
            del known[name]
        stored.change(stream, consumers=known)
