"""Topics come and go: create, describe, change, list, delete."""

from __future__ import annotations

import re
from itertools import islice

from trunkline.aws.limits import TOPIC_NAME_CHARS_MAX
from trunkline.aws.sns import archive, mail_index, protection, waiting
from trunkline.aws.sns import attributes as table
from trunkline.aws.sns.errors import invalid
from trunkline.aws.sns.registry import operations
from trunkline.aws.sns.resources import (
    document_key,
    encode,
    make_token,
    read,
    read_token,
    split_arn,
    topic_arn,
    topic_of,
)
from trunkline.aws.sns.tags import read_tags

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline._core import Topic
    from trunkline.aws.operation import Call

_NAME = re.compile(r"[A-Za-z0-9_-]+")
PAGE = 100
"""Topics, or subscriptions, of one page."""
PENDING = "sns/token/"
"""Where the tokens of unconfirmed subscriptions lie."""


@operations.add("CreateTopic", writes=True)
def create_topic(
    call: Call,
    *,
    name: str = "",
    attributes: Mapping[str, str] | None = None,
    tags: Sequence[Mapping[str, str]] | None = None,
    data_protection_policy: str | None = None,
) -> dict[str, Any]:
    """Creates a topic, or finds the one that is there and has what is given."""
    given = dict(attributes or {})
    _check_name(name, is_fifo=given.pop("FifoTopic", "false").lower() == "true")
    given_tags = None if tags is None else read_tags(tags)
    fifo = name.endswith(".fifo")
    for key, value in given.items():
        table.check(key, value, fifo=fifo, prefix="Attributes Reason: ")
    protected = protection.kept_of(call, data_protection_policy or "")
    full_name = (call.account, call.region, name)
    with call.store.lock:
        topic = call.store.core.topic(full_name, False, None, None)
        if topic is None:
            topic = call.store.core.topic(full_name, True, None, None)
            assert topic is not None
            kept = read(topic) | {"tags": given_tags or {}}
            if data_protection_policy:
                kept |= protected
            _apply(topic, kept, given)
        else:
            _compare(topic, given, given_tags)
    return {"TopicArn": topic_arn(*full_name)}


def _check_name(name: str, *, is_fifo: bool) -> None:
    stem = name.removesuffix(".fifo")
    if is_fifo is not name.endswith(".fifo") or len(name) > TOPIC_NAME_CHARS_MAX:
        raise invalid("Topic Name")
    if not _NAME.fullmatch(stem):
        raise invalid("Topic Name")


def _compare(topic: Topic, given: Mapping[str, str], tags: Mapping[str, str] | None) -> None:
    kept = read(topic)
    current = table.describe(topic, kept, 0)
    for name, value in given.items():
        default = {"FifoThroughputScope": "Topic"}.get(name, "")
        if current.get(name, default) != value:
            raise invalid("Attributes Reason: Topic already exists with different attributes")
    if tags is not None and dict(tags) != kept["tags"]:
        raise invalid("Tags Reason: Topic already exists with different tags")


def _apply(topic: Topic, kept: dict[str, Any], given: Mapping[str, str]) -> None:
    """Stores attributes that were checked."""
    kept["attributes"] = kept["attributes"] | given
    if "ArchivePolicy" in given:
        retention = archive.read_archive(given["ArchivePolicy"])
        if retention is None:
            kept["attributes"].pop("ArchivePolicy")
        if topic.config()[0]:
            topic.archive().set(retention)
    content_based = given.get("ContentBasedDeduplication")
    scope = given.get("FifoThroughputScope")
    topic.set_document(
        encode(topic, kept),
        None if content_based is None else content_based == "true",
        None if scope is None else scope == "MessageGroup",
    )


@operations.add("GetTopicAttributes")
def get_topic_attributes(call: Call, *, topic_arn: str) -> dict[str, Any]:
    """The attributes of a topic."""
    topic = topic_of(call, topic_arn)
    return {"Attributes": table.describe(topic, read(topic), count_pending(call, topic))}


def count_pending(call: Call, topic: Topic) -> int:
    """How many subscriptions of a topic wait for their confirmation."""
    count, after = 0, None
    while True:
        found, after = call.store.page(f"{PENDING}{topic.arn}/", after=after, limit=1_000)
        count += len(found)
        if after is None:
            return count


@operations.add("SetTopicAttributes", writes=True)
def set_topic_attributes(
    call: Call, *, topic_arn: str, attribute_name: str, attribute_value: str = ""
) -> None:
    """Changes an attribute of a topic."""
    topic = topic_of(call, topic_arn)
    fifo = topic.config()[0]
    value = table.check(attribute_name, attribute_value, fifo=fifo)
    with call.store.lock:
        _apply(topic, read(topic), {attribute_name: value})


@operations.add("ListTopics")
def list_topics(call: Call, *, next_token: str | None = None) -> dict[str, Any]:
    """The caller's topics, sorted by name, a page at a time."""
    after = read_token(next_token)
    if after is not None and not isinstance(after, str):
        raise invalid("NextToken")
    topics = call.store.topics(call.account, call.region, after=after)
    page = list(islice(topics, PAGE))
    output: dict[str, Any] = {"Topics": [{"TopicArn": topic.arn} for topic in page]}
    if next(topics, None) is not None:
        output["NextToken"] = make_token(page[-1].name)
    return output


@operations.add("DeleteTopic", writes=True)
def delete_topic(call: Call, *, topic_arn: str) -> None:
    """Removes a topic with its subscriptions; one that is gone is a success."""
    parts = split_arn(topic_arn, "TopicArn")
    if call.target is None or parts[3] != call.region:
        raise invalid("TopicArn")
    topic = call.store.core.topic(call.target, False, None, None)
    if topic is None:
        return
    with call.store.lock:
        archive.check_unarchived(topic)
        after: int | None = None
        documents: list[str] = []
        while page := topic.subscription_page(after, 1_000):
            documents += [document_key(status["arn"]) for _, status in page]
            after = page[-1][0]
        topic.remove()
        # Behind the topic: a crash in between leaves documents that nothing names.
        for key in documents:
            kept = call.store.get(key)
            if kept is not None:
                call.store.put(key, None)
                waiting.forget(call.store, kept)
                mail_index.forget(call.store, kept["arn"])
                if kept.get("token"):
                    call.store.put(f"{PENDING}{topic.arn}/{kept['token']}", None)
