"""A queue: send, receive, delete, and what belongs to them.

The methods own names, defaults and validation. A plain call, without any option, goes straight to
the core; any other begins a verb there and waits for what it still waits for.
"""

from __future__ import annotations

from trunkline import validation
from trunkline._begun import begun
from trunkline._core import milliseconds
from trunkline.errors import InvalidParameterValue
from trunkline.limits import WAIT_MAX_MS
from trunkline.queues.management import QueueManagement
from trunkline.queues.messages import as_list, checked_options, prepare

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Literal, Unpack, overload

    from trunkline._core import (
        BatchResult,
        Message,
        PeekedMessage,
        PendingSend,
        SendBatchResult,
        SendResult,
    )
    from trunkline._core import Queue as CoreQueue
    from trunkline._types import Body, Delivery, Durability, RetryDelay, Seconds, SendOptions
    from trunkline.engine import Engine
    from trunkline.queues.consumer import ConsumeReport
    from trunkline.queues.messages import SendEntry


class Queue(QueueManagement):
    """A queue of an engine; :meth:`Engine.queue` makes it. Any thread may call every method.

    >>> import trunkline
    >>> queue = trunkline.open().queue("orders")
    >>> sent = queue.send("one coffee")
    >>> for message in queue.receive(max=10):
    ...     with message:
    ...         message.text()
    'one coffee'
    """

    __slots__ = ()

    def __init__(self, engine: Engine, core: CoreQueue) -> None:
        self._engine = engine
        self._core = core
        self._limits = engine.limits

    # --- sending ---------------------------------------------------------------------------------

    def send(self, body: Body, **options: Unpack[SendOptions]) -> SendResult:
        """Add a message; return once it is as durable as the engine promises.

        A body may be empty, which only the AWS surface refuses, as AWS does.
        `group` and `dedup_id` are a FIFO queue's order and identity; on a standard queue `group`
        names the tenant of a fair queue. `delay` is in seconds. `attributes` are values by name:
        str, int, float, Decimal, bytes, or a pair ``(type, value)``. `durability` lowers the
        engine's level for this call.

        Raises InvalidParameterValue, MissingParameter, QueueDoesNotExist.

        >>> import trunkline
        >>> queue = trunkline.open(seed=1).queue("orders.fifo", content_based_dedup=True)
        >>> first = queue.send("one coffee", group="table-4", attributes={"kind": "order"})
        >>> again = queue.send("one coffee", group="table-4")
        >>> again.duplicate, again.message_id == first.message_id
        (True, True)
        """
        if not options:
            return self._core.send(body)
        checked = checked_options(options, self._limits)
        return begun(self._core.begin_send, body, *checked)

    def send_nowait(self, body: Body, **options: Unpack[SendOptions]) -> PendingSend:
        """Add a message and do not wait for the disk; the ticket tells when it is durable.

        >>> import trunkline
        >>> queue = trunkline.open().queue("orders")
        >>> tickets = [queue.send_nowait(f"order {number}") for number in range(3)]
        >>> all(ticket.wait().message_id == ticket.message_id for ticket in tickets)
        True
        """
        return self._core.send_nowait(body, *checked_options(options, self._limits))

    def send_batch(
        self, entries: Iterable[Body | SendEntry], *, durability: Durability | None = None
    ) -> SendBatchResult:
        """Add many messages with one wait for the disk. Each succeeds or fails for itself.

        An entry is a body, or an :class:`SendEntry` with options. ``result.successful`` and
        ``result.failed`` name the entries by their ``index``.

        >>> import trunkline
        >>> queue = trunkline.open().queue("orders", delay=0)
        >>> result = queue.send_batch([b"one", "two", trunkline.SendEntry("late", delay=9_999)])
        >>> len(result.successful), [failure.index for failure in result.failed]
        (2, [2])
        """
        entries = as_list(entries, "entries")
        if durability is None:
            result = self._core.send_batch(entries)
        else:
            result = begun(self._core.begin_send_batch, entries, durability)
        if result is not None:
            return result
        prepared = prepare(entries, self._limits)
        return begun(self._core.begin_send_prepared, *prepared, durability)

    # --- receiving -------------------------------------------------------------------------------

    def receive(
        self,
        max: int = 1,
        wait: Seconds | None = None,
        visibility_timeout: Seconds | None = None,
        attempt_id: str | None = None,
    ) -> list[Message]:
        """Lease up to `max` messages; wait at most `wait` seconds for the first.

        The interpreter is free while it waits, and Ctrl-C works at once. Without `wait` the queue's
        own `receive_wait` holds, which is 0 unless it was set. `visibility_timeout` is the lease in
        seconds, instead of the queue's. `attempt_id` repeats a receive of a FIFO queue whose answer
        was lost.

        Under gevent and eventlet a receive with a `wait` blocks the whole hub, because it waits
        outside of Python: run it as ``gevent.get_hub().threadpool.apply(queue.receive, (10, 20))``
        or ``eventlet.tpool.execute(queue.receive, 10, 20)``. Calls that do not wait are fine.

        >>> import trunkline
        >>> queue = trunkline.open().queue("orders")
        >>> queue.receive(max=10, wait=0.01)
        []
        """
        if wait is None and visibility_timeout is None and attempt_id is None:
            # Whatever else there is to check can wait until there is nothing to hand out.
            return self._core.receive(max) or self._receive_default(max)
        return self._receive_with(max, wait, visibility_timeout, attempt_id)

    def peek(self, max: int = 10, *, include_in_flight: bool = False) -> list[PeekedMessage]:
        """Read up to `max` messages, oldest first, without leasing them.

        >>> import trunkline
        >>> queue = trunkline.open().queue("orders")
        >>> sent = queue.send("one coffee")
        >>> [message.text() for message in queue.peek()]
        ['one coffee']
        """
        validation.count(max, "max", 1, validation.COUNT_MAX)
        return self._core.peek(max, validation.flag(include_in_flight, "include_in_flight"))

    # --- deliveries ------------------------------------------------------------------------------

    def delete(self, delivery: Delivery, *, durability: Durability | None = None) -> None:
        """Delete a message that was received, named by itself or by its receipt.

        >>> import trunkline
        >>> queue = trunkline.open().queue("orders")
        >>> sent = queue.send("one coffee")
        >>> receipt = queue.receive()[0].receipt
        >>> queue.delete(receipt)
        >>> queue.delete("forged")
        Traceback (most recent call last):
        trunkline.errors.ReceiptHandleIsInvalid: The input receipt handle "forged" is not a valid \
receipt handle.
        """
        if durability is None:
            self._core.delete(delivery)
        else:
            begun(self._core.begin_delete, delivery, durability)

    def delete_batch(
        self, deliveries: Iterable[Delivery], *, durability: Durability | None = None
    ) -> BatchResult:
        """Delete many, with one wait for the disk; ``result.failed`` tells which were refused.

        >>> import trunkline
        >>> queue = trunkline.open().queue("orders")
        >>> sent = queue.send_batch(["one", "two"])
        >>> queue.delete_batch(queue.receive(max=10)).successful
        (0, 1)
        """
        named = as_list(deliveries, "deliveries")
        if durability is None:
            return self._core.delete_batch(named)
        return begun(self._core.begin_batch, named, None, durability)

    def extend(
        self,
        delivery: Delivery,
        visibility_timeout: Seconds,
        *,
        durability: Durability | None = None,
    ) -> None:
        """Let a lease end `visibility_timeout` seconds from now; 0 makes the message visible.

        >>> import trunkline
        >>> queue = trunkline.open().queue("orders")
        >>> sent = queue.send("one coffee")
        >>> message = queue.receive()[0]
        >>> queue.extend(message, 0)
        >>> queue.statistics().visible
        1
        """
        lease = self._lease(visibility_timeout)
        begun(self._core.begin_extend, delivery, lease, durability)

    def extend_batch(
        self,
        deliveries: Iterable[Delivery],
        visibility_timeout: Seconds,
        *,
        durability: Durability | None = None,
    ) -> BatchResult:
        """The same for many, with one wait for the disk.

        >>> import trunkline
        >>> queue = trunkline.open().queue("orders")
        >>> sent = queue.send_batch(["one", "two"])
        >>> queue.extend_batch(queue.receive(max=10), 60).successful
        (0, 1)
        """
        named, lease = as_list(deliveries, "deliveries"), self._lease(visibility_timeout)
        return begun(self._core.begin_batch, named, lease, durability)

    if TYPE_CHECKING:

        @overload
        def consume(
            self,
            handler: Callable[[Message], object],
            concurrency: int = 4,
            *,
            batch_size: Literal[1] = 1,
            visibility_timeout: Seconds | None = None,
            retry_delay: RetryDelay | None = None,
            until_empty: bool = False,
        ) -> ConsumeReport: ...

        @overload
        def consume(
            self,
            handler: Callable[[list[Message]], Iterable[Message | str] | None],
            concurrency: int = 4,
            *,
            batch_size: int,
            visibility_timeout: Seconds | None = None,
            retry_delay: RetryDelay | None = None,
            until_empty: bool = False,
        ) -> ConsumeReport: ...

    def consume(
        self,
        handler: Callable[[Any], Any],
        concurrency: int = 4,
        *,
        batch_size: int = 1,
        visibility_timeout: Seconds | None = None,
        retry_delay: RetryDelay | None = None,
        until_empty: bool = False,
    ) -> ConsumeReport:
        """Work the queue off with `concurrency` threads until SIGTERM, Ctrl-C or ``stop()``.

        `handler` gets a message; when it returns the message is deleted, unless it was deleted or
        released by the handler; when it raises the message becomes visible again: at once for its
        first 10 deliveries, then after 0.1 seconds, doubled each time up to a minute.
        `retry_delay`, seconds or a function of the message, replaces that. With a `batch_size`
        above 1 it gets a list and may return those that failed. Leases are extended while it runs.
        `until_empty` returns when no message is visible and none is in hand, for tests and
        scheduled jobs; what was given back with a delay is left for the next run. See
        :class:`trunkline.Worker` for a worker in the background.

        Raises EngineClosed, QueueDoesNotExist if there is no queue to begin with; TypeError for a
        handler that is a coroutine function, or that returns an awaitable: see `trunkline.aio`.

        >>> import trunkline
        >>> queue = trunkline.open().queue("orders")
        >>> sent = queue.send_batch(["one", "two"])
        >>> seen = []
        >>> report = queue.consume(lambda message: seen.append(message.text()), until_empty=True)
        >>> sorted(seen), report.handled
        (['one', 'two'], 2)
        """
        from trunkline.queues.worker import Worker

        worker = Worker(
            self,
            handler,
            concurrency,
            batch_size=batch_size,
            visibility_timeout=visibility_timeout,
            retry_delay=retry_delay,
            until_empty=until_empty,
        )
        return worker.run()

    def _lease(self, visibility_timeout: Seconds) -> int:
        most = self._limits.visibility_max
        return milliseconds(visibility_timeout, "visibility_timeout", 0, most)

    def _receive_default(self, max: int) -> list[Message]:
        validation.count(max, "max", 1, validation.COUNT_MAX)
        if type(max) is int:
            # The core has looked, and waited if the queue says so.
            return []
        # Another kind of int, such as an IntEnum, it did not take for a count.
        return self._core.receive_with(max, self._core.settings.receive_wait, None, None)

    def _receive_with(
        self,
        max: int,
        wait: Seconds | None,
        visibility_timeout: Seconds | None,
        attempt_id: str | None,
    ) -> list[Message]:
        validation.count(max, "max", 1, validation.COUNT_MAX)
        return self._core.receive_with(
            max,
            self._core.settings.receive_wait
            if wait is None
            else milliseconds(wait, "wait", 0, WAIT_MAX_MS),
            None if visibility_timeout is None else self._lease(visibility_timeout),
            None if attempt_id is None else self._attempt(attempt_id),
        )

    def _attempt(self, attempt_id: str) -> str:
        if self._core.fifo:
            return validation.message_id_text(attempt_id, "attempt_id", self._limits)
        raise InvalidParameterValue(
            f"Value {attempt_id!r} for parameter attempt_id is invalid. Reason: The request "
            "include parameter that is not valid for this queue type; only FIFO repeats a receive."
        )
