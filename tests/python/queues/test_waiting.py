"""Receives that wait: what wakes them, and that other threads run meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

import trunkline
from waiting import until_waiting


@pytest.fixture
def queue():
    with trunkline.open() as engine:
        yield engine.queue("q")


def in_thread(call):
    """Run `call` in a thread; its answer is in the list once the thread has ended."""
    answer: list[object] = []

    def run() -> None:
        try:
            answer.append(call())
        except BaseException as error:
            answer.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, answer


def test_a_receive_waits_as_long_as_it_says_and_no_longer(queue):
    start = time.monotonic()
    assert queue.receive(wait=0.15) == []
    assert 0.14 < time.monotonic() - start < 5


@pytest.mark.parametrize("wakes", ["send", "batch", "release", "delay", "lease"])
def test_a_waiter_is_woken_by_whatever_makes_a_message_visible(queue, wakes):
    lease = None
    if wakes in ("release", "lease"):
        queue.send("a")
        (lease,) = queue.receive(visibility_timeout=0.2 if wakes == "lease" else 30)
    if wakes == "delay":
        queue.send("a", delay=0.2)
    thread, answer = in_thread(lambda: queue.receive(wait=20))
    if wakes not in ("delay", "lease"):  # these may have ended already on a slow machine
        until_waiting(queue)
    start = time.monotonic()
    if wakes == "send":
        queue.send("a")
    elif wakes == "batch":
        queue.send_batch(["a"])
    elif wakes == "release":
        lease.release()
    thread.join(10)
    assert time.monotonic() - start < 5
    assert [message.text() for message in answer[0]] == ["a"]


def test_one_message_ends_one_wait():
    clock = trunkline.VirtualClock()
    queue = trunkline.open(clock=clock).queue("q")
    waiting = [in_thread(lambda: queue.receive(wait=20)) for _ in range(5)]
    until_waiting(queue, 5)
    queue.send("a")
    until_waiting(queue, 4)
    clock.advance(20)
    for thread, _ in waiting:
        thread.join(10)
    assert sorted(len(answer[0]) for _, answer in waiting) == [0, 0, 0, 0, 1]


def test_others_run_while_one_waits(queue):
    thread, _ = in_thread(lambda: queue.receive(wait=0.3))
    count = 0
    while thread.is_alive():
        count += 1
    assert count > 1_000


def test_closing_the_engine_ends_every_wait():
    engine = trunkline.open()
    queue = engine.queue("q")
    thread, answer = in_thread(lambda: queue.receive(wait=20))
    until_waiting(queue)
    engine.close()
    thread.join(5)
    assert isinstance(answer[0], trunkline.EngineClosed)


def test_removing_the_queue_ends_every_wait(queue):
    thread, answer = in_thread(lambda: queue.receive(wait=20))
    until_waiting(queue)
    queue.remove()
    thread.join(5)
    assert isinstance(answer[0], trunkline.QueueDoesNotExist)


def test_advancing_a_virtual_clock_ends_a_wait_and_brings_what_fell_due():
    clock = trunkline.VirtualClock()
    queue = trunkline.open(clock=clock).queue("q")
    empty = in_thread(lambda: queue.receive(wait=20))
    until_waiting(queue)
    clock.advance(20)
    empty[0].join(5)
    assert empty[1] == [[]]
    queue.send("later", delay=60)
    due = in_thread(lambda: queue.receive(wait=300))
    until_waiting(queue)
    clock.advance(60)
    due[0].join(5)
    assert [message.text() for message in due[1][0]] == ["later"]


def test_a_wait_on_a_virtual_clock_nobody_advances_ends_in_real_time():
    queue = trunkline.open(clock=trunkline.VirtualClock()).queue("q")
    start = time.monotonic()
    assert queue.receive(wait=0.2) == []
    assert time.monotonic() - start < 5


INTERRUPTED = """
import signal, sys, threading, time, os
import trunkline
# A shell starts background jobs with this signal ignored, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
queue = trunkline.open().queue("q")
threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
start = time.monotonic()
try:
    queue.receive(wait=60)
except KeyboardInterrupt:
    print(f"{time.monotonic() - start - 0.3:.3f}")
queue.send("after")
print(len(queue.receive()))
"""


def test_control_c_ends_a_wait_at_once_and_swallows_nothing():
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=30, check=True
    )
    late, received = done.stdout.split()
    assert float(late) < 1
    assert received == "1"


def test_a_handler_of_a_signal_runs_while_a_receive_waits(queue):
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("only the main thread handles signals")
    seen = []
    previous = signal.signal(signal.SIGUSR1, lambda *_: seen.append(time.monotonic()))
    try:
        threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGUSR1)).start()
        start = time.monotonic()
        assert queue.receive(wait=0.6) == []
        assert seen
        assert seen[0] - start < 0.4
        assert time.monotonic() - start > 0.55
    finally:
        signal.signal(signal.SIGUSR1, previous)


@pytest.mark.parametrize("level", [None, "disk", "os", "memory"])
def test_others_run_while_one_waits_for_the_disk(tmp_path, level):
    with trunkline.open(tmp_path / "data") as engine:
        queue = engine.queue("q")
        stop = threading.Event()

        def send() -> None:
            while not stop.is_set():
                queue.send(bytes(1_000), durability=level)

        threads = [threading.Thread(target=send) for _ in range(3)]
        for thread in threads:
            thread.start()
        count, end = 0, time.monotonic() + 0.3
        while time.monotonic() < end:
            count += 1
        stop.set()
        for thread in threads:
            thread.join(10)
        assert count > 1_000
        assert queue.statistics().visible > 10
