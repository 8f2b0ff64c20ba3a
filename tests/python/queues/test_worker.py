"""Workers: leases stay alive, failures come back, stopping is graceful."""

from __future__ import annotations

import itertools
import logging
import signal
import subprocess
import sys
import threading

import pytest

import trunkline
from waiting import until, until_waiting


@pytest.fixture
def queue():
    with trunkline.open() as engine:
        yield engine.queue("q")


@pytest.fixture(autouse=True)
def _quiet():
    logger = logging.getLogger("trunkline")
    logger.disabled = True
    yield
    logger.disabled = False


def test_everything_is_handled_once_by_several_threads(queue):
    queue.send_batch([str(number) for number in range(500)])
    seen = []
    together = threading.Barrier(4)

    def handle(message):
        if int(message.text()) < 4:
            together.wait(30)
        seen.append(message.text())

    report = queue.consume(handle, concurrency=4, until_empty=True)
    assert sorted(seen, key=int) == [str(number) for number in range(500)]
    assert (report.handled, report.failed) == (500, 0)
    assert queue.statistics().total == 0


def test_a_failing_message_ends_among_the_dead_letters():
    with trunkline.open() as engine:
        dead = engine.queue("dead")
        queue = engine.queue("q", dead_letter=dead, max_receive_count=3)
        queue.send_batch(["good", "bad"])
        tries = []

        def handle(message):
            if message.text() == "bad":
                tries.append(message.receive_count)
                raise ValueError("bad")

        report = queue.consume(handle, concurrency=2, until_empty=True)
        assert tries == [1, 2, 3]
        assert (report.handled, report.failed) == (1, 3)
        assert [message.text() for message in dead.peek()] == ["bad"]
        assert dead.receive()[0].dead_letter_source == "q"


def test_a_failure_is_logged_with_its_traceback(queue, caplog):
    logging.getLogger("trunkline").disabled = False
    queue.configure(visibility_timeout=30)
    queue.send("bad")

    def handle(message):
        raise ValueError("words")

    queue.consume(handle, concurrency=1, retry_delay=60, until_empty=True)
    (record,) = caplog.records
    assert "queue q" in record.getMessage()
    assert record.exc_info[0] is ValueError
    assert queue.statistics().in_flight == 1


def test_leases_are_extended_while_the_handler_runs():
    clock = trunkline.VirtualClock()
    with trunkline.open(clock=clock) as engine:
        queue = engine.queue("q")
        queue.send("slow")
        runs = []

        def handle(message):
            runs.append(message.receive_count)
            for _ in range(3):
                # The lease lasts 0.3 s, so it ends within two steps unless it is extended.
                clock.advance(0.2)
                # The second call begins when the first is done.
                engine.faults.delay("extend", 0, times=2)
                until(lambda: len(engine.faults) == 0)

        queue.consume(handle, concurrency=2, visibility_timeout=0.3, until_empty=True)
        assert runs == [1]
        assert queue.statistics().total == 0


def test_a_batch_handler_says_which_failed(queue):
    queue.send_batch([str(number) for number in range(10)])
    rounds = []

    def handle(messages):
        rounds.append(sorted(int(message.text()) for message in messages))
        if len(rounds) == 1:
            # By message and by receipt.
            odd = [message for message in messages if int(message.text()) % 2]
            return [*odd[:2], *(message.receipt for message in odd[2:])]
        return None

    report = queue.consume(handle, concurrency=1, batch_size=10, until_empty=True)
    assert rounds == [list(range(10)), [1, 3, 5, 7, 9]]
    assert (report.handled, report.failed) == (10, 5)


def test_a_batch_handler_that_raises_fails_the_whole_batch(queue):
    queue.send_batch(["a", "b"])
    calls = []

    def handle(messages):
        calls.append(len(messages))
        if len(calls) == 1:
            raise ValueError

    report = queue.consume(handle, concurrency=1, batch_size=10, until_empty=True)
    assert calls == [2, 2]
    assert (report.handled, report.failed) == (2, 2)


def test_a_batch_handler_that_answers_nonsense_fails_the_batch(queue):
    queue.send("a")
    answers = iter([[7], None])
    report = queue.consume(lambda _: next(answers), concurrency=1, batch_size=2, until_empty=True)
    assert (report.handled, report.failed) == (1, 1)


def test_stopping_finishes_what_is_in_hand(queue):
    queue.send_batch(["a", "b", "c"])
    started, go_on = threading.Event(), threading.Event()
    done = []

    def handle(message):
        started.set()
        go_on.wait(10)
        done.append(message.text())

    worker = trunkline.Worker(queue, handle, concurrency=1)
    worker.start()
    assert started.wait(10)
    worker.stop()
    assert not worker.join(timeout=0.05)
    go_on.set()
    assert worker.join(timeout=10)
    assert done == ["a"]
    assert queue.statistics().visible == 2
    with pytest.raises(RuntimeError, match="make a new one"):
        worker.start()


def test_leaving_the_program_from_a_handler_stops_the_worker(queue):
    queue.send_batch(["a", "b"])

    def handle(message):
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        queue.consume(handle, concurrency=1)
    assert queue.statistics().visible == 2


def test_closing_the_engine_or_removing_the_queue_ends_a_worker():
    for end in ("close", "remove"):
        engine = trunkline.open()
        queue = engine.queue("q")
        with trunkline.Worker(queue, print, concurrency=2) as worker:
            until_waiting(queue, 2)
            engine.close() if end == "close" else queue.remove()
            assert worker.join(30)
        engine.close()


SERVICE = """
import os, signal, sys, threading, time
import trunkline
# A shell starts background jobs with this signal ignored, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

queue = trunkline.open().queue("q")
queue.send_batch(["slow", "next"])

worker = None

def handle(message):
    print("started", flush=True)
    os.kill(os.getpid(), getattr(signal, sys.argv[1]))
    assert worker._stopping.wait(30)
    print("finished", flush=True)

try:
    worker = trunkline.Worker(queue, handle, concurrency=1)
    report = worker.run()
    print(report, flush=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
print(queue.statistics().visible, flush=True)
print(signal.getsignal(signal.SIGTERM) == signal.SIG_DFL)
"""


@pytest.mark.parametrize(
    ("how", "last"),
    [("SIGTERM", "<ConsumeReport: 1 handled, 0 failed>"), ("SIGINT", "interrupted")],
)
def test_a_signal_stops_a_worker_after_what_is_in_hand(how, last):
    done = subprocess.run(
        [sys.executable, "-c", SERVICE, how], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines() == ["started", "finished", last, "1", "True"]


def test_a_worker_outside_the_main_thread_leaves_signals_alone(queue):
    queue.send("a")
    before = signal.getsignal(signal.SIGTERM)
    reports = []
    thread = threading.Thread(
        target=lambda: reports.append(queue.consume(lambda _: None, until_empty=True))
    )
    thread.start()
    thread.join(10)
    assert reports[0].handled == 1
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_worker_does_not_start_where_there_is_no_queue(queue):
    removed = queue.engine.queue("removed")
    removed.remove()
    with pytest.raises(trunkline.QueueDoesNotExist):
        removed.consume(lambda _: None, until_empty=True)
    queue.engine.close()
    with pytest.raises(trunkline.EngineClosed):
        queue.consume(lambda _: None, until_empty=True)


def test_an_interrupt_while_the_threads_start_stops_those_that_run(queue, monkeypatch):
    queue.send("a")
    starts, start = itertools.count(), threading.Thread.start

    def interrupted(thread):
        if next(starts) == 2:
            raise KeyboardInterrupt
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    worker = trunkline.Worker(queue, lambda _: None, concurrency=4)
    with pytest.raises(KeyboardInterrupt):
        worker.run()
    assert [thread.is_alive() for thread in worker._threads] == [False] * 5
    assert queue.statistics().in_flight == 0
