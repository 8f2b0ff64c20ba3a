"""The attributes of a subscription: what they may be, and what the engine makes of them."""

from __future__ import annotations

from trunkline.aws.json_text import read_object
from trunkline.aws.limits import QUOTE_CHARS_MAX
from trunkline.aws.sns import delivery_policy
from trunkline.aws.sns.archive import read_replay
from trunkline.aws.sns.errors import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import Topic
    from trunkline.aws.store import Store

NAMES = (
    "DeliveryPolicy",
    "FilterPolicy",
    "FilterPolicyScope",
    "RawMessageDelivery",
    "RedrivePolicy",
    "ReplayPolicy",
    "SubscriptionRoleArn",
)
_SCOPES = ("MessageBody", "MessageAttributes")
_RAW = ("sqs", "http", "https", "firehose")


def check(name: str, value: str, protocol: str, *, prefix: str = "") -> str:
    """The value of an attribute as it is kept."""
    if name not in NAMES:
        shown = f"{prefix}Invalid attribute name: {name[:QUOTE_CHARS_MAX]}"
        raise invalid(shown if prefix else "AttributeName")
    if name == "RawMessageDelivery":
        if value.lower() not in ("true", "false"):
            raise invalid(
                f"{prefix}RawMessageDelivery: Invalid value [{value}]. Must be true or false."
            )
        if value.lower() == "true" and protocol not in _RAW:
            raise invalid(
                f"{prefix}Delivery protocol [{protocol}] does not support raw message delivery."
            )
        return value.lower()
    if name == "FilterPolicyScope" and value not in _SCOPES:
        raise invalid(
            f"FilterPolicyScope: Invalid value [{value}]. "
            "Please use either MessageBody or MessageAttributes"
        )
    if name == "RedrivePolicy" and value:
        _check_redrive(value, prefix)
    if name == "DeliveryPolicy" and value:
        delivery_policy.read_subscription(value, prefix)
    if name == "ReplayPolicy":
        read_replay(value, prefix)
    return value


def _check_redrive(value: str, prefix: str) -> None:
    policy = read_object(value)
    if policy is None:
        raise invalid(f"{prefix}RedrivePolicy: failed to parse JSON.{_where(value)}")
    arn = policy.get("deadLetterTargetArn")
    if not isinstance(arn, str) or queue_name(arn) is None:
        raise invalid(f"{prefix}RedrivePolicy: deadLetterTargetArn is an invalid arn")


def _where(value: str) -> str:
    """Where Jackson, which AWS reads JSON with, stumbles over a text that begins like an object."""
    text = value.lstrip()
    if text[:1] != "{" or len(text) < 2 or text[1] in '"}':
        return ""
    return (
        f" Unexpected character ('{text[1]}' (code {ord(text[1])})): was expecting double-quote to "
        "start field name\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` "
        f"disabled); line: 1, column: {len(value) - len(text) + 2}]"
    )


def queue_name(arn: str) -> tuple[str, str, str] | None:
    """Account, region and name of the queue that an ARN names."""
    parts = arn.split(":")
    if len(parts) != 6 or parts[0] != "arn" or parts[2] != "sqs" or not all(parts[3:]):
        return None
    return parts[4], parts[3], parts[5]


def dead_letter_id(
    store: Store, topic: Topic, attributes: dict[str, str], endpoint: str
) -> int | None:
    """The queue that a redrive policy names, if it is there."""
    policy = read_object(attributes.get("RedrivePolicy", "") or "{}") or {}
    arn = policy.get("deadLetterTargetArn")
    name = queue_name(arn) if isinstance(arn, str) else None
    if name is None:
        return None
    if topic.config()[0] and endpoint.endswith(".fifo") and not name[2].endswith(".fifo"):
        raise invalid(
            "RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic."
        )
    queue = store.core.find_queue(name)
    return None if queue is None else queue.id
