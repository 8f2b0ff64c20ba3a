"""A dead-letter queue, and the way back from it when the bug is fixed.

Run it like `orders.py`.
"""

from __future__ import annotations

import json
import time
from typing import Any

import boto3

RECEIVES_MAX = 3
BODIES = ("1 apple", "two pears", "3 plums", "four figs")


def make_queues(sqs: Any) -> tuple[str, str, str]:
    """The addresses of the queue and of its dead letters, and the resource name of the latter."""
    dead = sqs.create_queue(QueueName="stock-dead")["QueueUrl"]
    names = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])
    arn = names["Attributes"]["QueueArn"]
    policy = {"deadLetterTargetArn": arn, "maxReceiveCount": RECEIVES_MAX}
    queue = sqs.create_queue(QueueName="stock", Attributes={"RedrivePolicy": json.dumps(policy)})[
        "QueueUrl"
    ]
    return queue, dead, arn


def consume(sqs: Any, url: str, words: dict[str, int]) -> int:
    """Handles what can be handled; a message that fails is given back, and comes again."""
    handled = 0
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            count = message["Body"].split()[0]
            receipt = message["ReceiptHandle"]
            if count.isdigit() or count in words:
                handled += 1
                sqs.delete_message(QueueUrl=url, ReceiptHandle=receipt)
            else:
                sqs.change_message_visibility(
                    QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=0
                )
    return handled


def count_visible(sqs: Any, url: str) -> int:
    """How many messages wait."""
    name = "ApproximateNumberOfMessages"
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])
    return int(found["Attributes"][name])


def move_back(sqs: Any, arn: str) -> int:
    """Moves all dead letters to where they came from; says how many there were."""
    sqs.start_message_move_task(SourceArn=arn)
    while True:
        task = sqs.list_message_move_tasks(SourceArn=arn)["Results"][0]
        if task["Status"] != "RUNNING":
            return int(task["ApproximateNumberOfMessagesMoved"])
        time.sleep(0.05)


def main(sqs: Any) -> None:
    """Fail, collect, fix, move back, succeed."""
    queue, dead, arn = make_queues(sqs)
    for body in BODIES:
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    before = consume(sqs, queue, words={})
    letters = count_visible(sqs, dead)
    moved = move_back(sqs, arn)
    after = consume(sqs, queue, words={"two": 2, "four": 4})
    print(f"{before} handled, {letters} dead letters, {moved} moved back, {after} handled then")
    for url in (queue, dead):
        sqs.delete_queue(QueueUrl=url)


if __name__ == "__main__":
    main(boto3.client("sqs"))
