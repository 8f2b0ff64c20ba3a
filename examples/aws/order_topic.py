"""A topic of SNS sends orders to three queues, two of them behind a filter policy.

Run it like `orders.py`.
"""

from __future__ import annotations

import json
from typing import Any

import boto3

FILTERS = {
    "kitchen": {"state": ["paid"]},
    "billing": {"state": ["paid"], "total": [{"numeric": [">", 100]}]},
    "audit": None,
}


def main(sqs: Any, sns: Any) -> None:
    """Subscribe the queues, publish three orders, and read what came where."""
    topic = sns.create_topic(Name="orders")["TopicArn"]
    urls = {name: subscribe(sqs, sns, topic, name) for name in FILTERS}

    for state, total in (("paid", 5), ("paid", 200), ("open", 200)):
        sns.publish(
            TopicArn=topic,
            MessageStructure="json",
            Message=json.dumps({"default": "an order", "sqs": json.dumps({"total": total})}),
            MessageAttributes={
                "state": {"DataType": "String", "StringValue": state},
                "total": {"DataType": "Number", "StringValue": str(total)},
            },
        )

    for name, url in urls.items():
        received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        bodies = [message["Body"] for message in received.get("Messages", [])]
        print(f"{name}: {', '.join(sorted(bodies))}")
        sqs.delete_queue(QueueUrl=url)
    sns.delete_topic(TopicArn=topic)


def subscribe(sqs: Any, sns: Any, topic: str, name: str) -> str:
    """Create a queue that gets what its filter policy lets pass; its URL."""
    url: str = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    attributes = {"RawMessageDelivery": "true"}
    if FILTERS[name]:
        attributes["FilterPolicy"] = json.dumps(FILTERS[name])
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["QueueArn"], Attributes=attributes)
    allow = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn["QueueArn"],
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        },
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(allow)})
    return url


if __name__ == "__main__":
    main(boto3.client("sqs"), boto3.client("sns"))
