"""GetSubscriptionAttributes and SetSubscriptionAttributes."""

from __future__ import annotations

from trunkline.aws.arns import partition
from trunkline.aws.sns import delivery_policy, filters, waiting
from trunkline.aws.sns.archive import check_replay, describe_replay, set_replay
from trunkline.aws.sns.engine_settings import carry_out, settings_of
from trunkline.aws.sns.errors import invalid, not_found
from trunkline.aws.sns.listing import describe
from trunkline.aws.sns.registry import operations
from trunkline.aws.sns.resources import document_key, read, subscription_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Topic
    from trunkline.aws.operation import Call


def _find(call: Call, arn: str) -> tuple[Topic, int, dict[str, Any]]:
    found = subscription_of(call, arn)
    if found is None:
        raise not_found("Subscription")
    topic, id = found
    return topic, id, describe(call, topic, id, topic.subscription(id))


@operations.add("GetSubscriptionAttributes")
def get_subscription_attributes(call: Call, *, subscription_arn: str) -> dict[str, Any]:
    """The attributes of a subscription."""
    topic, id, about = _find(call, subscription_arn)
    owner = about["owner"]
    found = {
        "ConfirmationWasAuthenticated": "true" if about["authenticated"] else "false",
        "Endpoint": about["endpoint"],
        "Owner": owner,
        "PendingConfirmation": "true" if about["pending"] else "false",
        "Protocol": about["protocol"],
        "RawMessageDelivery": "false",
        "SubscriptionArn": about["arn"],
        "SubscriptionPrincipal": f"arn:{partition(topic.region)}:iam::{owner}:{about['principal']}",
        "TopicArn": topic.arn,
    }
    given = {name: value for name, value in about["attributes"].items() if value}
    if topic.config()[0]:
        given |= describe_replay(topic, id, given.pop("ReplayPolicy", None))
    if "FilterPolicy" in given:
        given.setdefault("FilterPolicyScope", "MessageAttributes")
    else:
        given.pop("FilterPolicyScope", None)
    if about["protocol"] in ("http", "https"):
        found["EffectiveDeliveryPolicy"] = delivery_policy.effective_subscription(
            given.get("DeliveryPolicy"), read(topic)["attributes"].get("DeliveryPolicy")
        )
    return {"Attributes": found | given}


@operations.add("SetSubscriptionAttributes", writes=True)
def set_subscription_attributes(
    call: Call, *, subscription_arn: str, attribute_name: str, attribute_value: str = ""
) -> None:
    """Changes an attribute of a subscription."""
    with call.store.lock:
        topic, id, about = _find(call, subscription_arn)
        value = filters.check(attribute_name, attribute_value, about["protocol"])
        kept = call.store.get(document_key(subscription_arn))
        if kept is None:
            if about["protocol"] != "sqs":
                raise invalid(
                    "SubscriptionArn Reason: the subscription was made in the process; change it "
                    "there with configure()"
                )
            kept = about | {"topic": topic.id}
            kept.pop("pending")
        kept["attributes"] = kept["attributes"] | {attribute_name: value}
        if attribute_name == "ReplayPolicy":
            check_replay(topic, value)
            set_replay(topic, id, value)
            call.store.put(document_key(subscription_arn), kept)
            return
        settings = settings_of(
            call,
            topic,
            kept["protocol"],
            kept["endpoint"],
            kept["attributes"],
            pending=about["pending"],
        )
        carry_out("", topic.configure_subscription, id, settings)
        call.store.put(document_key(subscription_arn), kept)
        waiting.note(call.store, kept)
