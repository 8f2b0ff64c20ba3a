"""Resource names: their partitions and their parts."""

from __future__ import annotations

import re
from typing import NamedTuple

_PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("us-isof-", "aws-iso-f"),
    ("eu-isoe-", "aws-iso-e"),
    ("eusc-", "aws-eusc"),
)


def partition(region: str) -> str:
    """The partition that `region` belongs to.

    >>> [partition(region) for region in ("eu-west-1", "cn-north-1", "us-gov-west-1")]
    ['aws', 'aws-cn', 'aws-us-gov']
    """
    return next((name for start, name in _PARTITIONS if region.startswith(start)), "aws")


_ARN = re.compile(r"arn:aws[a-z-]*:([a-z0-9-]+):([a-z0-9-]*):(\d{12})?:(.+)", re.DOTALL)


class Resource(NamedTuple):
    """A resource name, taken apart."""

    arn: str
    service: str
    region: str
    account: str
    resource: str

    @property
    def kind(self) -> str:
        """What targets are told apart by: the service; of EventBridge, what of it is meant."""
        return self.resource.partition("/")[0] if self.service == "events" else self.service

    @property
    def owner(self) -> tuple[str, str]:
        """Account and region."""
        return self.account, self.region

    @property
    def name(self) -> str:
        """The last part of the name: of a queue, a topic, a stream."""
        return self.resource.rpartition("/")[2]


def read_resource(arn: str) -> Resource | None:
    """The parts of a resource name; None for a text that is none.

    >>> read_resource("arn:aws:sqs:us-east-1:000000000000:jobs").name
    'jobs'
    """
    parts = _ARN.fullmatch(arn)
    return None if parts is None else Resource(arn, parts[1], parts[2], parts[3] or "", parts[4])
