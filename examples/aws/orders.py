"""A sender and a long-polling consumer of orders, as every user of boto3 writes them.

    trunkline serve &
    export AWS_ENDPOINT_URL=http://127.0.0.1:4566 AWS_DEFAULT_REGION=us-east-1
    export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
    python examples/aws/orders.py

Nothing here knows that the other side is not AWS.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import boto3

ORDERS = 25
CHANNELS = ("web", "shop", "phone")


def send_orders(sqs: Any, url: str) -> None:
    """One message an order; what consumers filter by goes into attributes."""
    for number in range(ORDERS):
        sqs.send_message(
            QueueUrl=url,
            MessageBody=json.dumps({"order": number, "cents": 100 + number}),
            MessageAttributes={
                "channel": {
                    "DataType": "String",
                    "StringValue": CHANNELS[number % len(CHANNELS)],
                },
                "cents": {"DataType": "Number", "StringValue": str(100 + number)},
            },
        )


def consume_orders(sqs: Any, url: str) -> tuple[set[int], Counter[str]]:
    """Handles orders until all have come. A poll waits, and answers as soon as there is one."""
    handled: set[int] = set()
    channels: Counter[str] = Counter()
    while len(handled) < ORDERS:
        answer = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=20,
            MessageAttributeNames=["All"],
        )
        for message in answer.get("Messages", []):
            order = json.loads(message["Body"])["order"]
            if order not in handled:
                handled.add(order)
                channels[message["MessageAttributes"]["channel"]["StringValue"]] += 1
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return handled, channels


def main(sqs: Any) -> None:
    """Send, consume, and say what came."""
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    send_orders(sqs, url)
    handled, channels = consume_orders(sqs, url)
    by_channel = ", ".join(f"{count} by {name}" for name, count in sorted(channels.items()))
    print(f"{len(handled)} orders: {by_channel}")
    sqs.delete_queue(QueueUrl=url)


if __name__ == "__main__":
    main(boto3.client("sqs"))
