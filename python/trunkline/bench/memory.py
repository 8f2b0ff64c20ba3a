"""In memory, one thread: against the queues of the standard library."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from time import perf_counter

import trunkline
from trunkline import Queue
from trunkline.bench.contest import OURS, Contest, Run

BODY = b"x" * 100
MESSAGES = 50_000
BATCH = 10


def cycle(queue: Queue) -> float:
    """The seconds of a message that is sent, received and deleted alone."""
    started = perf_counter()
    for _ in range(MESSAGES):
        queue.send(BODY)
        for message in queue.receive():
            message.delete()
    return (perf_counter() - started) / MESSAGES


@contextmanager
def trunkline_one_by_one() -> Iterator[Run]:
    """Send, receive, delete: three calls a message, the full API."""
    with trunkline.open() as engine:
        yield partial(cycle, engine.queue("bench"))


@contextmanager
def stdlib_one_by_one() -> Iterator[Run]:
    """Put and get: nothing to acknowledge."""
    q: queue.Queue[bytes] = queue.Queue()

    def run() -> float:
        started = perf_counter()
        for _ in range(MESSAGES):
            q.put(BODY)
            q.get()
        return (perf_counter() - started) / MESSAGES

    yield run


@contextmanager
def trunkline_batches() -> Iterator[Run]:
    """Ten entries a call, a result for each."""
    with trunkline.open() as engine:
        q = engine.queue("bench")
        bodies = [BODY] * BATCH

        def run() -> float:
            started = perf_counter()
            for _ in range(MESSAGES // BATCH):
                q.send_batch(bodies)
                q.delete_batch(q.receive(BATCH))
            return (perf_counter() - started) / MESSAGES

        yield run


@contextmanager
def stdlib_simple_queue() -> Iterator[Run]:
    """Ten puts, ten gets of the queue that is written in C."""
    q: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def run() -> float:
        started = perf_counter()
        for _ in range(MESSAGES // BATCH):
            for _ in range(BATCH):
                q.put(BODY)
            for _ in range(BATCH):
                q.get()
        return (perf_counter() - started) / MESSAGES

    yield run


def contests() -> list[Contest]:
    """The rows of this file."""
    return [
        Contest(
            name="memory/one-by-one",
            title="send + receive + delete",
            payload="100 B",
            durability="memory",
            candidates={OURS: trunkline_one_by_one, "queue.Queue": stdlib_one_by_one},
            at_least={"queue.Queue": 2.0},
        ),
        Contest(
            name="memory/batches-of-ten",
            title="the same in batches of ten, a result each",
            payload="100 B",
            durability="memory",
            candidates={OURS: trunkline_batches, "queue.SimpleQueue": stdlib_simple_queue},
            at_least={"queue.SimpleQueue": 0.25},
        ),
    ]
