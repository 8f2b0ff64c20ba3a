"""What the tests of queues of streams share."""

from __future__ import annotations

from kinesis_calls import arn

ON_DEMAND = {"StreamMode": "ON_DEMAND"}


def create(kinesis, name="jobs", start="TRIM_HORIZON", **given):
    """The resource name of a new queue."""
    source = {"StreamARN": arn("clicks"), "StartingPosition": {"Type": start}}
    answer = kinesis.create_queue(
        QueueName=name, StreamConfigurationList=[source], QueueAttributes=given
    )
    return answer["QueueDescription"]["QueueARN"]


def put(kinesis, *texts):
    for text in texts:
        kinesis.put_record(StreamName="clicks", Data=text.encode(), PartitionKey=f"key of {text}")


def receive(kinesis, queue, dead=False, wait=5, **more):
    """What one receive brings."""
    call = kinesis.receive_dead_letter_queue_records if dead else kinesis.receive_queue_records
    return call(QueueARN=queue, WaitTimeSeconds=wait, **more)["QueueRecords"]


def receive_all(kinesis, queue, count, dead=False, **more):
    """`count` records, by their data."""
    found = {}
    for _ in range(20):
        found |= {one["Data"].decode(): one for one in receive(kinesis, queue, dead, **more)}
        if len(found) >= count:
            return found
    raise AssertionError(f"{sorted(found)} are not {count}")


def entries(found, **more):
    return [{"ReceiptHandle": one["ReceiptHandle"], **more} for one in found]
