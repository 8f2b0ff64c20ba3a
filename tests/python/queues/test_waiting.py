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
from waiting import until, until_waiting


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
    assert 0.14 < time.monotonic() - start < 30


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
    thread.join(18)
    assert time.monotonic() - start < 18
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
    thread, answer = in_thread(lambda: queue.receive(wait=20))
    until_waiting(queue)
    queue.send("a")
    thread.join(30)
    assert [message.text() for message in answer[0]] == ["a"]


def test_closing_the_engine_ends_every_wait():
    engine = trunkline.open()
    queue = engine.queue("q")
    thread, answer = in_thread(lambda: queue.receive(wait=20))
    until_waiting(queue)
    engine.close()
    thread.join(18)
    assert isinstance(answer[0], trunkline.EngineClosed)


def test_removing_the_queue_ends_every_wait(queue):
    thread, answer = in_thread(lambda: queue.receive(wait=20))
    until_waiting(queue)
    queue.remove()
    thread.join(18)
    assert isinstance(answer[0], trunkline.QueueDoesNotExist)


def test_advancing_a_virtual_clock_ends_a_wait_and_brings_what_fell_due():
    clock = trunkline.VirtualClock()
    queue = trunkline.open(clock=clock).queue("q")
    empty = in_thread(lambda: queue.receive(wait=20))
    until_waiting(queue)
    clock.advance(20)
    empty[0].join(18)
    assert empty[1] == [[]]
    queue.send("later", delay=60)
    due = in_thread(lambda: queue.receive(wait=300))
    until_waiting(queue)
    clock.advance(60)
    due[0].join(30)
    assert [message.text() for message in due[1][0]] == ["later"]


def test_a_wait_on_a_virtual_clock_that_stands_still_ends_in_real_time():
    queue = trunkline.open(clock=trunkline.VirtualClock()).queue("q")
    start = time.monotonic()
    assert queue.receive(wait=0.2) == []
    assert time.monotonic() - start < 30


INTERRUPTED = """
import signal, sys, threading, time, os
import trunkline
# A shell starts background jobs with this signal ignored, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
queue = trunkline.open().queue("q")

def interrupt():
    while not queue._core.waiting:
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=interrupt).start()
start = time.monotonic()
try:
    queue.receive(wait=120)
except KeyboardInterrupt:
    print(f"{time.monotonic() - start:.3f}")
queue.send("after")
print(len(queue.receive()))
"""


def test_control_c_ends_a_wait_at_once_and_swallows_nothing():
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=150, check=True
    )
    late, received = done.stdout.split()
    assert float(late) < 60
    assert received == "1"


def test_a_handler_of_a_signal_runs_while_a_receive_waits(queue):
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("only the main thread handles signals")
    seen = []

    def interrupt():
        until_waiting(queue)
        os.kill(os.getpid(), signal.SIGUSR1)
        until(lambda: seen)
        queue.send("after")

    previous = signal.signal(signal.SIGUSR1, lambda *_: seen.append(queue._core.waiting))
    try:
        thread, _ = in_thread(interrupt)
        # The handler ran before the message was sent, and the receive went on.
        assert [message.text() for message in queue.receive(wait=60)] == ["after"]
        assert len(seen) == 1
        thread.join(30)
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
        # A send that kept the interpreter while it waits would leave no turn for this one.
        until(lambda: queue.statistics().visible > 100)
        stop.set()
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive()
