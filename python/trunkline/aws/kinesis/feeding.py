"""Feeds queues of streams: one reader a queue, which puts the places of records into it.

A place is committed once it is in the queue: a crash in between puts it there once more, and
nothing is lost.
"""

from __future__ import annotations

import asyncio
import logging
from threading import Lock

from trunkline._per_engine import PerEngine
from trunkline.aio.loop import begun
from trunkline.aio.streams.waiting import records as read
from trunkline.aws import polling
from trunkline.aws.kinesis import queue_store
from trunkline.aws.store import Store
from trunkline.aws.stream_records import pause
from trunkline.errors import EngineUnavailable, TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import Engine as CoreEngine
    from trunkline._core import Stream
    from trunkline.aws.kinesis.queue_store import StreamQueue
    from trunkline.aws.polling import Poller

LEASE_MS = 86_400_000
"""How long the shards are held by a feeder that neither fetches nor commits."""

BATCH = 1_000
"""How many places are put into a queue at once."""

WAITING_MAX = 20_000
"""So many places wait in a queue for a receiver before no more are put there."""

CAPACITY_SECONDS = 0.05
"""How often a feeder looks whether it takes more again: 400,000 records a second go through."""

PAUSE_SECONDS = 1.0
"""How long a feeder pauses when the engine refuses: a full disk, for example."""

WAIT_MS = 60_000
"""How long one wait for records takes at most."""

MARK = "kinesis-background/queues"
"""The document that says that there were queues once, and perhaps are."""


def feeders_of(store: Store) -> Feeders:
    """The feeders of an engine, whichever dispatcher asks."""
    return _FEEDERS.of(store.core)


def resume(store: Store) -> None:
    """Goes on with what an earlier opening of the engine left."""
    for queue in queue_store.every(store):
        if "gone" not in queue.kept:
            feeders_of(store).start(queue)


class Feeders:
    """Starts and stops what feeds the queues of one engine."""

    def __init__(self, core: CoreEngine) -> None:
        self._store = Store(core)
        self._lock = Lock()
        self._running: dict[str, tuple[_Feeder, Poller]] = {}

    def open(self, queue: StreamQueue) -> None:
        """Gives a new queue its position in the stream, and feeds it from there."""
        if self._store.get(MARK) is None:
            self._store.put(MARK, {})
        stream = self._store.core.find_stream(queue.stream)
        assert stream is not None
        start = {"LATEST": "latest", "TRIM_HORIZON": "earliest"}.get(queue.kept["start"]["Type"])
        at = int(queue.kept["from"] * 1_000)
        stream.reader(queue.reader, start or at, LEASE_MS).leave()
        self.start(queue)

    def start(self, queue: StreamQueue) -> None:
        """Feeds a queue, unless it is fed already."""
        with self._lock:
            if queue.id in self._running:
                return
            feeder = _Feeder(self._store.core, queue)
            poller = polling.start(self._store.core, lambda: self._work(feeder))
            self._running[queue.id] = feeder, poller

    def close(self, id: str) -> None:
        """Ends what feeds a queue; returns when it has."""
        with self._lock:
            found = self._running.get(id)
        if found is not None:
            feeder, poller = found
            poller.tell(feeder.stop)
            poller.future.result()

    async def _work(self, feeder: _Feeder) -> None:
        try:
            await feeder.run()
        finally:
            with self._lock:
                self._running.pop(feeder.id, None)


class _Feeder:
    """Feeds one queue."""

    def __init__(self, core: CoreEngine, queue: StreamQueue) -> None:
        self._core = core
        self._queue = queue
        self.id: str = queue.id
        self._stopped = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def stop(self) -> None:
        """Has the feeder end; called in its event loop."""
        self._stopped.set()
        if self._task is not None:
            self._task.cancel()

    async def run(self) -> None:
        """Feeds until it is stopped, or the queue or its stream is gone."""
        while not self._stopped.is_set():
            try:
                self._core.check_open()
                stream = self._core.find_stream(self._queue.stream)
                if stream is None:
                    return
                self._queue.records.check_present()
                self._task = asyncio.ensure_future(self._feed(stream))
                await self._task
            except asyncio.CancelledError:
                if not self._stopped.is_set():
                    raise
            except EngineUnavailable:
                # The engine was closed. What was not committed is there when it opens.
                return
            except TrunklineError as error:
                if error.code == "QueueDoesNotExist":
                    return
                logging.getLogger("trunkline").warning("queue %s: %s", self.id, error)
                await asyncio.sleep(PAUSE_SECONDS)
            finally:
                self._task = None

    async def _feed(self, stream: Stream) -> None:
        queue, kept = self._queue.records, self._queue.kept
        # A queue delivers records from when it is active.
        longest = self._core.limits()["stream_change_duration"] / 1_000
        left = min(kept["active"] - self._core.now(), longest)
        await pause(stream, self._core.now, left, self._stopped)
        least = kept["from"] if kept["start"]["Type"] == "AT_TIMESTAMP" else 0
        member = stream.reader(self._queue.reader, "earliest", LEASE_MS)
        try:
            while True:
                batch = await read(member.begin_fetch, BATCH, WAIT_MS)
                places = [f"{one.shard} {one.sequence}" for one in batch if one.timestamp >= least]
                if places:
                    result = await begun(queue.begin_send_batch, places, None)
                    if result is not None and result.failed:
                        # None is committed: those that are there already are there twice then.
                        await asyncio.sleep(PAUSE_SECONDS)
                        return
                pending = member.begin_commit(batch) if batch else None
                if pending is not None:
                    await pending
                while queue.statistics().visible >= WAITING_MAX:
                    await asyncio.sleep(CAPACITY_SECONDS)
        finally:
            member.leave()


_FEEDERS = PerEngine(Feeders)
