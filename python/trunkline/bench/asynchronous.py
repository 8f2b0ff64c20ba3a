"""A thread hands messages to coroutines, in bursts: against the queues made for that."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import trunkline
from trunkline import aio
from trunkline.bench.contest import OURS, Candidate, Contest, NotInstalled, Run

BODY = b"x" * 100
BURST = 1_000
BURSTS = 10
TENS = 10


class Producer:
    """A thread that puts one burst whenever it is asked for one."""

    def __init__(self, put: Callable[[bytes], object]) -> None:
        self._put = put
        self._asked = threading.Semaphore(0)
        self._ended = False
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def burst(self) -> None:
        """Ask for a burst; returns at once."""
        self._asked.release()

    def end(self) -> None:
        """Stop the thread."""
        self._ended = True
        self._asked.release()
        self._thread.join()

    def _work(self) -> None:
        while self._asked.acquire() and not self._ended:
            for _ in range(BURST):
                self._put(BODY)


async def _bursts(producer: Producer, take: Callable[[], Awaitable[int]]) -> float:
    """Time the bursts; `take` returns how many messages it took."""
    started = perf_counter()
    for _ in range(BURSTS):
        producer.burst()
        taken = 0
        while taken < BURST:
            taken += await take()
    return (perf_counter() - started) / (BURST * BURSTS)


@contextmanager
def _in_loop(make: Callable[[], Any]) -> Iterator[Any]:
    """A loop of its own, kept over the rounds; `make` runs inside it."""
    loop = asyncio.new_event_loop()

    async def build() -> Any:
        return make()

    try:
        yield loop, loop.run_until_complete(build())
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def ours(at_once: int) -> Candidate:
    """Received, handled and deleted; at most `at_once` a receive."""

    @contextmanager
    def candidate() -> Iterator[Run]:
        with trunkline.open() as engine:
            sender = engine.queue("bench")
            with _in_loop(lambda: aio.wrap(engine).queue("bench")) as (loop, queue):
                producer = Producer(sender.send)

                async def take() -> int:
                    messages = await queue.receive(at_once, wait=20)
                    for message in messages:
                        await message.delete()
                    return len(messages)

                async def take_tens() -> int:
                    messages = await queue.receive(at_once, wait=20)
                    await queue.delete_batch(messages)
                    return len(messages)

                chosen = take if at_once == 1 else take_tens
                yield lambda: loop.run_until_complete(_bursts(producer, chosen))
                producer.end()

    return candidate


@contextmanager
def janus_queue() -> Iterator[Run]:
    """The usual bridge between threads and asyncio."""
    try:
        import janus
    except ImportError:
        raise NotInstalled("janus") from None
    with _in_loop(janus.Queue) as (loop, queue):
        producer = Producer(queue.sync_q.put)

        async def take() -> int:
            await queue.async_q.get()
            return 1

        yield lambda: loop.run_until_complete(_bursts(producer, take))
        producer.end()
        queue.close()
        loop.run_until_complete(queue.wait_closed())


@contextmanager
def culsans_queue() -> Iterator[Run]:
    """Its faster relative."""
    try:
        import culsans
    except ImportError:
        raise NotInstalled("culsans") from None
    with _in_loop(culsans.Queue) as (loop, queue):
        producer = Producer(queue.sync_q.put)

        async def take() -> int:
            await queue.async_q.get()
            return 1

        yield lambda: loop.run_until_complete(_bursts(producer, take))
        producer.end()
        queue.close()


def contests() -> list[Contest]:
    """The rows of this file."""
    peers: dict[str, Candidate] = {"janus": janus_queue, "culsans": culsans_queue}
    return [
        Contest(
            name="asyncio/one-by-one",
            title="thread to asyncio, bursts of 1,000, one by one",
            payload="100 B",
            durability="memory",
            candidates={OURS: ours(1), **peers},
            at_least={"janus": 6.0, "culsans": 2.5},
        ),
        Contest(
            name="asyncio/in-tens",
            title="the same, received in tens",
            payload="100 B",
            durability="memory",
            candidates={OURS: ours(TENS), **peers},
            at_least={"janus": 14.0, "culsans": 6.0},
        ),
    ]
