"""The pipes of one engine that run: tasks of one event loop, in a thread of their own.

A task that waits for its source takes no thread, and is cancelled without losing a message.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Lock, Thread

from trunkline.aws.calls import Failed
from trunkline.aws.invoker import ServiceInvoker
from trunkline.aws.pipes.documents import PREFIX, name_of
from trunkline.aws.pipes.worker import Worker
from trunkline.aws.store import Store
from trunkline.errors import TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from typing import Any

THREADS_MAX = 64
"""How many batches are sent at once at most; a thread starts when it is needed."""

_lock = Lock()
_runners: dict[int, Runner] = {}
"""The runners that have workers, by the identity of the engine, which the runner keeps. The lock
is for this table and for all that the runners hold."""


def runner_of(store: Store) -> Runner:
    """The one runner of an engine, whichever dispatcher asks; one without workers is made anew."""
    with _lock:
        return _runners.get(id(store.core)) or Runner(store)


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

    def __init__(self, store: Store) -> None:
        self._store = store
        self._invoker = ServiceInvoker(store.core)
        # A pipe that was updated has two workers until the earlier one has done its batch.
        self._workers: list[Worker] = []
        self._loop: AbstractEventLoop | None = None

    def is_running(self, key: str) -> bool:
        """Whether a worker of the pipe has not ended."""
        with _lock:
            return any(worker.key == key for worker in self._workers)

    def start(self, document: dict[str, Any]) -> None:
        """Lets a pipe run as `document` says; a worker of an earlier revision ends."""
        worker = Worker(self._store, self._invoker, document)
        with _lock:
            current = _runners.setdefault(id(self._store.core), self)
            if current is self:
                self._add(worker)
        if current is not self:
            current.start(document)

    def _add(self, worker: Worker) -> None:
        for other in self._workers:
            if other.key == worker.key and other.revision == worker.revision:
                return
        self._end(worker.key)
        self._workers.append(worker)
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._loop.set_default_executor(ThreadPoolExecutor(THREADS_MAX, "trunkline-pipe"))
            thread = Thread(target=_run, args=(self._loop,), name="trunkline-pipes", daemon=True)
            thread.start()
        asyncio.run_coroutine_threadsafe(self._work(worker), self._loop)

    def stop(self, key: str) -> None:
        """Has the workers of a pipe end once their batch is done."""
        with _lock:
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
        for worker in self._workers:
            if worker.key == key and self._loop is not None:
                self._loop.call_soon_threadsafe(worker.stop)

    async def _work(self, worker: Worker) -> None:
        try:
            await worker.run()
        finally:
            with _lock:
                self._workers.remove(worker)
                if not self._workers and self._loop is not None:
                    self._loop.call_soon(self._loop.stop)
                    self._loop = None
                    _runners.pop(id(self._store.core), None)


def _run(loop: AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        # What ended last is not told to later batches; the threads of its batches end here.
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
