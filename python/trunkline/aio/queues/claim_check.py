"""A queue for asyncio whose large bodies are in a bucket. Files are touched in threads."""

from __future__ import annotations

import asyncio
from functools import partial

from trunkline.aio.queues.queue import Queue
from trunkline.aws.payload_pointer import pointer_of
from trunkline.errors import TrunklineError
from trunkline.queues.claim_check import StoredMessage as SyncStoredMessage
from trunkline.queues.claim_check import taken_apart
from trunkline.queues.messages import SendEntry, as_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Any

    from trunkline._core import AsyncMessage, BatchResult, SendBatchResult, SendResult
    from trunkline._types import Attributes, Body, Durability, Seconds
    from trunkline.aws.payload_pointer import Pointer
    from trunkline.queues.claim_check import ClaimCheckQueue as SyncClaimCheckQueue


class StoredMessage(SyncStoredMessage):
    """A message whose body was in a bucket and was read with it; deleting it deletes the body."""

    __slots__ = ()

    def _load(self) -> None:
        try:
            self._body = self._store.load(self._pointer)
        except TrunklineError as error:
            # The handler meets it, and the messages beside this one are handled.
            self._body = error

    async def delete(self) -> None:  # type: ignore[override]
        """Delete the message, then its body."""
        await self._message.delete()
        await asyncio.to_thread(self._store.forget, self._pointer)

    async def __aenter__(self) -> StoredMessage:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        is_settled = self._message._outcome is not None
        await self._message.__aexit__(kind, value, traceback)
        if kind is None and not is_settled:
            await asyncio.to_thread(self._store.forget, self._pointer)


class ClaimCheckQueue(Queue):
    """A queue that keeps large bodies in a bucket. The twin is `sync`."""

    __slots__ = ()

    sync: SyncClaimCheckQueue

    async def send(
        self,
        body: Body,
        *,
        group: str | None = None,
        dedup_id: str | None = None,
        delay: Seconds | None = None,
        attributes: Attributes | None = None,
        durability: Durability | None = None,
    ) -> SendResult:
        """Add a message. A large one is sent by a thread."""
        options: Any = {
            "group": group,
            "dedup_id": dedup_id,
            "delay": delay,
            "attributes": attributes,
        }
        if not self.sync._store.is_large(body, attributes, self.sync._limits):
            return await super().send(body, **options, durability=durability)
        send = partial(self.sync.send, body, **options, durability=durability)
        return await asyncio.to_thread(send)

    async def send_batch(
        self, entries: Iterable[Body | SendEntry], *, durability: Durability | None = None
    ) -> SendBatchResult:
        """Add many messages, by a thread."""
        named = as_list(entries, "entries")
        return await asyncio.to_thread(partial(self.sync.send_batch, named, durability=durability))

    async def receive(
        self,
        max: int = 1,
        wait: Seconds | None = None,
        visibility_timeout: Seconds | None = None,
        attempt_id: str | None = None,
    ) -> list[AsyncMessage]:
        """Lease up to `max` messages, and read their bodies."""
        found: list[Any] = await super().receive(max, wait, visibility_timeout, attempt_id)
        stored = []
        for place, message in enumerate(found):
            pointer = pointer_of(message)
            if pointer is not None:
                found[place] = StoredMessage(message, self.sync._store, pointer)
                stored.append(found[place])
        if stored:
            await asyncio.to_thread(_load, stored)
        return found

    async def delete(self, delivery: Any, *, durability: Durability | None = None) -> None:
        """Delete a message, then its body."""
        plain, pointer = taken_apart(delivery)
        await super().delete(plain, durability=durability)
        await self._forget([pointer])

    async def delete_batch(
        self, deliveries: Iterable[Any], *, durability: Durability | None = None
    ) -> BatchResult:
        """Delete many messages, then their bodies."""
        both = [taken_apart(delivery) for delivery in as_list(deliveries, "deliveries")]
        result = await super().delete_batch([plain for plain, _ in both], durability=durability)
        await self._forget([both[index][1] for index in result.successful])
        return result

    async def _forget(self, pointers: list[Pointer | None]) -> None:
        there = [pointer for pointer in pointers if pointer is not None]
        if there:
            await asyncio.to_thread(self.sync._store.forget_all, there)

    async def extend(
        self,
        delivery: Any,
        visibility_timeout: Seconds,
        *,
        durability: Durability | None = None,
    ) -> None:
        """Let a lease end later or at once."""
        await super().extend(taken_apart(delivery)[0], visibility_timeout, durability=durability)

    async def extend_batch(
        self,
        deliveries: Iterable[Any],
        visibility_timeout: Seconds,
        *,
        durability: Durability | None = None,
    ) -> BatchResult:
        """The same for many."""
        plain = self._plain(as_list(deliveries, "deliveries"))
        return await super().extend_batch(plain, visibility_timeout, durability=durability)

    @staticmethod
    def _plain(messages: list[Any]) -> list[Any]:
        return [taken_apart(message)[0] for message in messages]


def _load(messages: list[StoredMessage]) -> None:
    for message in messages:
        message._load()
