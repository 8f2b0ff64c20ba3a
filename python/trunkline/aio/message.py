"""A delivery whose verbs are coroutines."""

from __future__ import annotations

from trunkline._core import milliseconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

    from trunkline._core import Message as SyncMessage
    from trunkline._types import AttributeValue, Seconds
    from trunkline.aio.queue import Queue


class Message:
    """One delivery of one message, from :meth:`trunkline.aio.Queue.receive`.

    ``async with message:`` deletes it at the end of the block; on an exception it makes it visible
    again.

    >>> import asyncio, trunkline
    >>> async def main():
    ...     queue = trunkline.aio.open().queue("orders")
    ...     await queue.send("one coffee")
    ...     (message,) = await queue.receive()
    ...     async with message:
    ...         pass
    ...     return queue.statistics().total
    >>> asyncio.run(main())
    0
    """

    __slots__ = ("_queue", "_settled", "sync")

    def __init__(self, message: SyncMessage, queue: Queue) -> None:
        self.sync = message
        self._queue = queue
        self._settled = False

    @property
    def body(self) -> bytes:
        """The body as it was sent."""
        return self.sync.body

    def text(self) -> str:
        """The body as text."""
        return self.sync.text()

    def json(self) -> Any:
        """The body parsed as JSON."""
        return self.sync.json()

    @property
    def receipt(self) -> str:
        """Names this delivery; :meth:`trunkline.aio.Queue.delete` takes it."""
        return self.sync.receipt

    @property
    def message_id(self) -> str:
        """The message's id, the same in every delivery."""
        return self.sync.message_id

    @property
    def receive_count(self) -> int:
        """Which delivery of the message this is, counted from one."""
        return self.sync.receive_count

    @property
    def sent_at(self) -> float:
        """When the message was sent, in seconds since the epoch."""
        return self.sync.sent_at

    @property
    def first_received_at(self) -> float | None:
        """When the message was received for the first time, in seconds since the epoch."""
        return self.sync.first_received_at

    @property
    def group(self) -> str | None:
        """The group the message was sent with."""
        return self.sync.group

    @property
    def dedup_id(self) -> str | None:
        """The deduplication id the message was sent with, or the hash that stood in for it."""
        return self.sync.dedup_id

    @property
    def sequence_number(self) -> str | None:
        """FIFO: 20 digits that grow in order of sending."""
        return self.sync.sequence_number

    @property
    def attributes(self) -> dict[str, AttributeValue]:
        """The message's attributes by name."""
        return self.sync.attributes

    @property
    def dead_letter_source(self) -> str | None:
        """The queue that gave the message up, if it is a dead letter."""
        return self.sync.dead_letter_source

    async def delete(self) -> None:
        """Delete the message; return once that is as durable as the engine promises."""
        await self._queue.delete(self)
        self._settled = True

    async def extend(self, visibility_timeout: Seconds) -> None:
        """Let the lease end `visibility_timeout` seconds from now."""
        await self._queue.extend(self, visibility_timeout)

    async def release(self, delay: Seconds = 0) -> None:
        """Give the message back: visible again in `delay` seconds."""
        most = self._queue.sync.engine.limits.visibility_max
        # Checked under its own name, then a lease like any other.
        await self._queue.extend(self, milliseconds(delay, "delay", 0, most) / 1_000)
        self._settled = True

    async def __aenter__(self) -> Message:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._settled:
            return
        if kind is None:
            await self.delete()
        else:
            self._queue._give_back(self.sync)

    def __repr__(self) -> str:
        return f"<aio {self.sync!r}>"
