"""What the engine is told of a subscription."""

from __future__ import annotations

import hashlib
import json

from trunkline._core import SubscriptionSettings
from trunkline.aws.arns import read_resource
from trunkline.aws.firehose.documents import direct_put_id
from trunkline.aws.json_text import read_object
from trunkline.aws.limits import SUBSCRIPTION_NAME_BYTES_MAX
from trunkline.aws.sns import delivery_policy, filters
from trunkline.aws.sns.errors import invalid, plain
from trunkline.aws.sns.mail_index import PROTOCOLS, mail_retry
from trunkline.aws.sns.resources import read
from trunkline.errors import TrunklineError
from trunkline.functions.registry import destination_id
from trunkline.topics.settings import LEASE_MS, TIMEOUT_MS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Topic
    from trunkline.aws.operation import Call
    from trunkline.aws.store import Store


def name_of(protocol: str, endpoint: str) -> str:
    """The name by which the engine finds the subscription of an endpoint."""
    name = f"{protocol}:{endpoint}"
    if len(name.encode()) <= SUBSCRIPTION_NAME_BYTES_MAX:
        return name
    return f"{protocol}:sha256:{hashlib.sha256(endpoint.encode()).hexdigest()}"


def settings_of(
    call: Call,
    topic: Topic,
    protocol: str,
    endpoint: str,
    attributes: dict[str, str],
    *,
    pending: bool,
) -> SubscriptionSettings:
    """A subscription as the engine takes it."""
    return settings_in(call.store, topic, protocol, endpoint, attributes, pending=pending)


def settings_in(
    store: Store,
    topic: Topic,
    protocol: str,
    endpoint: str,
    attributes: dict[str, str],
    *,
    pending: bool,
) -> SubscriptionSettings:
    """A subscription as the engine takes it. That of a queue which is not there waits for it."""
    queue = None
    if protocol == "sqs":
        queue = store.core.find_queue(filters.queue_name(endpoint) or ("", "", ""))
        pending = pending or queue is None
    url = endpoint if protocol in ("http", "https") else None
    retry, content_type = delivery_policy.of_subscription(
        attributes.get("DeliveryPolicy"), read(topic)["attributes"].get("DeliveryPolicy")
    )
    resource = None
    if protocol == "sqs":
        resource = 0 if queue is None else queue.id
    elif protocol == "lambda":
        resource = destination_id(store.core, endpoint)
    elif protocol == "firehose":
        stream = read_resource(endpoint)
        resource = None if stream is None else direct_put_id(store.core, stream)
    return SubscriptionSettings(
        resource=resource,
        url=url,
        timeout=LEASE_MS if url is None else TIMEOUT_MS,
        raw=attributes.get("RawMessageDelivery") == "true",
        filter=_compact(attributes.get("FilterPolicy") or None),
        filters_body=attributes.get("FilterPolicyScope") == "MessageBody",
        dead_letter=filters.dead_letter_id(store, topic, attributes, endpoint),
        endpoint=endpoint,
        name=name_of(protocol, endpoint),
        pending=pending,
        protocol=protocol,
        content_type=content_type,
        retry=mail_retry() if protocol in PROTOCOLS else retry if url is not None else None,
    )


def _compact(policy: str | None) -> str | None:
    """A filter policy as AWS quotes it in errors: JSON without spaces, if it is JSON."""
    value = None if policy is None else read_object(policy)
    return policy if value is None else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def carry_out(prefix: str, verb: Any, *arguments: Any) -> Any:
    """Calls the engine; what it refuses concerns the filter policy, or is said as it is."""
    try:
        return verb(*arguments)
    except TrunklineError as error:
        message = str(error.message) if hasattr(error, "message") else str(error)
        if error.code != "InvalidParameterValue":
            raise
        told = message.removeprefix("Invalid parameter: FilterPolicy: ")
        if told != message:
            raise invalid(f"{prefix}FilterPolicy: {told}") from None
        if message.startswith("Invalid parameter: "):
            raise plain(message) from None
        raise invalid(f"{prefix}FilterPolicy: {message}") from None
