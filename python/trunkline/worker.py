"""Working a queue off with threads: leases are kept alive, and stopping loses nothing.

One thread per unit of concurrency receives, handles and settles; one more extends the leases of
whatever is being handled. Nothing starts before :meth:`Worker.start`.
"""

from __future__ import annotations

import threading

from trunkline import checks
from trunkline._core import Message, milliseconds
from trunkline.errors import EngineClosed, QueueDoesNotExist, TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import Any

    from trunkline._types import Seconds
    from trunkline.queue import Queue

CONCURRENCY_MAX = 1_000
"""The most threads of one worker."""

BATCH_MAX = 10_000
"""The most messages that one call of a handler gets."""

LOOK_SECONDS = 0.1
"""How long a receive may take to notice that the worker shall stop."""

BEATS_PER_LEASE = 3
"""How often a lease is extended while it would last: two lost beats do no harm."""

BEAT_SECONDS_MIN, BEAT_SECONDS_MAX = 0.01, 60.0
"""The shortest and the longest pause between two beats."""


class ConsumeReport:
    """What a worker has done.

    >>> ConsumeReport(handled=2, failed=1)
    <ConsumeReport: 2 handled, 1 failed>
    """

    __slots__ = {
        "failed": "Messages whose handling failed, each time counted.",
        "handled": "Messages that were handled and deleted.",
    }

    def __init__(self, handled: int, failed: int) -> None:
        self.handled = handled
        self.failed = failed

    def __repr__(self) -> str:
        return f"<ConsumeReport: {self.handled} handled, {self.failed} failed>"


class Worker:
    """Threads that work a queue off; :meth:`Queue.consume` runs one in the foreground.

    The arguments are those of :meth:`Queue.consume`. A context manager that starts and stops.

    >>> import trunkline, threading
    >>> queue = trunkline.open().queue("orders")
    >>> done = threading.Event()
    >>> with trunkline.Worker(queue, lambda message: done.set(), concurrency=1) as worker:
    ...     sent = queue.send("one coffee")
    ...     arrived = done.wait(10)
    >>> arrived, worker.report().handled
    (True, 1)
    """

    def __init__(
        self,
        queue: Queue,
        handler: Callable[[Any], Any],
        concurrency: int = 4,
        *,
        batch_size: int = 1,
        visibility_timeout: Seconds | None = None,
        retry_delay: Seconds = 0,
        until_empty: bool = False,
    ) -> None:
        if not callable(handler):
            raise TypeError(f"handler must be callable, not {type(handler).__name__}")
        most = queue.engine.limits.visibility_max
        self._queue = queue
        self._handler = handler
        self._concurrency = checks.count(concurrency, "concurrency", 1, CONCURRENCY_MAX)
        self._batch_size = checks.count(batch_size, "batch_size", 1, BATCH_MAX)
        if visibility_timeout is None:
            visibility_timeout = queue.settings()["visibility_timeout"]
        # A lease of no time could not be kept alive.
        self._lease = milliseconds(visibility_timeout, "visibility_timeout", 1, most) / 1_000
        self._retry_delay = milliseconds(retry_delay, "retry_delay", 0, most) / 1_000
        self._until_empty = checks.flag(until_empty, "until_empty")
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        # The lock guards what follows: deliveries in hand, counts, the first failure, live threads.
        self._running: dict[int, Message] = {}
        self._handled = self._failed = 0
        self._failure: BaseException | None = None
        self._active = 0
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the threads. A worker starts once.

        Raises EngineClosed, QueueDoesNotExist.
        """
        if self._threads:
            raise RuntimeError("the worker was started already; make a new one")
        # A queue that is gone before the first receive is a mistake, later it is a way to stop.
        self._queue.statistics()
        self._active = self._concurrency
        jobs = [self._work] * self._concurrency + [self._beat]
        name = f"trunkline-{self._queue.name}"
        self._threads = [threading.Thread(target=job, name=name, daemon=True) for job in jobs]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Take no more messages; those being handled are finished. Returns at once."""
        self._stopping.set()

    def join(self, timeout: float | None = None) -> bool:
        """Wait until the worker has ended; whether it has. Raises what ended it, if that failed."""
        for thread in self._threads:
            thread.join(timeout)
            if thread.is_alive():
                return False
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        return True

    def report(self) -> ConsumeReport:
        """What was done so far."""
        with self._lock:
            return ConsumeReport(self._handled, self._failed)

    def run(self) -> ConsumeReport:
        """Start, and return when the worker was stopped: by :meth:`stop`, SIGTERM or Ctrl-C.

        SIGTERM ends it gracefully. Ctrl-C does so too and is then raised; a second one does not
        wait.
        """
        with _StopOnTerm(self):
            self.start()
            try:
                while not self.join(LOOK_SECONDS):
                    pass
            except KeyboardInterrupt:
                self.stop()
                while not self.join(LOOK_SECONDS):
                    pass
                raise
        return self.report()

    def __enter__(self) -> Worker:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        while not self.join(LOOK_SECONDS):
            pass

    # --- the threads -----------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            while not self._stopping.is_set():
                messages = self._queue.receive(
                    self._batch_size, wait=LOOK_SECONDS, visibility_timeout=self._lease
                )
                if messages:
                    self._handle(messages)
                elif self._until_empty and not self._running:
                    # Nothing there, and nothing in hand that could come back.
                    return
        except (EngineClosed, QueueDoesNotExist):
            # Closing the engine or removing the queue is a way to stop.
            self._stopping.set()
        except BaseException as failure:
            with self._lock:
                self._failure = self._failure or failure
            self._stopping.set()
        finally:
            with self._lock:
                self._active -= 1
                if self._active == 0:
                    self._ended.set()

    def _handle(self, messages: list[Message]) -> None:
        with self._lock:
            self._running.update((id(message), message) for message in messages)
        failed: list[Message] = messages
        try:
            if self._batch_size == 1:
                self._handler(messages[0])
                failed = []
            else:
                failed = _failed_of(messages, self._handler(messages))
        except Exception:
            self._log(messages)
        finally:
            with self._lock:
                for message in messages:
                    del self._running[id(message)]
            self._settle(messages, failed)

    def _settle(self, messages: list[Message], failed: list[Message]) -> None:
        bad = {id(message) for message in failed}
        good = [message for message in messages if id(message) not in bad]
        if good:
            result = self._queue.delete_batch(good)
            bad_receipts = len(result.failed)
        else:
            bad_receipts = 0
        with self._lock:
            self._handled += len(good) - bad_receipts
            self._failed += len(failed) + bad_receipts
        if failed:
            # A lease that cannot be given back ends by itself.
            self._queue.extend_batch(failed, self._retry_delay)

    def _beat(self) -> None:
        while not self._ended.wait(self._pause()):
            with self._lock:
                running = list(self._running.values())
            if not running:
                continue
            try:
                self._queue.extend_batch(running, self._lease)
            except TrunklineError:
                # The engine is closed or broken: the threads will meet the same error and say so.
                continue

    def _pause(self) -> float:
        return max(BEAT_SECONDS_MIN, min(self._lease / BEATS_PER_LEASE, BEAT_SECONDS_MAX))

    def _log(self, messages: list[Message]) -> None:
        import logging

        ids = ", ".join(message.message_id for message in messages[:10])
        logging.getLogger("trunkline").exception(
            "the handler failed; queue %s, messages %s", self._queue.name, ids
        )


class _StopOnTerm:
    """While it is entered, SIGTERM stops the worker. Only the main thread may ask for signals."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._previous: Any = None
        self._installed = False

    def __enter__(self) -> None:
        import signal

        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGTERM, lambda *_: self._worker.stop())
            self._installed = True

    def __exit__(self, *_: object) -> None:
        import signal

        if self._installed:
            signal.signal(signal.SIGTERM, self._previous or signal.SIG_DFL)


def _failed_of(messages: list[Message], answer: Iterable[Message | str] | None) -> list[Message]:
    """The messages that the answer of a batch handler names, by themselves or by receipt."""
    if answer is None:
        return []
    named = list(answer)
    receipts = {item for item in named if isinstance(item, str)}
    objects = {id(item) for item in named if isinstance(item, Message)}
    strangers = [item for item in named if not isinstance(item, Message | str)]
    if strangers:
        raise TypeError(
            f"a handler of batches must return messages or receipts, not {strangers[0]!r}"
        )
    return [
        message
        for message in messages
        if id(message) in objects or (receipts and message.receipt in receipts)
    ]
