"""Topics and event buses: against sends, event buses of PyPI, and themselves with many rules."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import trunkline
from trunkline.bench.contest import OURS, Candidate, Contest, NotInstalled, Run
from trunkline.bench.peers import bytes_written, scratch

BODY = b"x" * 100
MESSAGES = 10_000
FAN = 1_000
FAN_ROUNDS = 5
FEW = 10
EVENT: dict[str, Any] = {
    "source": "shop",
    "detail-type": "OrderPlaced",
    "detail": {"state": "paid", "order": "order-1"},
}


def _timed(work: Callable[[], object], count: int, per: int = 1) -> float:
    started = perf_counter()
    for _ in range(count):
        work()
    return (perf_counter() - started) / (count * per)


@contextmanager
def publish_one() -> Iterator[Run]:
    """A topic with one queue."""
    with trunkline.open() as engine:
        topic, queue = engine.topic("bench"), engine.queue("bench")
        topic.subscribe(queue)

        def run() -> float:
            seconds = _timed(lambda: topic.publish(BODY), MESSAGES)
            queue.delete_batch(queue.receive(10))
            return seconds

        yield run


@contextmanager
def send_two() -> Iterator[Run]:
    """Two sends to a queue."""
    with trunkline.open() as engine:
        queue = engine.queue("bench")

        def two() -> None:
            queue.send(BODY)
            queue.send(BODY)

        yield lambda: _timed(two, MESSAGES)


@contextmanager
def publish_wide(base: Path | None) -> Iterator[Run]:
    """One publish to 1,000 queues."""
    with _engine(base) as engine:
        topic = engine.topic("bench")
        for number in range(FAN):
            topic.subscribe(engine.queue(f"q{number}"))
        yield lambda: _timed(lambda: topic.publish(BODY), FAN_ROUNDS, FAN)


@contextmanager
def send_wide(base: Path | None) -> Iterator[Run]:
    """1,000 sends of the same body: one by one in memory, in one batch on disk."""
    with _engine(base) as engine:
        queue = engine.queue("bench")
        bodies = [BODY] * FAN
        if base is not None:
            yield lambda: _timed(lambda: queue.send_batch(bodies), FAN_ROUNDS, FAN)
        else:
            yield lambda: _timed(lambda: queue.send(BODY), FAN_ROUNDS * FAN)


@contextmanager
def wide_bytes(work: str, base: Path) -> Iterator[Run]:
    """Bytes that a publish to 1,000 queues, or a batch of 1,000 sends, writes."""
    written = bytes_written()
    with _engine(base) as engine:
        topic, queue, bodies = engine.topic("bench"), engine.queue("bench"), [BODY] * FAN
        if work == "publish":
            for number in range(FAN):
                topic.subscribe(engine.queue(f"q{number}"))

        def run() -> float:
            before = written()
            if work == "publish":
                topic.publish(BODY)
            else:
                queue.send_batch(bodies)
            engine.flush()
            return (written() - before) / FAN

        yield run


def _filtered(count: int) -> Candidate:
    @contextmanager
    def candidate() -> Iterator[Run]:
        with trunkline.open() as engine:
            topic = engine.topic("bench")
            for number in range(count):
                policy = {"order": [f"order-{number}"]}
                topic.subscribe(engine.queue(f"q{number}"), filter=policy)
            attributes = {"order": "order-1"}
            assert topic.publish(BODY, attributes=attributes).matched == 1
            yield lambda: _timed(lambda: topic.publish(BODY, attributes=attributes), MESSAGES)

    return candidate


def _rules(count: int) -> Candidate:
    @contextmanager
    def candidate() -> Iterator[Run]:
        with trunkline.open() as engine:
            bus, queue = engine.bus("bench"), engine.queue("bench")
            for number in range(1, count + 1):
                pattern = {"detail": {"state": ["paid"], "order": [f"order-{number}"]}}
                bus.rule(f"r{number}", pattern, queue)
            assert bus.put(EVENT).matched == 1
            yield lambda: _timed(lambda: bus.put(EVENT), MESSAGES)

    return candidate


@contextmanager
def blinker_send() -> Iterator[Run]:
    """A signal whose receiver looks into the event itself and keeps it in a list."""
    try:
        from blinker import Signal
    except ImportError:
        raise NotInstalled("blinker") from None
    signal, kept = Signal(), []

    def receiver(sender: object, event: dict[str, Any]) -> None:
        detail = event["detail"]
        if detail["state"] == "paid" and detail["order"] == "order-1":
            kept.append(event)

    signal.connect(receiver)

    def run() -> float:
        kept.clear()
        seconds = _timed(lambda: signal.send("shop", event=dict(EVENT)), MESSAGES)
        assert len(kept) == MESSAGES
        return seconds

    yield run


@contextmanager
def aioreactive_filter() -> Iterator[Run]:
    """A subject, a filter by content, and an observer that keeps the event in a list."""
    try:
        import aioreactive as rx
    except ImportError:
        raise NotInstalled("aioreactive") from None
    kept: list[dict[str, Any]] = []

    async def keep(event: dict[str, Any]) -> None:
        kept.append(event)

    def matches(event: dict[str, Any]) -> bool:
        return bool(event["detail"]["state"] == "paid" and event["detail"]["order"] == "order-1")

    async def work() -> float:
        kept.clear()
        subject: Any = rx.AsyncSubject()
        filtered = rx.pipe(subject, rx.filter(matches))
        async with await filtered.subscribe_async(rx.AsyncAnonymousObserver(keep)):
            started = perf_counter()
            for _ in range(MESSAGES):
                await subject.asend(dict(EVENT))
            while len(kept) < MESSAGES:
                await asyncio.sleep(0)
            return (perf_counter() - started) / MESSAGES

    with asyncio.Runner() as runner:
        yield lambda: runner.run(work())


@contextmanager
def bubus_dispatch() -> Iterator[Run]:
    """An event of its own class, dispatched and awaited; the handler looks into it."""
    try:
        from bubus import BaseEvent, EventBus
    except ImportError:
        raise NotInstalled("bubus") from None
    count, kept = MESSAGES // 50, []

    class OrderPlaced(BaseEvent):  # type: ignore[misc, type-arg, unused-ignore]
        state: str
        order: str

    async def keep(event: Any) -> None:
        if event.state == "paid" and event.order == "order-1":
            kept.append(event)

    async def work() -> float:
        kept.clear()
        bus = EventBus()
        bus.on(OrderPlaced, keep)
        started = perf_counter()
        for _ in range(count):
            await bus.dispatch(OrderPlaced(state="paid", order="order-1"))
        seconds = (perf_counter() - started) / count
        assert len(kept) == count
        await bus.stop()
        return seconds

    with asyncio.Runner() as runner:
        yield lambda: runner.run(work())


@contextmanager
def _engine(base: Path | None) -> Iterator[trunkline.Engine]:
    if base is None:
        with trunkline.open() as engine:
            yield engine
    else:
        with scratch(base) as folder, trunkline.open(folder / "data") as engine:
            yield engine


def contests(base: Path, many: int) -> list[Contest]:
    """The rows of this file; `many` is how many rules and subscriptions the large sets have."""
    few, one = f"itself with {FEW}", "itself with 1 rule"
    half = max(many // 100, 2)
    rows: list[tuple[str, str, str, dict[str, Candidate], dict[str, float]]] = [
        ("topic/one-queue", "publish to 1 queue", "memory",
         {OURS: publish_one, "two queue sends": send_two}, {"two queue sends": 1 / 1.5}),
        ("topic/fan-out", "publish to 1,000 queues, a queue", "memory",
         {OURS: partial(publish_wide, None), "1,000 sends": partial(send_wide, None)},
         {"1,000 sends": 1 / 0.35}),
        ("topic/fan-out-disk", "publish to 1,000 queues, a queue", "disk",
         {OURS: partial(publish_wide, base), "a batch of 1,000": partial(send_wide, base)}, {}),
        ("topic/fan-out-bytes", "bytes of a publish to 1,000 queues, a queue", "disk",
         {OURS: partial(wide_bytes, "publish", base),
          "a batch of 1,000": partial(wide_bytes, "send", base)}, {"a batch of 1,000": 5.0}),
        ("topic/filtered", f"publish with {many:,} filters, 1 matches", "memory",
         {OURS: _filtered(many), few: _filtered(FEW)}, {few: 0.5}),
        ("bus/one-rule", "put with 1 rule, a queue as target", "memory",
         {OURS: _rules(1), "bubus": bubus_dispatch, "aioreactive": aioreactive_filter,
          "blinker": blinker_send}, {"bubus": 1.0, "aioreactive": 1.0}),
        ("bus/some-rules", f"put with {half:,} rules", "memory",
         {OURS: _rules(half), one: _rules(1)}, {one: 0.5}),
        ("bus/many-rules", f"put with {many:,} rules", "memory",
         {OURS: _rules(many), one: _rules(1)}, {one: 0.5}),
    ]  # fmt: skip
    return [
        Contest(
            name,
            title,
            "100 B",
            durability,
            candidates,
            goals,
            unit="B" if "bytes" in name else "ns",
        )
        for name, title, durability, candidates, goals in rows
    ]
