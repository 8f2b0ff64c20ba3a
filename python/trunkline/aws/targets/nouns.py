"""The resource of an engine that a resource name stands for."""

from __future__ import annotations

from trunkline.aws.arns import read_resource
from trunkline.aws.targets.buses import BUS
from trunkline.aws.targets.functions import FUNCTION
from trunkline.aws.targets.queues import QUEUE
from trunkline.aws.targets.state_machines import STATE_MACHINE
from trunkline.aws.targets.streams import DELIVERY_STREAM, STREAM
from trunkline.aws.targets.topics import TOPIC

_NOUNS = {
    QUEUE.name: "queue",
    TOPIC.name: "topic",
    BUS.name: "bus",
    STREAM.name: "stream",
    FUNCTION.name: "function",
    STATE_MACHINE.name: "machine",
    DELIVERY_STREAM.name: "delivery-stream",
}


def noun_of(arn: str) -> tuple[str, str, str, str] | None:
    """Kind, account, region and name of a resource; None for what an engine does not have.

    >>> noun_of("arn:aws:sqs:us-east-1:000000000000:orders")
    ('queue', '000000000000', 'us-east-1', 'orders')
    >>> noun_of("arn:aws:events:us-east-1:000000000000:event-bus/shop")
    ('bus', '000000000000', 'us-east-1', 'shop')
    """
    read = read_resource(arn)
    if read is None or read.kind not in _NOUNS:
        return None
    return _NOUNS[read.kind], read.account, read.region, read.name.rpartition(":")[2]
