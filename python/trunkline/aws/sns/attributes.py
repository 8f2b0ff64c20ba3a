"""The attributes of a topic: which there are, what they may be, and their defaults."""

from __future__ import annotations

import json
import re

from trunkline._core import policy_flaw
from trunkline.aws.arns import partition
from trunkline.aws.json_text import write_object
from trunkline.aws.limits import QUOTE_CHARS_MAX
from trunkline.aws.sns import archive, delivery_policy
from trunkline.aws.sns.errors import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline._core import Topic

_FEEDBACK = re.compile(
    r"(HTTP|Firehose|Lambda|Application|SQS)"
    r"(SuccessFeedbackRoleArn|SuccessFeedbackSampleRate|FailureFeedbackRoleArn)"
)
_CHOICES = {
    "TracingConfig": ("PassThrough", "Active"),
    "SignatureVersion": ("1", "2"),
    "FifoThroughputScope": ("Topic", "MessageGroup"),
    "ContentBasedDeduplication": ("true", "false"),
}
_FIFO = ("ContentBasedDeduplication", "FifoThroughputScope", "ArchivePolicy")
_DISPLAY_NAME_CHARS_MAX = 100
_ACTIONS = (
    "GetTopicAttributes",
    "SetTopicAttributes",
    "AddPermission",
    "RemovePermission",
    "DeleteTopic",
    "Subscribe",
    "ListSubscriptionsByTopic",
    "Publish",
)


def check(name: str, value: str, *, fifo: bool, prefix: str = "") -> str:
    """The value of an attribute as it is kept; raises for one that may not be so."""

    def refused(why: str = "") -> Exception:
        return invalid(f"{prefix}{name}{why}")

    if name in _FIFO and not fifo:
        raise refused() if prefix else invalid("AttributeName")
    if name in _CHOICES:
        if value not in _CHOICES[name]:
            wanted = " or ".join(_CHOICES[name])
            raise refused(f": Invalid value [{value[:QUOTE_CHARS_MAX]}]. Must be {wanted}.")
    elif name == "DisplayName":
        if len(value) > _DISPLAY_NAME_CHARS_MAX or not value.isprintable():
            raise refused()
    elif name == "Policy":
        flaw = policy_flaw(value) if value else None
        if flaw is not None:
            raise invalid(
                f"{prefix}Policy Error: {flaw[1]}" if flaw[0] else f"{prefix}Policy Error: null"
            )
    elif name == "DeliveryPolicy":
        if value:
            delivery_policy.read_topic(value, prefix)
    elif name == "ArchivePolicy":
        archive.read_archive(value, prefix)
    elif name == "KmsMasterKeyId" or _FEEDBACK.fullmatch(name):
        pass
    else:
        shown = f"{prefix}Invalid attribute name: {name[:QUOTE_CHARS_MAX]}"
        raise invalid(shown if prefix else "AttributeName")
    return value


def default_policy(topic: Topic) -> dict[str, Any]:
    """The policy of a topic that was given none."""
    return {
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [
            {
                "Sid": "__default_statement_ID",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": [f"SNS:{action}" for action in _ACTIONS],
                "Resource": topic.arn,
                "Condition": {"StringEquals": {"AWS:SourceOwner": topic.account}},
            }
        ],
    }


def describe(topic: Topic, kept: Mapping[str, Any], pending: int) -> dict[str, str]:
    """The attributes of a topic as GetTopicAttributes gives them."""
    attributes = dict(kept["attributes"])
    fifo, content_based, by_group = topic.config()
    total = topic.statistics()["subscriptions"]
    found = {
        "DisplayName": "",
        "Owner": topic.account,
        "Policy": write_object(default_policy(topic)),
        "SubscriptionsConfirmed": str(total - pending),
        "SubscriptionsDeleted": str(kept["deleted"]),
        "SubscriptionsPending": str(pending),
        "TopicArn": topic.arn,
        "EffectiveDeliveryPolicy": json.dumps(
            delivery_policy.effective(attributes.get("DeliveryPolicy")), separators=(",", ":")
        ),
    }
    if fifo:
        found["FifoTopic"] = "true"
        found["ContentBasedDeduplication"] = "true" if content_based else "false"
        if by_group or "FifoThroughputScope" in attributes:
            found["FifoThroughputScope"] = "MessageGroup" if by_group else "Topic"
        found |= archive.describe_archive(topic, attributes.pop("ArchivePolicy", None))
        attributes.pop("ContentBasedDeduplication", None)
        attributes.pop("FifoThroughputScope", None)
    return found | {name: value for name, value in attributes.items() if value}


def partition_of(topic: Topic) -> str:
    """The partition of a topic's ARN."""
    return partition(topic.region)
