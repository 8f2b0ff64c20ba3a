"""A queue: send, receive, delete, and what belongs to them.

The methods own names, defaults and validation; any begins a verb in the core and waits for what it
still waits for. The verbs that a program calls for every message are the core's own methods, of
`BlockingVerbs`; they call the methods here whose name ends with `_with` where there is anything to
check.
"""

from __future__ import annotations

from trunkline import validation
from trunkline._begun import begun
from trunkline._core import milliseconds
from trunkline.errors import InvalidParameterValue
from trunkline.limits import WAIT_MAX_MS
from trunkline.queues.management import QueueManagement
from trunkline.queues.messages import (
    as_list,
    checked_options,
    checked_values,
    json_body,
    prepare,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
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
    from trunkline._types import (
        Attributes,
        Body,
        Delivery,
        Durability,
        RetryDelay,
        Seconds,
        SendOptions,
    )
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

    _as_list = staticmethod(as_list)

    def __init__(self, engine: Engine, core: CoreQueue) -> None:
        self._engine = engine
        self._core = core
        self._limits = engine.limits

    def _other(self, core: CoreQueue) -> Queue:
        return Queue(self._engine, core)

    @staticmethod
    def _plain(messages: list[Any]) -> list[Any]:
        """Messages as the core knows them."""
        return messages

    def _release_unsettled(self, messages: list[Any], delays: list[int]) -> None:
        """Gives back what was neither deleted nor given back, each after so many milliseconds."""
        begun(self._core.begin_release_unsettled, self._plain(messages), delays)

    def _extend_unsettled(self, messages: list[Any], lease: int) -> None:
        """Lets the leases of what is still in hand end so many milliseconds from now."""
        begun(self._core.begin_extend_unsettled, self._plain(messages), lease)

    # --- sending ---------------------------------------------------------------------------------

    def _send_with(
        self,
        body: Body,
        group: str | None,
        dedup_id: str | None,
        delay: Seconds | None,
        attributes: Attributes | None,
        durability: Durability | None,
    ) -> SendResult:
        checked = checked_values(group, dedup_id, delay, attributes, self._limits)
        return begun(self._core.begin_send, body, *checked, durability)

    def send_json(self, value: Any, **options: Unpack[SendOptions]) -> SendResult:
        """Send `value` as JSON, with the options of :meth:`send`; ``message.json()`` reads it.

        >>> import trunkline
        >>> queue = trunkline.open().queue("orders")
        >>> sent = queue.send_json({"id": 1})
        >>> queue.receive()[0].json()
        {'id': 1}
        """
        return self.send(json_body(value), **options)

    def send_nowait(self, body: Body, **options: Unpack[SendOptions]) -> PendingSend:
        """Add a message and do not wait for the disk; the ticket tells when it is durable.

        >>> import trunkline
        >>> queue = trunkline.open().queue("orders")
        >>> tickets = [queue.send_nowait(f"order {number}") for number in range(3)]
        >>> all(ticket.wait().message_id == ticket.message_id for ticket in tickets)
        True
        """
        return self._core.send_nowait(body, *checked_options(options, self._limits))

    def _send_batch_with(
        self, entries: Iterable[Body | SendEntry], durability: Durability | None
    ) -> SendBatchResult:
        entries = as_list(entries, "entries")
        result = begun(self._core.begin_send_batch, entries, durability)
        if result is not None:
            return result
        prepared = prepare(entries, self._limits)
        return begun(self._core.begin_send_prepared, *prepared, durability)

    # --- receiving -------------------------------------------------------------------------------

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

    def messages(self, wait: Seconds = 0, *, max: int = 10) -> Iterator[Message]:
        """Receive message after message, `max` at a time, until none comes for `wait` seconds.

        A message is leased when it is handed out with the others of its batch: use it as a context
        manager, or delete it. What is left of a batch comes again when its leases end.

        >>> import trunkline
        >>> queue = trunkline.open().queue("orders")
        >>> sent = queue.send_batch(["one coffee", "two teas"])
        >>> for message in queue.messages():
        ...     with message:
        ...         print(message.text())
        one coffee
        two teas
        """
        while found := self.receive(max, wait):
            yield from found

    def _lease(self, visibility_timeout: Seconds) -> int:
        most = self._limits.visibility_max
        return milliseconds(visibility_timeout, "visibility_timeout", 0, most)

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
