"""Deliveries that leave the engine: to HTTP endpoints, and to functions of this program.

Internal: topics, buses and schedules stand on it. A destination keeps its deliveries in the engine;
an attempt that fails is repeated as the destination's retry table says. A delivery that is given up
goes to a dead-letter queue, or is listed by :meth:`Destination.failures`.
"""

from __future__ import annotations

import threading
from functools import partial

from trunkline import validation
from trunkline._core import DestinationSettings, RetryTable, milliseconds
from trunkline.errors import EngineUnavailable, NotFound, TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from trunkline._core import Handler, LeasedDelivery
    from trunkline._core import Outbox as CoreOutbox
    from trunkline._types import Seconds
    from trunkline.queues.queue import Queue

ATTEMPT_MS_MAX = 43_200_000
"""The longest time for one attempt: the longest lease of a queue."""

CONCURRENCY_MAX = 1_000
"""The most attempts at once of one destination."""

LOOK_MS = 100
"""How long a thread waits for a delivery that is not the only one: it may be one too many."""

IDLE_MS = 20_000
"""How long the only thread waits at once: nothing is to be done meanwhile."""

LOOKS_MAX = 20
"""How often a thread finds nothing before it ends, if others wait."""

PAUSE_SECONDS = 0.1
"""How long a handler pauses when the engine refuses: a full disk, for example."""


class Refused(Exception):
    """Raised by a handler: this delivery can never be handled, so do not try again."""


class PutOff(Exception):
    """Raised by a handler: this delivery waits for something, so that its attempt has failed.

    `park` gets its number and what has it tried again, to be called once there is what it waits
    for. Otherwise it is tried again as the retry table says.
    """

    def __init__(self, why: str, park: Callable[[int, Callable[[], None]], None]) -> None:
        super().__init__(why)
        self.park = park


class Outbox:
    """The destinations of one engine."""

    __slots__ = ("_core",)

    def __init__(self, core: CoreOutbox) -> None:
        self._core = core

    def http(
        self,
        name: str,
        url: str,
        *,
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
        timeout: Seconds = 15.0,
        retry: RetryTable | None = None,
        dead_letter: Queue | None = None,
        concurrency: int = 8,
    ) -> Destination:
        """Create the destination `name`, whose deliveries are sent to `url`.

        `timeout` is for one attempt, in seconds; `retry` is SNS's table for HTTP when absent.

        Raises QueueNameExists, InvalidParameterValue for a URL, a header or a number that cannot
        be used.
        """
        validation.count(concurrency, "concurrency", 1, CONCURRENCY_MAX)
        settings = DestinationSettings.http(
            url,
            method=method,
            headers=list((headers or {}).items()),
            timeout=milliseconds(timeout, "timeout", 1, ATTEMPT_MS_MAX),
            retry=retry or RetryTable.named("sns-http"),
            dead_letter=_id_of(dead_letter),
            concurrency=concurrency,
        )
        return Destination(self._core, self._core.create(name, settings), name)

    def handler(
        self,
        name: str,
        *,
        lease: Seconds = 30.0,
        retry: RetryTable | None = None,
        dead_letter: Queue | None = None,
    ) -> Destination:
        """Create the destination `name`, whose deliveries functions of this program handle.

        A function that takes longer than `lease` seconds has failed. `retry` is SNS's table for
        endpoints that AWS manages when absent.

        Raises QueueNameExists, InvalidParameterValue.
        """
        settings = DestinationSettings.handler(
            lease=milliseconds(lease, "lease", 1, ATTEMPT_MS_MAX),
            retry=retry or RetryTable.named("sns-managed"),
            dead_letter=_id_of(dead_letter),
        )
        return Destination(self._core, self._core.create(name, settings), name)

    def find(self, name: str) -> Destination | None:
        """The destination of this name."""
        id = self._core.find(name)
        return None if id is None else Destination(self._core, id, name)

    def destinations(self) -> list[Destination]:
        """All destinations, sorted by name."""
        return [Destination(self._core, id, name) for name, id in self._core.destinations()]


class Destination:
    """One endpoint outside the engine, and the deliveries that wait for it."""

    __slots__ = ("_core", "id", "name")

    def __init__(self, core: CoreOutbox, id: int, name: str) -> None:
        self._core = core
        self.id: int = id
        self.name: str = name

    def deliver(self, body: bytes | str) -> int:
        """Accept a delivery, as durable as the engine is; returns its number."""
        return self._core.deliver(self.id, body)

    def statistics(self) -> dict[str, int]:
        """How many deliveries are due, leased, and since the engine was opened delivered, retried,
        dead-lettered or recorded as failed."""
        return self._core.statistics(self.id)

    def failures(self) -> list[dict[str, Any]]:
        """Deliveries that were given up without a dead-letter queue: the newest hundred."""
        return self._core.failures(self.id)

    def remove(self) -> None:
        """Remove the destination with everything that waits for it."""
        self._core.remove(self.id)

    def handle(
        self,
        function: Callable[[LeasedDelivery], object],
        threads: int = 1,
        *,
        settles_behind: bool = False,
        idle: Callable[[], object] | None = None,
    ) -> DestinationWorker:
        """Have `function` called with each delivery, by threads that run inside the ``with`` block.

        An exception is a failure that is retried; :class:`Refused` is final. With `settles_behind`
        a thread does not wait for the disk behind a delivery, but before it hands one out that is
        not durable yet. `idle` is called by a thread that found nothing for a moment.
        """
        validation.count(threads, "threads", 1, CONCURRENCY_MAX)
        core = self._core.handler(self.id, settles_behind)
        return DestinationWorker(core, function, threads, self.name, idle)


class DestinationWorker:
    """Threads that hand deliveries to a function; a context manager that starts and stops them.

    One thread waits for deliveries. While all are at work another one is started, until there are
    `threads`; one that finds nothing to do for a while ends.
    """

    def __init__(
        self,
        core: Handler,
        function: Callable[[LeasedDelivery], object],
        threads: int,
        name: str,
        idle: Callable[[], object] | None = None,
    ) -> None:
        self.threads_max = threads
        self._core: Handler | None = core
        self._function = function
        self._on_idle = idle
        self._name = f"trunkline-outbox-{name}"
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._idle = 0

    def start(self) -> None:
        """Start the first thread."""
        with self._lock:
            self._add()

    def __enter__(self) -> DestinationWorker:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        while self._threads:
            for thread in list(self._threads):
                thread.join()

    def stop(self) -> None:
        """Have the threads end once they are idle; also from inside the function."""
        self._stopping.set()
        if self._core is not None:
            self._core.stop()
        # The engine knows by this object that a handler takes the deliveries.
        self._core = None

    def _add(self) -> None:
        core = self._core
        if core is None:
            return
        thread = threading.Thread(target=self._run, args=(core,), name=self._name, daemon=True)
        self._threads.add(thread)
        self._idle += 1
        thread.start()

    def _run(self, core: Handler) -> None:
        try:
            self._work(core)
        finally:
            self._leave(left_idle=0)

    def _work(self, core: Handler) -> None:
        looks = 0
        while not self._stopping.is_set():
            try:
                leased = core.lease(1, IDLE_MS if len(self._threads) == 1 else LOOK_MS)
                looks = 0 if leased else looks + 1
                if looks and self._on_idle is not None:
                    self._on_idle()
                for delivery in leased:
                    self._begin()
                    try:
                        self._handle(core, delivery)
                    finally:
                        with self._lock:
                            self._idle += 1
            except (EngineUnavailable, NotFound):
                return
            except TrunklineError:
                self._stopping.wait(PAUSE_SECONDS)
            if looks >= LOOKS_MAX and self._leave(left_idle=1):
                return

    def _begin(self) -> None:
        with self._lock:
            self._idle -= 1
            if self._idle == 0 and len(self._threads) < self.threads_max:
                self._add()

    def _leave(self, left_idle: int) -> bool:
        """Counts this thread no more, if so many that wait are left."""
        with self._lock:
            here = threading.current_thread()
            if here not in self._threads or self._idle <= left_idle:
                return False
            self._idle -= 1
            self._threads.discard(here)
            return True

    def _handle(self, core: Handler, delivery: LeasedDelivery) -> None:
        try:
            self._function(delivery)
        except Refused as refused:
            core.refused(delivery, _text(refused) or "the handler refused it")
        except PutOff as put_off:
            core.failed(delivery, _text(put_off))
            # Behind the failure, which would put it off once more.
            put_off.park(delivery.sequence, partial(core.try_again, delivery))
        # SystemExit too: it would end the thread, and the deliveries behind this one would wait.
        except BaseException as error:
            core.failed(delivery, f"{type(error).__name__}: {_text(error)}")
        else:
            core.delivered(delivery)


def _text(error: BaseException) -> str:
    """What an exception says of itself, as text that UTF-8 can write."""
    try:
        text = str(error)
    except Exception:
        return "it cannot be shown"
    return text.encode("utf-8", "backslashreplace").decode()


def _id_of(queue: Queue | None) -> int | None:
    return None if queue is None else queue._core.id
