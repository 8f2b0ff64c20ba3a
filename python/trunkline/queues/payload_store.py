"""Claim checks: a body that is large goes into a bucket, and the message says where it is.

Messages, attributes and receipts have the form of Amazon's extended client libraries for SQS and
SNS, so either side may be one of theirs.
"""

from __future__ import annotations

from hashlib import sha256
from uuid import uuid4

from trunkline import validation
from trunkline.aws.payload_pointer import LEGACY_SIZE, SIZE, Pointer
from trunkline.errors import InvalidParameterValue, NoSuchBucket
from trunkline.queues import attributes as message_attributes
from trunkline.queues.messages import SendEntry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._types import Attributes, Body
    from trunkline.buckets.bucket import Bucket
    from trunkline.limits import Limits

THRESHOLD_BYTES = 262_144
"""Above this size a body goes into the bucket: what Amazon's clients do if nothing is said."""

_BLOCK_BYTES, _ATTRIBUTE_BYTES = 2, 9
"""What a block of attributes has beside their names, types and values: once, and for each."""


class PayloadStore:
    """The bucket of a queue for bodies that are too large for it."""

    __slots__ = ("_deletes", "_threshold", "bucket")

    def __init__(self, bucket: object, threshold: int | None, deletes: bool) -> None:
        from trunkline.buckets.bucket import Bucket

        plain = getattr(bucket, "sync", bucket)
        if not isinstance(plain, Bucket):
            raise TypeError(f"payload_store must be a Bucket, not {type(bucket).__name__}")
        self.bucket: Bucket = plain
        given = THRESHOLD_BYTES if threshold is None else threshold
        self._threshold = validation.count(given, "payload_threshold", 0, validation.COUNT_MAX)
        self._deletes = validation.flag(deletes, "payload_delete")

    def is_large(self, body: Body, attributes: Attributes | None, limits: Limits) -> bool:
        """Whether a body goes into the bucket: it is too long, together with the attributes."""
        size = memoryview(encoded(body)).nbytes
        if attributes and size <= self._threshold:
            block = message_attributes.encode(attributes, limits) or b""
            size += len(block) - _BLOCK_BYTES - _ATTRIBUTE_BYTES * len(attributes)
        return size > self._threshold

    def check_in(self, entry: SendEntry, *, needs_id: bool) -> tuple[SendEntry, Pointer]:
        """Puts the body of a message into the bucket; the message that is sent instead.

        `needs_id` says that a FIFO queue would take the content for the message's identity.
        """
        attributes: dict[str, Any] = dict(entry.attributes or {})
        for name in (SIZE, LEGACY_SIZE):
            if name in attributes:
                raise InvalidParameterValue(
                    f"Message (user) attribute name {name!r} is invalid. Reason: It says where a "
                    "body is that was put into a bucket. Choose another name."
                )
        body = encoded(entry.body)
        attributes[SIZE] = memoryview(body).nbytes
        pointer = Pointer(self.bucket.name, str(uuid4()))
        dedup_id = entry.dedup_id
        if dedup_id is None and needs_id:
            dedup_id = sha256(body).hexdigest()
        self.bucket.put(pointer.key, body)
        sent = SendEntry(
            pointer.body(),
            group=entry.group,
            dedup_id=dedup_id,
            delay=entry.delay,
            attributes=attributes,
        )
        return sent, pointer

    def load(self, pointer: Pointer) -> bytes:
        """The body of a message; raises NoSuchKey if it is not there any more."""
        self._check(pointer)
        with self.bucket.get(pointer.key) as reader:
            return reader.bytes()

    def forget(self, pointer: Pointer | None) -> None:
        """Removes the body of a message that was deleted, unless bodies are kept."""
        if pointer is not None and self._deletes and pointer.bucket == self.bucket.name:
            self.discard(pointer)

    def forget_all(self, pointers: list[Pointer]) -> None:
        """Removes the bodies of messages that were deleted, unless bodies are kept."""
        for pointer in pointers:
            self.forget(pointer)

    def discard(self, pointer: Pointer) -> None:
        """Removes a body whose message was not sent."""
        try:
            self.bucket.delete(pointer.key)
        except NoSuchBucket:
            return

    def _check(self, pointer: Pointer) -> None:
        # A sender could otherwise have any object read.
        if pointer.bucket != self.bucket.name:
            raise InvalidParameterValue(
                f"The body of the message is in the bucket {pointer.bucket!r}, and payload_store "
                f"is {self.bucket.name!r}. Give the queue that bucket."
            )


def encoded(body: Body) -> bytes | bytearray | memoryview:
    """A body as bytes."""
    return body.encode() if isinstance(body, str) else body
