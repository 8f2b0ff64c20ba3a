"""One verb a benchmark, so that a change of one shows. `pytest benches/python` runs them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import trunkline

Benchmark = Callable[..., Any]
BODY = b"x" * 100


def cycle(queue: trunkline.Queue) -> None:
    queue.send(BODY)
    for message in queue.receive():
        message.delete()


def test_cycle_of_a_standard_queue(benchmark: Benchmark, engine: trunkline.Engine) -> None:
    benchmark(cycle, engine.queue("q"))


def test_cycle_of_a_fifo_queue(benchmark: Benchmark, engine: trunkline.Engine) -> None:
    queue = engine.queue("q.fifo")
    number = iter(range(10**12))

    def run() -> None:
        queue.send(BODY, group="g", dedup_id=str(next(number)))
        for message in queue.receive():
            message.delete()

    benchmark(run)


def test_send(benchmark: Benchmark, engine: trunkline.Engine) -> None:
    benchmark(engine.queue("q").send, BODY)


def test_send_with_every_option(benchmark: Benchmark, engine: trunkline.Engine) -> None:
    benchmark(engine.queue("q").send, BODY, group="tenant", delay=60, attributes={"kind": "order"})


def test_receive_of_an_empty_queue(benchmark: Benchmark, engine: trunkline.Engine) -> None:
    benchmark(engine.queue("q").receive)


def test_batches_of_ten(benchmark: Benchmark, engine: trunkline.Engine) -> None:
    queue, bodies = engine.queue("q"), [BODY] * 10
    benchmark(lambda: (queue.send_batch(bodies), queue.delete_batch(queue.receive(10))))


def test_statistics(benchmark: Benchmark, engine: trunkline.Engine) -> None:
    queue = engine.queue("q")
    queue.send_batch([BODY] * 10_000)
    benchmark(queue.statistics)


def test_durable_send(benchmark: Benchmark, durable: trunkline.Engine) -> None:
    benchmark(durable.queue("q").send, BODY)


def test_durable_batch_of_256(benchmark: Benchmark, durable: trunkline.Engine) -> None:
    benchmark(durable.queue("q").send_batch, [b"x" * 1_024] * 256)


@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_cycle_at_depth(benchmark: Benchmark, engine: trunkline.Engine, depth: int) -> None:
    queue = engine.queue("q")
    for _ in range(depth // 1_000):
        queue.send_batch([BODY] * 1_000)
    benchmark(cycle, queue)
