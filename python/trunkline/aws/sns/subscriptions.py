"""Subscribe and Unsubscribe."""

from __future__ import annotations

import re

from trunkline.aws.arns import read_resource
from trunkline.aws.errors import ServiceError
from trunkline.aws.firehose.documents import direct_put_id
from trunkline.aws.limits import QUOTE_CHARS_MAX
from trunkline.aws.sns import filters, mail_index, waiting
from trunkline.aws.sns.archive import check_replay, set_replay
from trunkline.aws.sns.confirmation import create, request_confirmation, request_goodbye
from trunkline.aws.sns.engine_settings import name_of
from trunkline.aws.sns.errors import invalid
from trunkline.aws.sns.registry import operations
from trunkline.aws.sns.resources import document_key, read, subscription_of, topic_of, write
from trunkline.aws.sns.topics import PENDING
from trunkline.functions.registry import destination_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline._core import Topic
    from trunkline.aws.operation import Call

_PROTOCOLS = (
    "http",
    "https",
    "email",
    "email-json",
    "sms",
    "sqs",
    "application",
    "lambda",
    "firehose",
)
_PHONE = re.compile(r"\+?[1-9]\d{6,14}")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


@operations.add("Subscribe", writes=True)
def subscribe(
    call: Call,
    *,
    topic_arn: str,
    protocol: str = "",
    endpoint: str = "",
    attributes: Mapping[str, str] | None = None,
    return_subscription_arn: bool = False,
) -> dict[str, Any]:
    """Lets an endpoint have what is published to a topic."""
    topic = topic_of(call, topic_arn)
    _check_endpoint(call, topic, protocol, endpoint)
    if protocol == "firehose" and not (attributes or {}).get("SubscriptionRoleArn"):
        raise invalid("Attributes Reason: SubscriptionRoleArn must be given for Firehose")
    given = {
        name: filters.check(name, value, protocol, prefix="Attributes Reason: ")
        for name, value in (attributes or {}).items()
    }
    replay = given.get("ReplayPolicy", "")
    check_replay(topic, replay, prefix="Attributes Reason: ")
    with call.store.lock:
        name = name_of(protocol, endpoint)
        id = topic.subscription_named(name)
        if id is None and protocol == "sqs":
            queue = call.store.core.find_queue(filters.queue_name(endpoint) or ("", "", ""))
            id = None if queue is None else topic.subscription_of(queue.id)
        if id is not None:
            arn = _compare(call, topic, id, given)
        else:
            arn = create(call, topic, protocol, endpoint, given)
            if replay:
                _start_replay(call, topic, arn, replay)
        kept = call.store.get(document_key(arn)) or {}
    if kept.get("token") and not return_subscription_arn:
        return {"SubscriptionArn": "pending confirmation"}
    return {"SubscriptionArn": arn}


def _start_replay(call: Call, topic: Topic, arn: str, policy: str) -> None:
    """Starts the replay of a new subscription, which goes again if the replay is refused."""
    kept = call.store.get(document_key(arn))
    assert kept is not None
    try:
        set_replay(topic, kept["id"], policy)
    except ServiceError:
        forget(call, topic, arn, kept)
        topic.unsubscribe(kept["id"])
        raise


def _check_endpoint(call: Call, topic: Topic, protocol: str, endpoint: str) -> None:
    if protocol not in _PROTOCOLS:
        raise invalid(
            f"Amazon SNS does not support this protocol string: {protocol[:QUOTE_CHARS_MAX]}"
        )
    if not endpoint:
        raise invalid("Endpoint")
    if topic.config()[0] and protocol != "sqs":
        raise invalid(
            f"Invalid protocol type: {protocol}"
            if protocol != "sms"
            else "Invalid protocol type: sms"
        )
    if protocol == "sqs":
        name = filters.queue_name(endpoint)
        if name is None:
            raise invalid("SQS endpoint ARN")
        if name[2].endswith(".fifo") and not topic.config()[0]:
            raise invalid(
                "Invalid parameter: Endpoint Reason: "
                "FIFO SQS Queues can not be subscribed to standard SNS topics"
            )
    elif protocol == "lambda":
        if destination_id(call.store.core, endpoint) is None:
            raise invalid("Lambda endpoint ARN")
    elif protocol == "firehose":
        stream = read_resource(endpoint)
        if stream is None or direct_put_id(call.store.core, stream) is None:
            raise invalid("Firehose endpoint ARN")
    elif protocol in ("http", "https"):
        if not endpoint.startswith(f"{protocol}://"):
            raise invalid("Endpoint must match the specified protocol")
    elif protocol == "sms":
        if not _PHONE.fullmatch(endpoint.replace("-", "").replace(" ", "")):
            raise invalid(f"Invalid SMS endpoint: {endpoint[:QUOTE_CHARS_MAX]}")
    elif protocol.startswith("email"):
        if not _MAIL.fullmatch(endpoint):
            raise invalid("Email address")
    elif protocol == "application" and call.store.get(f"sns/endpoint/{endpoint}") is None:
        raise invalid(f"Application endpoint arn invalid:{endpoint[:QUOTE_CHARS_MAX]}")


def _compare(call: Call, topic: Topic, id: int, given: Mapping[str, str]) -> str:
    status = topic.subscription(id)
    arn: str = status["arn"]
    kept = call.store.get(document_key(arn))
    current = dict(kept["attributes"]) if kept else {}
    if kept is None:
        # It was made in the process: only what the engine knows can be compared.
        current = {"RawMessageDelivery": "true" if status["raw"] else "false"}
        if status["filter"]:
            current["FilterPolicy"] = status["filter"]
            scope = "MessageBody" if status["filters_body"] else "MessageAttributes"
            current["FilterPolicyScope"] = scope
    defaults = {"RawMessageDelivery": "false", "FilterPolicyScope": "MessageAttributes"}
    for name, value in given.items():
        if current.get(name, defaults.get(name, "")) != value:
            raise invalid(
                "Attributes Reason: Subscription already exists with different attributes"
            )
    if kept is not None and kept.get("token"):
        request_confirmation(call, topic, kept)
    return arn


@operations.add("Unsubscribe", writes=True)
def unsubscribe(call: Call, *, subscription_arn: str) -> None:
    """Removes a subscription; one that is gone is a success."""
    found = subscription_of(call, subscription_arn)
    if found is None:
        return
    topic, id = found
    with call.store.lock:
        kept = call.store.get(document_key(subscription_arn))
        if kept is not None and kept.get("locked") and call.access_key is None:
            raise_denied()
        forget(call, topic, subscription_arn, kept)
        topic.unsubscribe(id)
        about = read(topic)
        about["deleted"] += 1
        write(topic, about)
    if kept is not None and kept["protocol"] in ("http", "https") and not kept.get("token"):
        request_goodbye(call, topic, kept)


def raise_denied() -> None:
    """Raises for a caller who has to sign."""
    raise ServiceError(
        "AuthorizationError",
        "The subscription was confirmed with AuthenticateOnUnsubscribe, so only a signed request "
        "may remove it.",
        403,
    )


def forget(call: Call, topic: Topic, arn: str, kept: Mapping[str, Any] | None) -> None:
    """Removes what is kept of a subscription beside the engine."""
    if kept is None:
        return
    call.store.put(document_key(arn), None)
    waiting.forget(call.store, kept)
    mail_index.forget(call.store, arn)
    if kept.get("token"):
        call.store.put(f"{PENDING}{topic.arn}/{kept['token']}", None)
