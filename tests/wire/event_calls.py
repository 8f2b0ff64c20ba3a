"""What the tests of EventBridge share."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

ACCOUNT, REGION = "000000000000", "us-east-1"
PAID = json.dumps({"source": ["shop"], "detail-type": ["Paid"]})


def arn(resource, service="events", account=ACCOUNT, region=REGION):
    return f"arn:aws:{service}:{region}:{account}:{resource}"


QUEUE_ARN = arn("paid", "sqs")


def entry(detail=None, **rest):
    return {"Source": "shop", "DetailType": "Paid", "Detail": json.dumps(detail or {})} | rest


def bodies(sqs, queue):
    answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    return [message["Body"] for message in answer.get("Messages", [])]


def refused(call, code, message=None, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    assert error["Code"] == code
    if message is not None:
        assert error["Message"] == message


def lead(events, rule="paid", pattern=PAID, **target):
    events.put_rule(Name=rule, EventPattern=pattern)
    answer = events.put_targets(Rule=rule, Targets=[{"Id": "q", "Arn": QUEUE_ARN} | target])
    assert answer["FailedEntryCount"] == 0
