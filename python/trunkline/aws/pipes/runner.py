"""The pipes of one engine that run, each with a poller. One that waits for its source is cancelled
without losing a message."""

from __future__ import annotations

from threading import Lock

from trunkline._per_engine import PerEngine
from trunkline.aws import polling
from trunkline.aws.calls import Failed
from trunkline.aws.invoker import ServiceInvoker
from trunkline.aws.pipes.documents import PREFIX, name_of
from trunkline.aws.pipes.worker import Worker
from trunkline.aws.store import Store
from trunkline.errors import TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline.aws.polling import Poller


def runner_of(store: Store) -> Runner:
    """The one runner of an engine, whichever dispatcher asks."""
    return _RUNNERS.of(store.core)


def resume(store: Store) -> None:
    """Lets the pipes run that ran when the engine was closed."""
    runner = runner_of(store)
    for document in list(store.every(PREFIX)):
        key = name_of(document).key
        if document["desired"] == "RUNNING":
            runner.start(document)
        elif document["current"] == "STOPPING" and not runner.is_running(key):
            store.put(key, {**document, "current": "STOPPED"})


class Runner:
    """Starts and stops the workers of pipes."""

    def __init__(self, core: CoreEngine) -> None:
        self._store = Store(core)
        self._invoker = ServiceInvoker(core)
        self._lock = Lock()
        # A pipe that was updated has two workers until the earlier one has done its batch.
        self._workers: dict[Worker, Poller] = {}

    def is_running(self, key: str) -> bool:
        """Whether a worker of the pipe has not ended."""
        with self._lock:
            return any(worker.key == key for worker in self._workers)

    def start(self, document: dict[str, Any]) -> None:
        """Lets a pipe run as `document` says; a worker of an earlier revision ends."""
        worker = Worker(self._store, self._invoker, document)
        with self._lock:
            self._add(worker)

    def _add(self, worker: Worker) -> None:
        for other in self._workers:
            if other.key == worker.key and other.revision == worker.revision:
                return
        self._end(worker.key)
        self._workers[worker] = polling.start(self._store.core, lambda: self._work(worker))

    def stop(self, key: str) -> None:
        """Has the workers of a pipe end once their batch is done."""
        with self._lock:
            self._end(key)

    def remove(self, document: dict[str, Any]) -> None:
        """Stops a pipe for good, and forgets its position in a stream."""
        self.stop(name_of(document).key)
        try:
            Worker(self._store, self._invoker, document).source.forget()
        except (Failed, TrunklineError):
            # The stream has gone, or nothing was read from it.
            return

    def _end(self, key: str) -> None:
        for worker, poller in self._workers.items():
            if worker.key == key:
                poller.tell(worker.stop)

    async def _work(self, worker: Worker) -> None:
        try:
            await worker.run()
        finally:
            with self._lock:
                del self._workers[worker]


_RUNNERS = PerEngine(Runner)
