"""Deliveries that leave the engine, over HTTP and to functions."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import trunkline
from tests.waiting import until
from trunkline._core import LeasedDelivery
from trunkline._outbox import IDLE_MS, DestinationWorker, Refused
from trunkline.errors import InvalidParameterValue, QueueNameExists

Answering = Callable[..., "Hook"]


class Hook:
    """An endpoint on loopback: answers one status after the other, and remembers what came."""

    def __init__(self, statuses: tuple[int, ...]) -> None:
        self.requests: list[tuple[str, str, bytes]] = []
        hook, left = self, list(statuses)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                kind = self.headers.get("x-kind", "")
                hook.requests.append((self.path, kind, self.rfile.read(length)))
                self.send_response(left.pop(0) if len(left) > 1 else left[0])
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def answering() -> Iterator[Answering]:
    hooks: list[Hook] = []

    def start(*statuses: int) -> Hook:
        hooks.append(Hook(statuses))
        return hooks[-1]

    yield start
    for hook in hooks:
        hook.server.shutdown()
        hook.server.server_close()


@pytest.fixture
def clock() -> trunkline.VirtualClock:
    return trunkline.VirtualClock()


@pytest.fixture
def engine(clock: trunkline.VirtualClock) -> Iterator[trunkline.Engine]:
    with trunkline.open(clock=clock) as engine:
        yield engine


def test_a_delivery_is_posted_with_its_headers(
    engine: trunkline.Engine, clock: trunkline.VirtualClock, answering: Answering
) -> None:
    hook = answering(200)
    destination = engine._outbox.http("hook", hook.url, headers={"x-kind": "order"})
    destination.deliver("one coffee")
    clock.advance(0)
    assert hook.requests == [("/hook", "order", b"one coffee")]
    assert destination.statistics()["delivered"] == 1


def test_a_failed_delivery_is_repeated_as_its_table_says(
    engine: trunkline.Engine, clock: trunkline.VirtualClock, answering: Answering
) -> None:
    hook = answering(503, 503, 200)
    destination = engine._outbox.http("hook", hook.url)
    destination.deliver("one coffee")
    for seconds, attempts in [(0, 1), (19, 1), (1, 2), (20, 3), (3_600, 3)]:
        clock.advance(seconds)
        assert len(hook.requests) == attempts
    assert destination.statistics()["retried"] == 2


def test_what_is_refused_goes_to_the_dead_letter_queue(
    engine: trunkline.Engine, clock: trunkline.VirtualClock, answering: Answering
) -> None:
    dead = engine.queue("dead")
    destination = engine._outbox.http("hook", answering(404).url, dead_letter=dead)
    destination.deliver("one coffee")
    clock.advance(0)
    (message,) = dead.receive()
    assert message.text() == "one coffee"
    assert message.attributes == {
        "ERROR_MESSAGE": "the endpoint answered 404",
        "EXHAUSTED_RETRY_CONDITION": "the destination refused it",
        "RETRY_ATTEMPTS": "0",
    }


def test_functions_handle_deliveries_and_a_virtual_clock_waits_for_them(
    engine: trunkline.Engine, clock: trunkline.VirtualClock
) -> None:
    destination = engine._outbox.handler("orders")
    seen: list[tuple[bytes, int]] = []

    def handle(delivery: LeasedDelivery) -> None:
        seen.append((delivery.body, delivery.attempt))
        if delivery.body == b"bad":
            raise Refused("it is no order")
        if delivery.attempt < 5:
            raise RuntimeError("the kitchen is closed")

    with destination.handle(handle, threads=2):
        destination.deliver("good")
        destination.deliver("bad")
        clock.advance(60)
    assert sorted(seen) == [(b"bad", 1), *((b"good", attempt) for attempt in range(1, 6))]
    (failure,) = destination.failures()
    assert (failure["reason"], failure["why"]) == (
        "the destination refused it",
        "it is no order",
    )
    assert destination.statistics() == {
        "due": 0,
        "leased": 0,
        "delivered": 1,
        "retried": 4,
        "dead_lettered": 0,
        "failed": 1,
    }


def test_what_waits_survives_the_engine(tmp_path: Path, clock: trunkline.VirtualClock) -> None:
    with trunkline.open(tmp_path, clock=clock) as engine:
        engine._outbox.handler("orders").deliver("one coffee")
    with trunkline.open(tmp_path, clock=clock) as engine:
        destination = engine._outbox.find("orders")
        assert destination is not None
        seen: list[bytes] = []
        with destination.handle(lambda delivery: seen.append(delivery.body)):
            clock.advance(0)
        assert seen == [b"one coffee"]
        assert engine.queues() == []
        assert [found.name for found in engine._outbox.destinations()] == ["orders"]
        destination.remove()
        assert engine._outbox.find("orders") is None


def test_what_cannot_work_is_refused_by_name(engine: trunkline.Engine) -> None:
    outbox, fifo = engine._outbox, engine.queue("dead.fifo")
    for url, says in [("ftp://x/", "http://"), ("http://u:p@x/", "Authorization")]:
        with pytest.raises(InvalidParameterValue, match=says):
            outbox.http("x", url)
    with pytest.raises(InvalidParameterValue, match="x evil"):
        outbox.http("x", "http://localhost/", headers={"x evil": "1"})
    with pytest.raises(InvalidParameterValue, match="timeout"):
        outbox.http("x", "http://localhost/", timeout=0)
    with pytest.raises(InvalidParameterValue, match="concurrency"):
        outbox.http("x", "http://localhost/", concurrency=0)
    with pytest.raises(InvalidParameterValue, match="standard queue"):
        outbox.handler("x", dead_letter=fifo)
    outbox.handler("x")
    with pytest.raises(QueueNameExists):
        outbox.handler("x")


class IdleCore:
    """A handler's core without deliveries: notes how long each look waits, and waits for a stop."""

    def __init__(self) -> None:
        self.waits: list[int] = []
        self.is_stopped = threading.Event()

    def lease(self, max: int, wait: int) -> list[LeasedDelivery]:
        self.waits.append(wait)
        self.is_stopped.wait(30)
        return []

    def stop(self) -> None:
        self.is_stopped.set()


def test_a_worker_that_has_nothing_to_do_does_not_look_for_it() -> None:
    core = IdleCore()
    with DestinationWorker(core, print, 4, "idle"):  # type: ignore[arg-type]
        until(lambda: core.waits)
    assert core.waits == [IDLE_MS]


def test_a_worker_stops_at_once_though_it_waits_for_long(engine: trunkline.Engine) -> None:
    destination = engine._outbox.handler("functions")
    got = threading.Event()
    worker = destination.handle(lambda _: got.set())
    with worker:
        destination.deliver("one")
        assert got.wait(60)
        started = time.monotonic()
    assert time.monotonic() - started < IDLE_MS / 1_000 / 2
