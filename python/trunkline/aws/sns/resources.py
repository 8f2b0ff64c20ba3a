"""Topics and subscriptions by their ARNs, and what SNS keeps with a topic."""

from __future__ import annotations

import base64
import binascii
import json

from trunkline.aws.arns import partition
from trunkline.aws.json_text import read_object, write_object
from trunkline.aws.sns.errors import invalid, not_found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline._core import Topic
    from trunkline.aws.operation import Call

_ELEMENTS = 6


def split_arn(arn: str, parameter: str) -> list[str]:
    """The six or more elements of an ARN."""
    parts = arn.split(":")
    if len(parts) < _ELEMENTS:
        raise invalid(
            f"{parameter} Reason: An ARN must have at least {_ELEMENTS} elements, not {len(parts)}"
        )
    return parts


def topic_of(call: Call, arn: str, parameter: str = "TopicArn") -> Topic:
    """The topic that an ARN names in the region that is called."""
    parts = split_arn(arn, parameter)
    if call.target is None or len(parts) != _ELEMENTS or parts[3] != call.region:
        raise invalid(parameter)
    topic = call.store.core.topic(call.target, False, None, None)
    if topic is None:
        raise not_found("Topic")
    return topic


def subscription_of(call: Call, arn: str) -> tuple[Topic, int] | None:
    """The topic and the id of the subscription that an ARN names; None if it is gone."""
    parts = split_arn(arn, "SubscriptionArn")
    if len(parts) != _ELEMENTS + 1 or parts[2] != "sns" or call.target is None:
        raise invalid("SubscriptionId" if len(parts) == _ELEMENTS else "SubscriptionArn")
    topic = call.store.core.topic(call.target, False, None, None)
    if topic is None:
        return None
    kept = call.store.get(document_key(arn))
    if kept is not None and kept.get("topic") == topic.id:
        return topic, int(kept["id"])
    # A subscription that was made in the process has no document.
    id = topic.subscription_with_arn(arn)
    return None if id is None else (topic, id)


def document_key(arn: str) -> str:
    """Where the document of a subscription lies."""
    return f"sns/subscription/{arn.rsplit(':', 1)[-1]}"


def read(topic: Topic) -> dict[str, Any]:
    """What SNS keeps with a topic: its attributes, its tags, its data protection policy."""
    kept: dict[str, Any] = (read_object(topic.document.decode()) or {}).get("sns", {})
    return {"attributes": {}, "tags": {}, "deleted": 0} | kept


def encode(topic: Topic, kept: Mapping[str, Any]) -> bytes:
    """The document of a topic with what SNS keeps replaced."""
    document = read_object(topic.document.decode()) or {}
    document["sns"] = kept
    return write_object(document).encode()


def write(topic: Topic, kept: Mapping[str, Any]) -> None:
    """Replaces what SNS keeps with a topic."""
    topic.set_document(encode(topic, kept))


def topic_arn(account: str, region: str, name: str) -> str:
    """The ARN of a topic."""
    return f"arn:{partition(region)}:sns:{region}:{account}:{name}"


def make_token(place: object) -> str:
    """A token that says where the next page begins."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def read_token(token: str | None) -> Any:
    """Where a page begins; None for the first one."""
    if token is None:
        return None
    try:
        return json.loads(base64.urlsafe_b64decode(token.encode()))
    except (binascii.Error, ValueError, RecursionError):
        raise invalid("NextToken") from None
