"""A queue whose waiting verbs are coroutines. Names and validation are those of `sync`.

The verbs that a program awaits for every message are the core's own methods, of `AwaitableVerbs`;
they await the methods here whose name ends with `_with` where there is anything to check or to wait
for.
"""

from __future__ import annotations

import asyncio

from trunkline import validation
from trunkline._core import AwaitableVerbs, NotAdmitted, milliseconds
from trunkline.aio.loop import admitted, begun, waker
from trunkline.aio.queues.redrive import RedriveTask
from trunkline.limits import WAIT_MAX_MS
from trunkline.queues.messages import as_list, checked_values, json_body, prepare

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
    from typing import Any, Literal, Unpack, overload

    from trunkline._core import (
        BatchResult,
        PeekedMessage,
        PendingSend,
        QueueStatistics,
        ReceiveCall,
        SendBatchResult,
        SendResult,
    )
    from trunkline._core import Message as SyncMessage
    from trunkline._resource_types import QueueOptions
    from trunkline._types import Attributes, Body, Durability, RetryDelay, Seconds, SendOptions
    from trunkline.aio.queues.message import Message
    from trunkline.queues.consumer import ConsumeReport
    from trunkline.queues.messages import SendEntry
    from trunkline.queues.queue import Queue as SyncQueue


class Queue(AwaitableVerbs):
    """A queue for asyncio; :meth:`trunkline.aio.Engine.queue` makes it. The twin is `sync`.

    >>> import asyncio, trunkline
    >>> async def main():
    ...     queue = trunkline.aio.open().queue("orders")
    ...     await queue.send("one coffee")
    ...     return [message.text() for message in await queue.receive(wait=20)]
    >>> asyncio.run(main())
    ['one coffee']
    """

    __slots__ = {"_core": "", "sync": "The same queue for threads."}

    def __init__(self, queue: SyncQueue) -> None:
        self.sync: SyncQueue = queue
        self._core = queue._core

    @staticmethod
    def _plain(messages: list[Any]) -> list[Any]:
        """Messages as the core knows them."""
        return messages

    # --- sending ---------------------------------------------------------------------------------

    async def _send_with(
        self,
        body: Body,
        group: str | None,
        dedup_id: str | None,
        delay: Seconds | None,
        attributes: Attributes | None,
        durability: Durability | None,
    ) -> SendResult:
        checked = checked_values(group, dedup_id, delay, attributes, self.sync._limits)
        return await begun(self._core.begin_send, body, *checked, durability)

    async def send_batch(
        self, entries: Iterable[Body | SendEntry], *, durability: Durability | None = None
    ) -> SendBatchResult:
        """Add many messages with one wait for the disk. See :meth:`trunkline.Queue.send_batch`.

        >>> import asyncio, trunkline
        >>> asyncio.run(trunkline.aio.open().queue("orders").send_batch(["one", "two"])).failed
        ()
        """
        entries = as_list(entries, "entries")
        result = await begun(self._core.begin_send_batch, entries, durability)
        if result is not None:
            return result
        prepared = prepare(entries, self.sync._limits)
        return await begun(self._core.begin_send_prepared, *prepared, durability)

    async def send_json(self, value: Any, **options: Unpack[SendOptions]) -> SendResult:
        """Send `value` as JSON, with the options of `send`; ``message.json()`` reads it."""
        return await self.send(json_body(value), **options)

    def send_nowait(self, body: Body, **options: Unpack[SendOptions]) -> PendingSend:
        """Add a message and do not wait for the disk. See :meth:`trunkline.Queue.send_nowait`.

        Not a coroutine: an injected delay holds the loop up here.
        """
        return self.sync.send_nowait(body, **options)

    # --- receiving -------------------------------------------------------------------------------

    async def _receive_with(
        self,
        max: int,
        wait: Seconds | None,
        visibility_timeout: Seconds | None,
        attempt_id: str | None,
    ) -> list[Message]:
        validation.count(max, "max", 1, validation.COUNT_MAX)
        span = self._span(wait)
        lease = None if visibility_timeout is None else self.sync._lease(visibility_timeout)
        attempt = None if attempt_id is None else self.sync._attempt(attempt_id)
        try:
            call = self._core.begin_receive(max, lease, attempt, span)
        except NotAdmitted as refusal:
            (held,) = refusal.args
            await admitted(held)
            call = self._core.begin_receive(max, lease, attempt, span, admitted=held)
        return await self._poll(call)

    async def _poll(self, call: ReceiveCall) -> list[Message]:
        loop, parked = waker()
        while True:
            found, pending, waiting = call.poll(parked, loop)
            if waiting is None:
                break
            token, completion, left = waiting
            timer = loop.call_later(left, completion.set_result, None)
            try:
                await completion
            except BaseException:
                # A wake that was not used goes to the next waiter.
                call.cancel()
                raise
            finally:
                timer.cancel()
                parked.leave(token)
            # No await from here to the return: what is leased is handed out.
        if pending is not None:
            # The engine was opened with durable receives: a lease is handed out when it is safe.
            await pending
        return found

    def _span(self, wait: Seconds | None) -> int:
        if wait is None:
            return self._core.settings.receive_wait
        return milliseconds(wait, "wait", 0, WAIT_MAX_MS)

    def peek(self, max: int = 10, *, include_in_flight: bool = False) -> list[PeekedMessage]:
        """Read up to `max` messages, oldest first, without leasing them."""
        return self.sync.peek(max, include_in_flight=include_in_flight)

    # --- deliveries ------------------------------------------------------------------------------

    async def delete(
        self, delivery: Message | SyncMessage | str, *, durability: Durability | None = None
    ) -> None:
        """Delete a message that was received, named by itself or by its receipt."""
        await begun(self._core.begin_delete, delivery, durability)

    async def _delete_batch_with(
        self, deliveries: Iterable[Message | SyncMessage | str], durability: Durability | None
    ) -> BatchResult:
        named = as_list(deliveries, "deliveries")
        return await begun(self._core.begin_batch, named, None, durability)

    async def extend(
        self,
        delivery: Message | SyncMessage | str,
        visibility_timeout: Seconds,
        *,
        durability: Durability | None = None,
    ) -> None:
        """Let a lease end `visibility_timeout` seconds from now; 0 makes the message visible."""
        lease = self.sync._lease(visibility_timeout)
        await begun(self._core.begin_extend, delivery, lease, durability)

    async def extend_batch(
        self,
        deliveries: Iterable[Message | SyncMessage | str],
        visibility_timeout: Seconds,
        *,
        durability: Durability | None = None,
    ) -> BatchResult:
        """The same for many, with one wait for the disk."""
        named = as_list(deliveries, "deliveries")
        lease = self.sync._lease(visibility_timeout)
        return await begun(self._core.begin_batch, named, lease, durability)

    if TYPE_CHECKING:

        @overload
        async def consume(
            self,
            handler: Callable[[Message], Awaitable[object]],
            concurrency: int = 4,
            *,
            batch_size: Literal[1] = 1,
            visibility_timeout: Seconds | None = None,
            retry_delay: RetryDelay | None = None,
            until_empty: bool = False,
            stop: asyncio.Event | None = None,
        ) -> ConsumeReport: ...

        @overload
        async def consume(
            self,
            handler: Callable[[list[Message]], Awaitable[Iterable[Message | str] | None]],
            concurrency: int = 4,
            *,
            batch_size: int,
            visibility_timeout: Seconds | None = None,
            retry_delay: RetryDelay | None = None,
            until_empty: bool = False,
            stop: asyncio.Event | None = None,
        ) -> ConsumeReport: ...

    async def consume(
        self,
        handler: Callable[[Any], Awaitable[Any]],
        concurrency: int = 4,
        *,
        batch_size: int = 1,
        visibility_timeout: Seconds | None = None,
        retry_delay: RetryDelay | None = None,
        until_empty: bool = False,
        stop: asyncio.Event | None = None,
    ) -> ConsumeReport:
        """Work the queue off with `concurrency` tasks until the event `stop` is set.

        Setting it lets what is in hand be finished; cancelling gives it back at once. `handler` is
        a coroutine function, and must not hold the loop up for as long as a lease. Everything else
        is as with :meth:`trunkline.Queue.consume`.

        >>> import asyncio, trunkline
        >>> async def handle(message):
        ...     print(message.text())
        >>> async def main():
        ...     queue = trunkline.aio.open().queue("orders")
        ...     await queue.send("one coffee")
        ...     return await queue.consume(handle, until_empty=True)
        >>> asyncio.run(main())
        one coffee
        <ConsumeReport: 1 handled, 0 failed>
        """
        from trunkline.aio.queues.worker import Consumption
        from trunkline.queues.consumer import ConsumerConfig

        config = ConsumerConfig(
            self.sync, concurrency, batch_size, visibility_timeout, retry_delay, until_empty
        )
        return await Consumption(self, handler, config, stop).run()

    # --- the queue itself ------------------------------------------------------------------------

    async def messages(self, wait: Seconds = 0, *, max: int = 10) -> AsyncIterator[Message]:
        """Receive message after message, `max` at a time, until none comes for `wait` seconds.

        >>> import asyncio, trunkline
        >>> async def main():
        ...     async with trunkline.aio.open() as engine:
        ...         queue = engine.queue("orders")
        ...         await queue.send_json({"id": 1})
        ...         async for message in queue.messages():
        ...             async with message:
        ...                 return message.json()
        >>> asyncio.run(main())
        {'id': 1}
        """
        while found := await self.receive(max, wait):
            for message in found:
                yield message

    async def purge(self) -> None:
        """Remove every message, also those in flight, and empty the deduplication window."""
        await asyncio.to_thread(self.sync.purge)

    async def remove(self) -> None:
        """Remove the queue and everything in it."""
        await asyncio.to_thread(self.sync.remove)

    async def configure(self, **options: Unpack[QueueOptions]) -> None:
        """Change the options that are given. See :meth:`trunkline.Queue.configure`."""
        await asyncio.to_thread(self.sync.configure, **options)

    async def start_redrive(
        self, destination: str | Queue | None = None, rate: int | None = None
    ) -> RedriveTask:
        """Move this queue's dead letters back to where they came from, or to `destination`."""
        target = destination.sync if isinstance(destination, Queue) else destination
        return RedriveTask(await asyncio.to_thread(self.sync.start_redrive, target, rate))

    async def redrive_message(
        self, message: str | PeekedMessage, destination: str | Queue | None = None
    ) -> str:
        """Move one message back, or to `destination`: :meth:`trunkline.Queue.redrive_message`."""
        target = destination.sync if isinstance(destination, Queue) else destination
        return await asyncio.to_thread(self.sync.redrive_message, message, target)

    def redrive_tasks(self) -> list[RedriveTask]:
        """The move tasks of this queue, newest first."""
        return [RedriveTask(task) for task in self.sync.redrive_tasks()]

    def dead_letter_sources(self) -> list[Queue]:
        """The queues that send their dead letters here."""
        return [Queue(queue) for queue in self.sync.dead_letter_sources()]

    def statistics(self) -> QueueStatistics:
        """How the queue stands."""
        return self.sync.statistics()

    def settings(self) -> dict[str, Any]:
        """The queue's options as they stand; times in seconds."""
        return self.sync.settings()

    @property
    def name(self) -> str:
        """The queue's name."""
        return self.sync.name

    @property
    def fifo(self) -> bool:
        """Whether this is a FIFO queue."""
        return self.sync.fifo

    def __eq__(self, other: object) -> bool:
        return self.sync == other.sync if isinstance(other, Queue) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.sync)

    def __repr__(self) -> str:
        return f"<aio {self.sync!r}>"


validation.add_hints(Queue)
