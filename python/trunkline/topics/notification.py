"""A message of a topic, as a function that is subscribed gets it."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import LeasedDelivery
    from trunkline._types import AttributeValue

_MESSAGE_ID = "x-amz-sns-message-id"
_TOPIC_ARN = "x-amz-sns-topic-arn"


class Notification:
    """A message of a topic; a function that is subscribed is called with it.

    >>> import queue, trunkline
    >>> topic, received = trunkline.open().topic("orders"), queue.SimpleQueue()
    >>> subscription = topic.subscribe(received.put, name="orders-in-memory")
    >>> sent = topic.publish("one coffee")
    >>> received.get(timeout=10).text()
    'one coffee'
    """

    __slots__ = {
        "attempt": "Which attempt this is, from one.",
        "attributes": "The attributes by name, as those of `Message`; {} with an envelope.",
        "body": "The body, as bytes: what was published, or the envelope if ``raw=False``.",
        "message_id": "The id of the message, the same for every subscription and attempt.",
        "topic_arn": "The ARN of the topic that it was published to.",
    }

    attempt: int
    attributes: dict[str, AttributeValue]
    body: bytes
    message_id: str
    topic_arn: str

    def __init__(self, delivery: LeasedDelivery) -> None:
        headers = dict(delivery.headers)
        self.attempt = delivery.attempt
        self.attributes = delivery.values
        self.body = delivery.body
        self.message_id = headers[_MESSAGE_ID]
        self.topic_arn = headers[_TOPIC_ARN]

    def text(self) -> str:
        """The body, decoded as UTF-8."""
        return self.body.decode()

    def json(self) -> Any:
        """The body, parsed as JSON."""
        return json.loads(self.body)

    def __repr__(self) -> str:
        return f"<Notification {self.message_id}, attempt {self.attempt}>"
