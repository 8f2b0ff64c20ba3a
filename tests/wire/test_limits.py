"""Limits that were raised hold at the AWS surface too."""

from __future__ import annotations

import pytest

import trunkline
import trunkline.aws

botocore = pytest.importorskip("botocore")

RAISED = trunkline.Limits(
    visibility_max=200_000_000,
    retention_max=10_000_000_000,
    delay_max=10_000_000,
    receive_wait_max=60_000,
    message_bytes_max=4_000_000,
)
VALUES = {
    "VisibilityTimeout": "100000",
    "MessageRetentionPeriod": "5000000",
    "DelaySeconds": "5000",
    "ReceiveMessageWaitTimeSeconds": "60",
    "MaximumMessageSize": "2000000",
}


@pytest.mark.parametrize(("name", "value"), VALUES.items())
def test_an_attribute_follows_the_limits_of_the_engine(name, value):
    with trunkline.open(limits=RAISED) as raised, trunkline.open() as plain:
        sqs = trunkline.aws.client("sqs", engine=raised)
        url = sqs.create_queue(QueueName="orders", Attributes={name: value})["QueueUrl"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert found[name] == value
        with pytest.raises(botocore.exceptions.ClientError, match=name):
            trunkline.aws.client("sqs", engine=plain).create_queue(
                QueueName="orders", Attributes={name: value}
            )


def test_a_queue_of_either_surface_has_the_same_defaults():
    with trunkline.open(limits=trunkline.Limits(visibility_max=5_000)) as engine:
        trunkline.aws.client("sqs", engine=engine).create_queue(QueueName="theirs")
        theirs, ours = engine.queue("theirs").settings(), engine.queue("ours").settings()
    assert theirs == ours
    assert ours["visibility_timeout"] == 5.0
