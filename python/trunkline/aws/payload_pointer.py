"""Bodies of messages in a bucket, as Amazon's extended clients for SQS and SNS tell of them."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline._core import PeekedMessage

SIZE, LEGACY_SIZE = "ExtendedPayloadSize", "SQSLargePayloadSize"
"""The attributes, one of which tells that a message is a pointer, and how long its body was."""

_POINTER = "software.amazon.payloadoffloading.PayloadS3Pointer"
_BUCKET_MARK, _KEY_MARK = "-..s3BucketName..-", "-..s3Key..-"


class Pointer:
    """Where the body of a message is."""

    __slots__ = ("bucket", "key")

    def __init__(self, bucket: str, key: str) -> None:
        self.bucket: str = bucket
        self.key: str = key

    def body(self) -> str:
        """The body that stands for the other one."""
        return json.dumps([_POINTER, {"s3BucketName": self.bucket, "s3Key": self.key}])

    def receipt(self, receipt: str) -> str:
        """A receipt that tells where the body is, too."""
        bucket = f"{_BUCKET_MARK}{self.bucket}{_BUCKET_MARK}"
        return f"{bucket}{_KEY_MARK}{self.key}{_KEY_MARK}{receipt}"


def pointer_of(message: PeekedMessage) -> Pointer | None:
    """Where the body of a message is, if it is in a bucket. A body that does not say is its own."""
    names = message.attributes
    if SIZE not in names and LEGACY_SIZE not in names:
        return None
    try:
        _, told = json.loads(message.body)
        return Pointer(str(told["s3BucketName"]), str(told["s3Key"]))
    except (ValueError, TypeError, KeyError):
        return None


def split_receipt(receipt: str) -> tuple[str, Pointer | None]:
    """The receipt of the queue, and where the body is.

    >>> split_receipt("abc")
    ('abc', None)
    >>> own, pointer = split_receipt(Pointer("bodies", "key-1").receipt("abc"))
    >>> own, pointer.bucket, pointer.key
    ('abc', 'bodies', 'key-1')
    """
    parts = receipt.split(_BUCKET_MARK)
    if len(parts) != 3 or parts[0]:
        return receipt, None
    _, bucket, rest = parts
    empty, key, own = (*rest.split(_KEY_MARK), "", "")[:3]
    return (receipt, None) if empty or not own else (own, Pointer(bucket, key))


def own_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes without the one that tells of the body."""
    return {name: value for name, value in attributes.items() if name not in (SIZE, LEGACY_SIZE)}
