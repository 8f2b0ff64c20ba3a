"""Queues that are deep: their verbs, opening them, and what moving their messages costs others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter, sleep

import trunkline
from trunkline import Engine, Queue
from trunkline.bench.contest import OURS, Contest, Run, goal
from trunkline.bench.memory import BODY, cycle
from trunkline.bench.peers import scratch

SHALLOW = 1_000
BATCH = 1_000
OPEN_SECONDS = 0.3
MOVED_MAX = 300_000
IDLE_SAMPLES = 5_000
SLOWER_MAX = 3.0
PAUSE = 20e-6
"""Between two samples, as a program would ask: in a tight loop both rows are of the cache."""


@contextmanager
def at_depth(depth: int) -> Iterator[Run]:
    """Send, receive, delete, one by one, with `depth` messages waiting."""
    with trunkline.open() as engine:
        queue = engine.queue("bench")
        for _ in range(depth // BATCH):
            queue.send_batch([BODY] * BATCH)

        yield partial(cycle, queue)


@contextmanager
def open_deep(base: Path, depth: int) -> Iterator[Run]:
    """Open an engine whose one queue holds `depth` messages."""
    with scratch(base) as folder:
        data = folder / "data"
        with trunkline.open(data, durability="os") as engine:
            queue = engine.queue("deep")
            for _ in range(depth // BATCH):
                queue.send_batch([BODY] * BATCH)

        def run() -> float:
            started = perf_counter()
            engine = trunkline.open(data)
            seconds = perf_counter() - started
            assert engine.queue("deep").statistics().visible == depth // BATCH * BATCH
            engine.close()
            return seconds

        yield run


@contextmanager
def _queues(count: int) -> Iterator[tuple[Engine, list[Queue], Queue]]:
    """Two queues that dead letters are moved between, `count` in the first, and another queue."""
    with trunkline.open() as engine:
        dead = [engine.queue(f"dead-{number}") for number in range(2)]
        for number, one in enumerate(dead):
            engine.queue(f"source-{number}", dead_letter=one, max_receive_count=1)
        for _ in range(count // BATCH):
            dead[0].send_batch([BODY] * BATCH)
        yield engine, dead, engine.queue("other")


def _sample(queue: Queue) -> float:
    sleep(PAUSE)
    started = perf_counter()
    queue.statistics()
    return perf_counter() - started


def _percentile_99(times: list[float]) -> float:
    return sorted(times)[len(times) * 99 // 100]


@contextmanager
def redriven(count: int) -> Iterator[Run]:
    """The 99th percentile of `statistics()` while `count` messages of another queue move."""
    with _queues(count) as (_, dead, other):

        def run() -> float:
            task, times = dead[0].start_redrive(dead[1]), []
            while task.status == "RUNNING":
                times.append(_sample(other))
            dead.reverse()  # the next round moves them back
            return _percentile_99(times)

        yield run


@contextmanager
def idle(count: int) -> Iterator[Run]:
    """The 99th percentile of `statistics()` while nothing else happens."""
    with _queues(count) as (_, _, other):
        yield lambda: _percentile_99([_sample(other) for _ in range(IDLE_SAMPLES)])


def contests(base: Path, depth: int) -> list[Contest]:
    """The rows of this file; `depth` is how many messages wait in the deep queues."""
    limit, moved, shallow = f"{OPEN_SECONDS} s", min(depth, MOVED_MAX), f"itself at {SHALLOW:,}"
    return [
        Contest(
            name="depth/memory",
            title=f"send + receive + delete, {depth:,} messages waiting",
            payload="100 B",
            durability="memory",
            candidates={OURS: partial(at_depth, depth), shallow: partial(at_depth, SHALLOW)},
            at_least={shallow: 0.5},
        ),
        Contest(
            name="depth/open",
            title=f"open with {depth:,} messages waiting",
            payload="100 B",
            durability="os",
            candidates={OURS: partial(open_deep, base, depth), limit: partial(goal, OPEN_SECONDS)},
            at_least={limit: 1.0},
        ),
        Contest(
            name="depth/redrive",
            title="p99 of statistics() during another's redrive",
            payload="100 B",
            durability="memory",
            candidates={OURS: partial(redriven, moved), "itself, idle": partial(idle, moved)},
            at_least={"itself, idle": 1 / SLOWER_MAX},
        ),
    ]
