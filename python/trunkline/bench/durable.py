"""On disk, acknowledged means synced: against the disk itself and embedded queues."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter

import trunkline
from trunkline import aio
from trunkline.bench import peers
from trunkline.bench.contest import OURS, Candidate, Contest, Run
from trunkline.bench.peers import scratch

BODY = b"x" * 1_024
ONE_BY_ONE = 300
BATCH = 256
BATCHES = 20
TASKS = 256
PER_TASK = 16


@contextmanager
def _queue(base: Path) -> Iterator[tuple[trunkline.Engine, trunkline.Queue]]:
    with scratch(base) as folder, trunkline.open(folder / "data") as engine:
        yield engine, engine.queue("bench")


@contextmanager
def one_sender(base: Path) -> Iterator[Run]:
    """One message a call, each synced before the next."""
    with _queue(base) as (_, q):

        def run() -> float:
            started = perf_counter()
            for _ in range(ONE_BY_ONE):
                q.send(BODY)
            seconds = (perf_counter() - started) / ONE_BY_ONE
            q.purge()
            return seconds

        yield run


@contextmanager
def full_cycle(base: Path) -> Iterator[Run]:
    """Send, receive, delete; the send and the delete are synced."""
    with _queue(base) as (_, q):

        def run() -> float:
            started = perf_counter()
            for _ in range(ONE_BY_ONE):
                q.send(BODY)
                for message in q.receive():
                    message.delete()
            return (perf_counter() - started) / ONE_BY_ONE

        yield run


@contextmanager
def batches(base: Path) -> Iterator[Run]:
    """256 messages a call."""
    with _queue(base) as (_, q):
        bodies = [BODY] * BATCH

        def run() -> float:
            started = perf_counter()
            for _ in range(BATCHES):
                q.send_batch(bodies)
            seconds = (perf_counter() - started) / (BATCHES * BATCH)
            q.purge()
            return seconds

        yield run


@contextmanager
def tasks(base: Path) -> Iterator[Run]:
    """256 coroutines, each sending one message after the other."""
    with _queue(base) as (engine, sync_queue):
        loop = asyncio.new_event_loop()

        async def work() -> float:
            q = aio.wrap(engine).queue("bench")

            async def send() -> None:
                for _ in range(PER_TASK):
                    await q.send(BODY)

            started = perf_counter()
            await asyncio.gather(*(send() for _ in range(TASKS)))
            return (perf_counter() - started) / (TASKS * PER_TASK)

        def run() -> float:
            seconds = loop.run_until_complete(work())
            sync_queue.purge()
            return seconds

        yield run
        loop.close()


@contextmanager
def threads(base: Path) -> Iterator[Run]:
    """256 threads, each sending one message after the other."""
    with _queue(base) as (_, q):

        def run() -> float:
            gate = threading.Barrier(TASKS + 1)

            def send() -> None:
                gate.wait()
                for _ in range(PER_TASK):
                    q.send(BODY)

            crew = [threading.Thread(target=send) for _ in range(TASKS)]
            for thread in crew:
                thread.start()
            gate.wait()
            started = perf_counter()
            for thread in crew:
                thread.join()
            seconds = (perf_counter() - started) / (TASKS * PER_TASK)
            q.purge()
            return seconds

        yield run


def contests(base: Path) -> list[Contest]:
    """The rows of this file; everything is written below the folder `base`."""
    raw_one: Candidate = partial(peers.raw, base, BODY, 1, ONE_BY_ONE)
    raw_many: Candidate = partial(peers.raw, base, BODY, BATCH, BATCHES)
    sqlite_one: Candidate = partial(peers.sqlite, base, BODY, 1, ONE_BY_ONE)
    sqlite_many: Candidate = partial(peers.sqlite, base, BODY, BATCH, BATCHES)
    kib, disk = "1 KiB", "disk"
    return [
        Contest(
            "durable/one-sender",
            "send, one sender",
            kib,
            disk,
            {OURS: partial(one_sender, base), "write+fdatasync": raw_one, "SQLite": sqlite_one},
            {"write+fdatasync": 0.85},
        ),
        Contest(
            "durable/full-cycle",
            "send + receive + delete, one by one",
            kib,
            disk,
            {
                OURS: partial(full_cycle, base),
                "persist-queue": partial(peers.persist_queue, base, BODY, ONE_BY_ONE),
                "litequeue": partial(peers.lite_queue, base, BODY, ONE_BY_ONE),
            },
        ),
        Contest(
            "durable/batches-of-256",
            "send, one caller, batches of 256",
            kib,
            disk,
            {
                OURS: partial(batches, base),
                "write+fdatasync": raw_many,
                "SQLite, 256 a commit": sqlite_many,
            },
            {"write+fdatasync": 0.6, "SQLite, 256 a commit": 4.0},
        ),
        Contest(
            "durable/256-tasks",
            "send, 256 asyncio tasks, one message each",
            kib,
            disk,
            {OURS: partial(tasks, base), "write+fdatasync": raw_many, "SQLite": sqlite_one},
            {"write+fdatasync": 0.4, "SQLite": 50.0},
        ),
        Contest(
            "durable/256-threads",
            "send, 256 blocked threads",
            kib,
            disk,
            {OURS: partial(threads, base), "SQLite": sqlite_one},
            {"SQLite": 6.0},
        ),
    ]
