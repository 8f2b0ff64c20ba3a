"""ListSubscriptions and ListSubscriptionsByTopic: page by page, without a look at the rest."""

from __future__ import annotations

from itertools import chain

from trunkline.aws.sns.errors import invalid
from trunkline.aws.sns.registry import operations
from trunkline.aws.sns.resources import document_key, make_token, read_token, topic_of
from trunkline.aws.sns.topics import PAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Topic
    from trunkline.aws.operation import Call


def describe(call: Call, topic: Topic, id: int, status: dict[str, Any]) -> dict[str, Any]:
    """A subscription as SNS tells of it. One that was made in the process has no document."""
    kept = call.store.get(document_key(status["arn"]))
    if kept is not None:
        return kept | {"pending": bool(kept.get("token"))}
    protocol, endpoint = "application", status["name"] or ""
    if not status["outside"]:
        protocol, queue = "sqs", call.store.core.name_of(status["target"])
        endpoint = "" if queue is None else _queue_arn(*queue[1:])
    elif status["endpoint"]:
        protocol, endpoint = status["endpoint"].split("://", 1)[0], status["endpoint"]
    attributes = {"RawMessageDelivery": "true" if status["raw"] else "false"}
    if status["filter"]:
        scope = "MessageBody" if status["filters_body"] else "MessageAttributes"
        attributes |= {"FilterPolicy": status["filter"], "FilterPolicyScope": scope}
    return {
        "id": id,
        "arn": status["arn"],
        "protocol": protocol,
        "endpoint": endpoint,
        "owner": topic.account,
        "principal": "root",
        "attributes": attributes,
        "authenticated": True,
        "pending": status["pending"],
    }


def _queue_arn(account: str, region: str, name: str) -> str:
    from trunkline.aws.sqs.resources import arn_of_name

    return arn_of_name(account, region, name)


def _entry(call: Call, topic: Topic, id: int, status: dict[str, Any]) -> dict[str, str]:
    found = describe(call, topic, id, status)
    return {
        "SubscriptionArn": "PendingConfirmation" if found["pending"] else found["arn"],
        "Owner": found["owner"],
        "Protocol": found["protocol"],
        "Endpoint": found["endpoint"],
        "TopicArn": topic.arn,
    }


@operations.add("ListSubscriptionsByTopic")
def list_subscriptions_by_topic(
    call: Call, *, topic_arn: str, next_token: str | None = None
) -> dict[str, Any]:
    """The subscriptions of a topic, in the order of their creation."""
    topic = topic_of(call, topic_arn)
    after = read_token(next_token)
    if after is not None and not isinstance(after, int):
        raise invalid("NextToken")
    page = topic.subscription_page(after, PAGE + 1)
    shown = page[:PAGE]
    output: dict[str, Any] = {
        "Subscriptions": [_entry(call, topic, id, status) for id, status in shown]
    }
    if len(page) > PAGE:
        output["NextToken"] = make_token(shown[-1][0])
    return output


@operations.add("ListSubscriptions")
def list_subscriptions(call: Call, *, next_token: str | None = None) -> dict[str, Any]:
    """The subscriptions of all of the caller's topics, topic by topic."""
    name, after = _place(next_token)
    found: list[dict[str, str]] = []
    begun = call.store.core.topic((call.account, call.region, name), False, None, None)
    topics = call.store.topics(call.account, call.region, after=name)
    for topic in topics if begun is None else chain([begun], topics):
        begin = after if topic.name == name else None
        wanted = PAGE - len(found)
        page = topic.subscription_page(begin, wanted + 1)
        found += [_entry(call, topic, id, status) for id, status in page[:wanted]]
        if len(page) > wanted:
            last = page[wanted - 1][0] if wanted else begin
            return {"Subscriptions": found, "NextToken": make_token([topic.name, last])}
    return {"Subscriptions": found}


def _place(token: str | None) -> tuple[str, int | None]:
    match read_token(token):
        case None:
            return "", None
        case [str(name), int(after)]:
            return name, after
        case [str(name), None]:
            return name, None
        case _:
            raise invalid("NextToken")
