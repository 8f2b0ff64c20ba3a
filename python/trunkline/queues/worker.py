"""The worker of threads: it keeps leases alive, and a stop loses no message.

One thread per unit of concurrency receives, handles and settles; one more extends the leases of
the messages in hand. No thread starts before :meth:`Worker.start`.
"""

from __future__ import annotations

import threading
from time import monotonic

from trunkline.errors import EngineClosed, OverLimit, QueueDoesNotExist, TrunklineError
from trunkline.queues import consumer
from trunkline.queues.consumer import ConsumerConfig, ConsumeReport

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Literal, overload

    from trunkline._core import Message
    from trunkline._types import RetryDelay, Seconds
    from trunkline.queues.queue import Queue

__all__ = ["ConsumeReport", "Worker"]

LOOK_SECONDS = 0.1
"""How long a receive may take to notice that the worker shall stop."""


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

    if TYPE_CHECKING:

        @overload
        def __init__(
            self,
            queue: Queue,
            handler: Callable[[Message], object],
            concurrency: int = 4,
            *,
            batch_size: Literal[1] = 1,
            visibility_timeout: Seconds | None = None,
            retry_delay: RetryDelay | None = None,
            until_empty: bool = False,
        ) -> None: ...

        @overload
        def __init__(
            self,
            queue: Queue,
            handler: Callable[[list[Message]], Iterable[Message | str] | None],
            concurrency: int = 4,
            *,
            batch_size: int,
            visibility_timeout: Seconds | None = None,
            retry_delay: RetryDelay | None = None,
            until_empty: bool = False,
        ) -> None: ...

    def __init__(
        self,
        queue: Queue,
        handler: Callable[[Any], Any],
        concurrency: int = 4,
        *,
        batch_size: int = 1,
        visibility_timeout: Seconds | None = None,
        retry_delay: RetryDelay | None = None,
        until_empty: bool = False,
    ) -> None:
        self._config = ConsumerConfig(
            queue, concurrency, batch_size, visibility_timeout, retry_delay, until_empty
        )
        consumer.check_handler(handler, batches=batch_size > 1)
        self._queue = queue
        self._handler = handler
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        # The lock guards what follows: deliveries in hand, counts, the first failure, live threads.
        self._running: dict[int, Message] = {}
        self._handled = self._failed = self._released = 0
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
        self._active = self._config.concurrency
        jobs = [self._work] * self._active + [self._heartbeat]
        name = f"trunkline-{self._queue.name}"
        self._threads = [threading.Thread(target=job, name=name, daemon=True) for job in jobs]
        try:
            for thread in self._threads:
                thread.start()
        except BaseException:
            # Ctrl-C, or no more threads: those that run already take nothing more.
            self.stop()
            raise

    def stop(self) -> None:
        """Take no more messages; those being handled are finished. Returns at once."""
        self._stopping.set()

    def join(self, timeout: float | None = None) -> bool:
        """Wait until the worker has ended; whether it has. Raises what ended it, if that failed."""
        end = None if timeout is None else monotonic() + timeout
        for thread in self._threads:
            if thread.is_alive():  # one whose start failed cannot be joined
                thread.join(None if end is None else max(0.0, end - monotonic()))
            if thread.is_alive():
                return False
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        return True

    def report(self) -> ConsumeReport:
        """What was done so far."""
        with self._lock:
            return ConsumeReport(self._handled, self._failed, self._released)

    def run(self) -> ConsumeReport:
        """Start, and return when the worker was stopped: by :meth:`stop`, SIGTERM or Ctrl-C.

        SIGTERM ends it gracefully. Ctrl-C does so too and is then raised; a second one does not
        wait.
        """
        with _StopOnTerm(self):
            try:
                self.start()
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

    def __exit__(self, *_: object) -> None:
        self.stop()
        while not self.join(LOOK_SECONDS):
            pass

    # --- the threads -----------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            while not self._stopping.is_set():
                messages = self._receive()
                if messages:
                    self._handle(messages)
                elif messages is not None and self._config.until_empty and not self._running:
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

    def _receive(self) -> list[Message] | None:
        """The next messages; None if the limit of messages in flight is reached."""
        config = self._config
        try:
            lease = config.lease / 1_000
            found = self._queue.receive(
                config.batch_size, wait=LOOK_SECONDS, visibility_timeout=lease
            )
            if found or not config.until_empty:
                return found
            # At the limit of messages in flight a receive that waits finds nothing either. One
            # that does not wait tells the difference.
            return self._queue.receive(config.batch_size, wait=0, visibility_timeout=lease)
        except OverLimit:
            # The limit is reached no longer when other leases end.
            self._stopping.wait(LOOK_SECONDS)
            return None

    def _handle(self, messages: list[Message]) -> None:
        with self._lock:
            self._running.update((id(message), message) for message in messages)
        failed: list[Message] = messages
        mistake: TypeError | None = None
        try:
            batches = self._config.batch_size > 1
            answer = self._handler(messages if batches else messages[0])
            mistake = consumer.check_result(answer)
            if mistake is None:
                failed = consumer.failed_of(messages, answer) if batches else []
        except Exception:
            self._config.log(messages)
        finally:
            with self._lock:
                for message in messages:
                    del self._running[id(message)]
            self._settle(messages, failed)
        if mistake is not None:
            raise mistake

    def _settle(self, messages: list[Message], failed: list[Message]) -> None:
        good, report = consumer.partition(messages, failed)
        refused = len(self._queue.delete_batch(good).failed) if good else 0
        with self._lock:
            self._handled += report.handled + len(good) - refused
            self._failed += report.failed + refused
            self._released += report.released
        if failed:
            self._queue._release_unsettled(failed, self._config.delays(failed))

    def _heartbeat(self) -> None:
        while not self._ended.wait(self._config.heartbeat_seconds):
            with self._lock:
                running = list(self._running.values())
            if not running:
                continue
            try:
                # Skips what was settled since: a late heartbeat must not undo a release.
                self._queue._extend_unsettled(running, self._config.lease)
            except TrunklineError:
                # The engine is closed or broken: the threads will meet the same error and say so.
                continue


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
