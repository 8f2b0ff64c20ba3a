"""Functions of this program that get what rules, subscriptions and schedules deliver to them.

Each has a destination, which keeps its deliveries in the engine, and threads that lease them. They
end with the engine, or when another function takes its place.
"""

from __future__ import annotations

from threading import Lock

from trunkline._outbox import DestinationWorker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from trunkline._core import LeasedDelivery
    from trunkline._core import Outbox as CoreOutbox


class _Running:
    """A function at work. Another one may take its place."""

    __slots__ = ("destination", "function", "read", "worker")

    def __init__(
        self,
        outbox: CoreOutbox,
        destination: int,
        function: Callable[[Any], object],
        read: Callable[[LeasedDelivery], object],
        threads: int,
    ) -> None:
        self.destination = destination
        self.function = function
        self.read = read
        name = getattr(function, "__name__", type(function).__name__)
        self.worker = DestinationWorker(outbox.handler(destination), self._handle, threads, name)

    def _handle(self, delivery: LeasedDelivery) -> object:
        return self.function(self.read(delivery))


class Handlers:
    """The functions of one engine, by what they handle."""

    __slots__ = ("_lock", "_outbox", "_running")

    def __init__(self, outbox: CoreOutbox) -> None:
        self._outbox = outbox
        self._lock = Lock()
        self._running: dict[tuple[object, ...], _Running] = {}

    def find(self, key: tuple[object, ...]) -> Callable[[Any], object] | None:
        """The function that is called for `key`."""
        with self._lock:
            running = self._running.get(key)
        return None if running is None else running.function

    def start(
        self,
        key: tuple[object, ...],
        destination: int,
        function: Callable[[Any], object],
        read: Callable[[LeasedDelivery], object],
        threads: int = 1,
    ) -> None:
        """Has `function` called with what `read` makes of each delivery of the destination.

        It takes the place of an earlier function, and may be called in so many threads at once.
        """
        with self._lock:
            old = self._running.get(key)
            if old is not None and old.destination == destination:
                old.function = function
                old.worker.threads_max = threads
                return
            started = _Running(self._outbox, destination, function, read, threads)
            self._running[key] = started
        if old is not None:
            old.worker.stop()
        started.worker.start()

    def stop(self, key: tuple[object, ...]) -> None:
        """Calls the function of `key` no more. A call that runs is not awaited: it may be ours."""
        with self._lock:
            old = self._running.pop(key, None)
        if old is not None:
            old.worker.stop()

    def stop_under(self, prefix: tuple[object, ...], keep: object = None) -> None:
        """Calls the functions no more whose keys are `prefix` and one more, apart from `keep`."""
        with self._lock:
            under = [key for key in self._running if key[:-1] == prefix and key[-1] != keep]
            stopped = [self._running.pop(key) for key in under]
        for one in stopped:
            one.worker.stop()

    def stop_all(self) -> None:
        """Calls no function any more."""
        with self._lock:
            running, self._running = self._running, {}
        for one in running.values():
            one.worker.stop()
