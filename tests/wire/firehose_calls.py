"""Calls that tests of Firehose share."""

from __future__ import annotations

import json
import time

from trunkline.aws.firehose.delivery.runner import runner_of
from trunkline.aws.store import Store

PATIENCE_SECONDS = 60.0
ROLE = "arn:aws:iam::000000000000:role/r"
LAKE = "arn:aws:s3:::lake"
ERRORS = "errors/!{firehose:error-output-type}/"


def arn(name):
    return f"arn:aws:firehose:us-east-1:000000000000:deliverystream/{name}"


def s3(bucket=LAKE, **given):
    return {"RoleARN": ROLE, "BucketARN": bucket, **given}


def create(firehose, name="clicks", **given):
    firehose.create_delivery_stream(
        DeliveryStreamName=name, ExtendedS3DestinationConfiguration=s3(**given)
    )


def put(firehose, *records, name="clicks"):
    answer = firehose.put_record_batch(
        DeliveryStreamName=name, Records=[{"Data": record} for record in records]
    )
    assert answer["FailedPutCount"] == 0
    return [one["RecordId"] for one in answer["RequestResponses"]]


def deliver(engine, name="clicks"):
    """Has what was put be delivered."""
    key = f"firehose/000000000000/us-east-1/{name}"
    assert runner_of(Store(engine._core)).flush(key, PATIENCE_SECONDS)


def objects(engine, bucket="lake", prefix=""):
    """The contents of a bucket by their keys."""
    there = engine.bucket(bucket)
    return {entry.key: there.get(entry.key).bytes() for entry in there.list(prefix)}


def only(engine, bucket="lake", prefix=""):
    """The key and the content of the one object in a bucket."""
    [found] = objects(engine, bucket, prefix).items()
    return found


def failures(engine, kind):
    """What was told of records that failed."""
    _, whole = only(engine, prefix=f"errors/{kind}/")
    return [json.loads(line) for line in whole.splitlines()]


def until(holds, what="it"):
    """What `holds` returns once that is true."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (found := holds()):
        assert time.monotonic() < end, f"{what} did not come about"
        time.sleep(0.01)
    return found


def processing(*processors):
    """Processors by type and parameters."""
    return {
        "Enabled": True,
        "Processors": [
            {
                "Type": kind,
                "Parameters": [
                    {"ParameterName": name, "ParameterValue": value}
                    for name, value in parameters.items()
                ],
            }
            for kind, parameters in processors
        ],
    }
