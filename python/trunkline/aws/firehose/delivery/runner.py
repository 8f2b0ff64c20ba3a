"""What is delivered of one engine from buffers: tasks of one event loop, in a thread of their own.
Delivery streams of Firehose have one runner, and channels of Kinesis streams another."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Lock, Thread

from trunkline._per_engine import PerEngine
from trunkline.aws.firehose.delivery.worker import Worker
from trunkline.aws.firehose.documents import PREFIX
from trunkline.aws.invoker import ServiceInvoker
from trunkline.aws.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable

    from trunkline._core import Engine as CoreEngine
    from trunkline.aws.firehose.delivery.buffering import BufferWorker
    from trunkline.aws.firehose.documents import Document

    Make = Callable[[Store, ServiceInvoker, Document], BufferWorker]

THREADS_MAX = 16
"""How many buffers are processed and written at once; a thread starts when it is needed."""

END_SECONDS = 5.0
"""How long the end of the workers is waited for when the engine is closed."""


def runner_of(store: Store) -> Runner:
    """The one runner of an engine, whichever dispatcher asks."""
    return _RUNNERS.of(store.core)


def resume(store: Store) -> None:
    """Goes on with what waits from an earlier opening."""
    runner = runner_of(store)
    for document in list(store.every(PREFIX)):
        runner.start(document)


class Runner:
    """Starts the workers of delivery streams, or of what `make` makes workers for, and tells them
    of changes."""

    def __init__(self, core: CoreEngine, make: Make = Worker) -> None:
        self._store = Store(core)
        self._make = make
        self._clients: ServiceInvoker | None = None
        self._workers: dict[str, BufferWorker] = {}
        # One that was removed may still be at work.
        self._running: set[BufferWorker] = set()
        self._loop: AbstractEventLoop | None = None
        self._thread: Thread | None = None
        self._lock = Lock()
        self._is_closed = False

    def start(self, document: Document) -> None:
        """Lets a delivery stream be delivered, unless it is already; else it is looked at anew."""
        with self._lock:
            if self._is_closed:
                return
            if self._clients is None:
                self._clients = ServiceInvoker(self._store.core)
            loop = self._running_loop()
            worker = self._make(self._store, self._clients, document)
            known = self._workers.get(worker.key)
            if known is not None and known.number == worker.number:
                loop.call_soon_threadsafe(known.nudge)
                return
            if known is not None:
                loop.call_soon_threadsafe(known.stop)
            self._workers[worker.key] = worker
            self._running.add(worker)
            asyncio.run_coroutine_threadsafe(self._work(worker), loop)

    def stop(self, key: str) -> None:
        """Has the worker of a delivery stream end that was removed."""
        with self._lock:
            worker = self._workers.pop(key, None)
            if worker is not None and self._loop is not None:
                self._loop.call_soon_threadsafe(worker.stop)

    def flush(self, key: str, timeout: float | None) -> bool:
        """Waits until what was put is delivered; whether it was within so many seconds."""
        with self._lock:
            worker, loop = self._workers.get(key), self._loop
        if worker is None or loop is None:
            return True
        future = asyncio.run_coroutine_threadsafe(worker.flush(), loop)
        try:
            future.result(timeout)
        except TimeoutError:
            future.cancel()
            return False
        return True

    def close(self) -> None:
        """Ends all workers and their thread."""
        with self._lock:
            self._is_closed = True
            loop, thread = self._loop, self._thread
            for worker in self._running:
                if loop is not None:
                    loop.call_soon_threadsafe(worker.stop)
        if thread is not None:
            thread.join(END_SECONDS)

    def _running_loop(self) -> AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._loop.set_default_executor(ThreadPoolExecutor(THREADS_MAX, "trunkline-firehose"))
            self._thread = Thread(
                target=_run, args=(self._loop,), name="trunkline-firehose", daemon=True
            )
            self._thread.start()
        return self._loop

    async def _work(self, worker: BufferWorker) -> None:
        try:
            await worker.run()
        finally:
            with self._lock:
                if self._workers.get(worker.key) is worker:
                    del self._workers[worker.key]
                self._running.discard(worker)
                if not self._running and self._loop is not None:
                    self._loop.call_soon(self._loop.stop)
                    self._loop = self._thread = None


def _run(loop: AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()


_RUNNERS = PerEngine(Runner, Runner.close)
