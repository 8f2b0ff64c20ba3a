"""A queue whose large bodies are in a bucket: ``engine.queue(..., payload_store=bucket)``."""

from __future__ import annotations

import json

from trunkline._core import PeekedMessage
from trunkline.aws.payload_pointer import own_attributes, pointer_of, split_receipt
from trunkline.errors import InvalidParameterValue
from trunkline.queues.messages import SendEntry, as_list
from trunkline.queues.payload_store import PayloadStore
from trunkline.queues.queue import Queue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Any, Unpack

    from trunkline._core import BatchResult, Message, PendingSend, SendBatchResult, SendResult
    from trunkline._core import Queue as CoreQueue
    from trunkline._resource_types import PayloadBucket
    from trunkline._types import (
        Attributes,
        AttributeValue,
        Body,
        Delivery,
        Durability,
        Seconds,
        SendOptions,
    )
    from trunkline.aws.payload_pointer import Pointer
    from trunkline.engine import Engine


class StoredMessage:
    """A message whose body is in a bucket. It has everything that a message has.

    The body is read when it is first asked for. Deleting the message deletes it, too.
    """

    __slots__ = ("_body", "_message", "_pointer", "_store")

    def __init__(self, message: Any, store: PayloadStore, pointer: Pointer) -> None:
        self._message = message
        self._store = store
        self._pointer = pointer
        self._body: bytes | Exception | None = None

    @property
    def body(self) -> bytes:
        """The body. Raises NoSuchKey if it was deleted."""
        if self._body is None:
            self._body = self._store.load(self._pointer)
        if isinstance(self._body, Exception):
            raise self._body
        return self._body

    def text(self) -> str:
        """The body as UTF-8 text."""
        return self.body.decode()

    def json(self) -> Any:
        """The body as the value that it is the JSON of."""
        return json.loads(self.body)

    @property
    def attributes(self) -> dict[str, AttributeValue]:
        """The attributes by name."""
        return own_attributes(self._message.attributes)

    @property
    def receipt(self) -> str:
        """The receipt, which tells where the body is, too."""
        return self._pointer.receipt(self._message.receipt)

    def delete(self) -> None:
        """Delete the message, then its body."""
        self._message.delete()
        self._store.forget(self._pointer)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._message, name)

    def __enter__(self) -> StoredMessage:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        is_settled = self._message._outcome is not None
        settled: bool | None = self._message.__exit__(kind, value, traceback)
        if kind is None and not is_settled:
            self._store.forget(self._pointer)
        return settled

    def __repr__(self) -> str:
        return repr(self._message)


class ClaimCheckQueue(Queue):
    """A queue that keeps large bodies in a bucket. Its verbs are those of :class:`Queue`."""

    __slots__ = ("_store",)

    def __new__(cls, engine: Engine, core: CoreQueue, _: PayloadStore) -> ClaimCheckQueue:
        """Makes the verbs of the core."""
        return super().__new__(cls, engine, core)

    def __init__(self, engine: Engine, core: CoreQueue, store: PayloadStore) -> None:
        super().__init__(engine, core)
        self._store = store

    @property
    def _needs_id(self) -> bool:
        return self.fifo and self._core.settings.content_based_dedup

    def _checked_in(self, entry: SendEntry) -> tuple[SendEntry, Pointer | None]:
        """What is sent, and where the body went, if it is large."""
        if not self._store.is_large(entry.body, entry.attributes, self._limits):
            return entry, None
        return self._store.check_in(entry, needs_id=self._needs_id)

    def send(
        self,
        body: Body,
        *,
        group: str | None = None,
        dedup_id: str | None = None,
        delay: Seconds | None = None,
        attributes: Attributes | None = None,
        durability: Durability | None = None,
    ) -> SendResult:
        """Add a message. See :meth:`Queue.send`."""
        entry = SendEntry(body, group=group, dedup_id=dedup_id, delay=delay, attributes=attributes)
        entry, pointer = self._checked_in(entry)
        try:
            result = super().send(entry.body, **_options(entry), durability=durability)
        except BaseException:
            self._discard(pointer)
            raise
        if result.duplicate:
            # The message that was sent before has a body of its own.
            self._discard(pointer)
        return result

    def send_nowait(self, body: Body, **options: Unpack[SendOptions]) -> PendingSend:
        """Add a message and do not wait for its record; a body in the bucket is waited for."""
        given: dict[str, Any] = {**options}
        durability = given.pop("durability", None)
        entry, pointer = self._checked_in(SendEntry(body, **given))
        try:
            return super().send_nowait(entry.body, **_options(entry), durability=durability)
        except BaseException:
            self._discard(pointer)
            raise

    def send_batch(
        self, entries: Iterable[Body | SendEntry], *, durability: Durability | None = None
    ) -> SendBatchResult:
        """Add many messages. See :meth:`Queue.send_batch`."""
        pointers: list[Pointer | None] = []
        try:
            sent = self._batch(entries, pointers)
            result = super().send_batch(sent, durability=durability)
        except BaseException:
            for pointer in pointers:
                self._discard(pointer)
            raise
        self._discard_unsent(result, pointers)
        return result

    def _batch(
        self, entries: Iterable[Body | SendEntry], pointers: list[Pointer | None]
    ) -> list[Body | SendEntry]:
        sent: list[Body | SendEntry] = []
        for entry in as_list(entries, "entries"):
            whole = entry if isinstance(entry, SendEntry) else SendEntry(entry)
            stored, pointer = self._checked_in(whole)
            sent.append(entry if pointer is None else stored)
            pointers.append(pointer)
        return sent

    def _discard_unsent(self, result: SendBatchResult, pointers: list[Pointer | None]) -> None:
        unsent = [failure.index for failure in result.failed]
        unsent += [sent.index for sent in result.successful if sent.duplicate]
        for index in unsent:
            self._discard(pointers[index])

    def _discard(self, pointer: Pointer | None) -> None:
        if pointer is not None:
            self._store.discard(pointer)

    def receive(
        self,
        max: int = 1,
        wait: Seconds | None = None,
        visibility_timeout: Seconds | None = None,
        attempt_id: str | None = None,
    ) -> list[Message]:
        """Lease up to `max` messages. See :meth:`Queue.receive`."""
        return self._with_bodies(super().receive(max, wait, visibility_timeout, attempt_id))

    def peek(self, max: int = 10, *, include_in_flight: bool = False) -> list[PeekedMessage]:
        """Read up to `max` messages without leasing them. See :meth:`Queue.peek`."""
        return self._with_bodies(super().peek(max, include_in_flight=include_in_flight))

    def _with_bodies(self, messages: list[Any]) -> list[Any]:
        found = []
        for message in messages:
            pointer = pointer_of(message)
            stored = None if pointer is None else StoredMessage(message, self._store, pointer)
            found.append(stored or message)
        return found

    def delete(self, delivery: Delivery, *, durability: Durability | None = None) -> None:
        """Delete a message, then its body. See :meth:`Queue.delete`."""
        plain, pointer = taken_apart(delivery)
        super().delete(plain, durability=durability)
        self._store.forget(pointer)

    def delete_batch(
        self, deliveries: Iterable[Delivery], *, durability: Durability | None = None
    ) -> BatchResult:
        """Delete many messages, then their bodies. See :meth:`Queue.delete_batch`."""
        both = [taken_apart(delivery) for delivery in as_list(deliveries, "deliveries")]
        result = super().delete_batch([plain for plain, _ in both], durability=durability)
        for index in result.successful:
            self._store.forget(both[index][1])
        return result

    def extend(
        self,
        delivery: Delivery,
        visibility_timeout: Seconds,
        *,
        durability: Durability | None = None,
    ) -> None:
        """Let a lease end later or at once. See :meth:`Queue.extend`."""
        super().extend(taken_apart(delivery)[0], visibility_timeout, durability=durability)

    def extend_batch(
        self,
        deliveries: Iterable[Delivery],
        visibility_timeout: Seconds,
        *,
        durability: Durability | None = None,
    ) -> BatchResult:
        """The same for many. See :meth:`Queue.extend_batch`."""
        plain = self._plain(as_list(deliveries, "deliveries"))
        return super().extend_batch(plain, visibility_timeout, durability=durability)

    @staticmethod
    def _plain(messages: list[Any]) -> list[Any]:
        return [taken_apart(message)[0] for message in messages]


def claim_check_queue(
    engine: Engine,
    core: CoreQueue,
    bucket: PayloadBucket | None,
    threshold: int | None,
    deletes: bool,
) -> ClaimCheckQueue:
    """The queue with these options."""
    store = PayloadStore(bucket, threshold, deletes)
    if store.bucket._engine is not engine:
        raise InvalidParameterValue(
            f"Value {bucket!r} for parameter payload_store is invalid. Reason: It belongs to "
            "another engine. Name a bucket of this engine."
        )
    return ClaimCheckQueue(engine, core, store)


def taken_apart(delivery: Any) -> tuple[Any, Pointer | None]:
    """A delivery as the core knows it, and where its body is."""
    if isinstance(delivery, str):
        return split_receipt(delivery)
    if isinstance(delivery, StoredMessage):
        return delivery._message, delivery._pointer
    return delivery, None


def _options(entry: SendEntry) -> dict[str, Any]:
    return {
        "group": entry.group,
        "dedup_id": entry.dedup_id,
        "delay": entry.delay,
        "attributes": entry.attributes,
    }
