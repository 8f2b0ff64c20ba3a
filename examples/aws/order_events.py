"""A rule on source and detail-type sends events of EventBridge to a queue.

Run it like `orders.py`.
"""

from __future__ import annotations

import json
from typing import Any

import boto3

DETAIL_TYPES = ("Order Placed", "Order Paid", "Order Sent")
PATTERN = {"source": ["shop.orders"], "detail-type": ["Order Paid"]}


def main(sqs: Any, events: Any) -> None:
    """Put three events; one of them is for the queue."""
    url = sqs.create_queue(QueueName="paid-orders")["QueueUrl"]
    names = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    events.put_rule(Name="paid-orders", EventPattern=json.dumps(PATTERN))
    target = {"Id": "queue", "Arn": names["Attributes"]["QueueArn"]}
    events.put_targets(Rule="paid-orders", Targets=[target])

    entries = [
        {
            "Source": "shop.orders",
            "DetailType": detail_type,
            "Detail": json.dumps({"order": number}),
        }
        for number, detail_type in enumerate(DETAIL_TYPES, 1)
    ]
    answer = events.put_events(Entries=entries)
    put = len(entries) - answer["FailedEntryCount"]

    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    event = json.loads(message["Body"])
    print(f"{put} events put, 1 received: {event['detail-type']} {event['detail']['order']}")

    events.remove_targets(Rule="paid-orders", Ids=["queue"])
    events.delete_rule(Name="paid-orders")
    sqs.delete_queue(QueueUrl=url)


if __name__ == "__main__":
    main(boto3.client("sqs"), boto3.client("events"))
