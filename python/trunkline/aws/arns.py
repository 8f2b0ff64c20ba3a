"""Resource names: their partitions."""

from __future__ import annotations

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
