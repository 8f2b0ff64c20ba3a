"""A checkout on a FIFO queue: every cart is a group, so its steps stay in order.

Run it like `orders.py`. A sender that is not sure whether its message arrived sends it again; the
queue recognises it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import boto3

CARTS = ("ann", "bob", "eve", "joe")
STEPS = ("reserve", "charge", "ship")


def send_steps(sqs: Any, url: str) -> int:
    """Every step twice, as after a lost answer; says how many sends there were."""
    sends = 0
    for step in STEPS:
        entries = [
            {
                "Id": cart,
                "MessageBody": step,
                "MessageGroupId": cart,
                "MessageDeduplicationId": f"{cart}-{step}",
            }
            for cart in CARTS
        ]
        for _ in range(2):
            answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
            sends += len(answer["Successful"])
    return sends


def handle_steps(sqs: Any, url: str) -> dict[str, list[str]]:
    """What was done for each cart, in the order in which it was done."""
    done: dict[str, list[str]] = defaultdict(list)
    expected = len(CARTS) * len(STEPS)
    while sum(map(len, done.values())) < expected:
        answer = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=20,
            MessageSystemAttributeNames=["MessageGroupId"],
        )
        messages = answer.get("Messages", [])
        for message in messages:
            done[message["Attributes"]["MessageGroupId"]].append(message["Body"])
        finished = [
            {"Id": str(place), "ReceiptHandle": message["ReceiptHandle"]}
            for place, message in enumerate(messages)
        ]
        if finished:
            sqs.delete_message_batch(QueueUrl=url, Entries=finished)
    return done


def main(sqs: Any) -> None:
    """Send everything twice, and see it done once and in order."""
    made = sqs.create_queue(QueueName="checkout.fifo", Attributes={"FifoQueue": "true"})
    url = made["QueueUrl"]
    sends = send_steps(sqs, url)
    done = handle_steps(sqs, url)
    in_order = sum(steps == list(STEPS) for steps in done.values())
    handled = sum(map(len, done.values()))
    print(f"{sends} sends, {handled} steps handled, {in_order} of {len(CARTS)} carts in order")
    sqs.delete_queue(QueueUrl=url)


if __name__ == "__main__":
    main(boto3.client("sqs"))
