"""Handlers: the worker leaves what they settled, and refuses what cannot be a handler."""

from __future__ import annotations

import asyncio
import functools
import gc
import threading
import time
from itertools import pairwise

import pytest

import trunkline


@pytest.fixture
def queue():
    with trunkline.open() as engine:
        yield engine.queue("q")


def in_a_block(message):
    with message:
        message.release(delay=60)


@pytest.mark.parametrize("handler", [lambda m: m.release(delay=60), in_a_block])
def test_what_the_handler_released_is_not_deleted(queue, handler):
    queue.send("a")
    report = queue.consume(handler, concurrency=1, until_empty=True)
    assert (report.handled, report.failed, report.released) == (0, 0, 1)
    assert queue.statistics().in_flight == 1
    assert repr(report) == "<ConsumeReport: 0 handled, 0 failed, 1 released>"


def test_what_the_handler_deleted_counts_as_handled_and_is_not_given_back(queue):
    queue.send_batch(["good", "bad"])

    def handle(message):
        message.delete()
        if message.text() == "bad":
            raise ValueError

    report = queue.consume(handle, concurrency=1, until_empty=True)
    assert (report.handled, report.failed, report.released) == (1, 1, 0)
    assert queue.statistics().total == 0


def test_what_a_batch_handler_settled_is_left_alone(queue):
    queue.send_batch(["keep", "delete", "fail", "plain"])
    rounds = []

    def handle(messages):
        rounds.append(sorted(message.text() for message in messages))
        by_text = {message.text(): message for message in messages}
        by_text["keep"].release(delay=60)
        by_text["delete"].delete()
        return [by_text["keep"], by_text["fail"]]

    report = queue.consume(handle, concurrency=1, batch_size=4, retry_delay=60, until_empty=True)
    assert rounds == [["delete", "fail", "keep", "plain"]]
    assert (report.handled, report.failed, report.released) == (2, 2, 0)
    assert sorted(m.text() for m in queue.peek(include_in_flight=True)) == ["fail", "keep"]


def test_a_fifo_group_goes_on_with_what_the_handler_released():
    with trunkline.open() as engine:
        queue = engine.queue("q.fifo", content_based_dedup=True)
        queue.send_batch([trunkline.SendEntry(text, group="g") for text in ("a", "b")])
        seen = []

        def handle(message):
            seen.append(message.text())
            if len(seen) == 1:
                message.release()

        queue.consume(handle, concurrency=1, until_empty=True)
        assert seen == ["a", "a", "b"]


async def coroutine(message):
    raise AssertionError("this is never awaited")


class Callable:
    async def __call__(self, message):
        raise AssertionError("this is never awaited")


def generator(message):
    yield message


@pytest.mark.parametrize(
    "handler",
    [coroutine, functools.partial(coroutine), Callable(), generator],
    ids=["coroutine function", "partial", "callable", "generator function"],
)
def test_what_would_do_nothing_when_called_is_no_handler(queue, handler):
    queue.send("a")
    with pytest.raises(TypeError, match="handler must be a plain function"):
        queue.consume(handler, until_empty=True)
    assert queue.statistics().visible == 1


@pytest.mark.parametrize("batch_size", [1, 5])
def test_an_awaitable_answer_ends_the_worker_and_deletes_nothing(queue, batch_size):
    queue.send("a")
    with pytest.raises(TypeError, match=r"awaitable \(coroutine\)"):
        queue.consume(lambda it: coroutine(it), concurrency=1, batch_size=batch_size)
    assert queue.statistics().visible == 1
    # A coroutine that was never awaited would warn when it is collected.
    gc.collect()


def test_an_awaitable_that_cannot_be_closed_is_refused_too(queue):
    queue.send("a")
    loop = asyncio.new_event_loop()
    try:
        with pytest.raises(TypeError, match=r"awaitable \(Future\)"):
            queue.consume(lambda _: loop.create_future(), concurrency=1)
    finally:
        loop.close()


def test_a_generator_may_name_the_failed_ones_of_a_batch(queue):
    queue.send_batch(["a", "b"])

    def handle(messages):
        yield from (message for message in messages if message.text() == "b")

    report = queue.consume(handle, concurrency=1, batch_size=2, retry_delay=60, until_empty=True)
    assert (report.handled, report.failed) == (1, 1)


def test_a_late_heartbeat_does_not_undo_a_retry_delay():
    """The beat is under way when the handler fails, and lands when the message was given back."""
    queue = trunkline.open(clock=trunkline.VirtualClock()).queue("q")
    queue.send("a")
    beating, failed = threading.Event(), threading.Event()
    core = queue._core

    class LateCore:
        def begin_extend_unsettled(self, messages, lease):
            beating.set()
            assert failed.wait(60)
            return core.begin_extend_unsettled(messages, lease)

        def begin_release_unsettled(self, messages, delays):
            begun = core.begin_release_unsettled(messages, delays)
            failed.set()
            return begun

        def __getattr__(self, name):
            return getattr(core, name)

    def handle(message):
        assert beating.wait(60)
        raise ValueError

    queue._core = LateCore()
    worker = trunkline.Worker(
        queue, handle, concurrency=1, visibility_timeout=0.1, retry_delay=3_600
    )
    with worker:
        assert failed.wait(60)
    assert queue.statistics().in_flight == 1
    assert queue.receive(wait=0.3) == [], "the retry delay holds"


def test_a_late_heartbeat_does_not_undo_a_release(queue):
    queue.send("a")
    (message,) = queue.receive()
    queue._core.begin_extend_unsettled([message], 0)
    assert queue.statistics().visible == 1, "a beat changes the lease of what is in hand"
    (message,) = queue.receive()
    message.release(delay=60)
    queue._core.begin_extend_unsettled([message], 0)
    assert queue.statistics().in_flight == 1, "and leaves alone what is not"


def test_a_worker_waits_while_too_many_are_in_flight():
    with trunkline.open(limits=trunkline.Limits(standard_in_flight_max=2)) as engine:
        queue = engine.queue("q")
        queue.send_batch(["a", "b", "c"])
        held = queue.receive(max=2)
        done = threading.Event()
        with trunkline.Worker(queue, lambda _: done.set(), concurrency=2) as worker:
            assert not done.wait(0.2)
            assert not worker.join(timeout=0)
            queue.delete_batch(held)
            assert done.wait(60)


def test_joining_waits_no_longer_than_it_was_told(queue):
    queue.send_batch(["a", "b", "c", "d"])
    go_on = threading.Event()
    waits = []
    worker = trunkline.Worker(queue, lambda _: go_on.wait(60), concurrency=4)
    worker.start()

    class Slow(threading.Thread):
        joined = False

        def join(self, timeout=None):
            waits.append(timeout)
            time.sleep(0.05)
            self.joined = True

        def is_alive(self):
            return not self.joined

    worker._threads[:0] = [Slow(), Slow()]
    assert not worker.join(timeout=0.2)
    assert waits[1] <= 0.15
    go_on.set()
    worker.stop()
    assert worker.join()


def test_a_message_that_fails_for_ever_is_tried_later_and_later(caplog):
    clock = trunkline.VirtualClock()
    with trunkline.open(clock=clock) as engine:
        queue = engine.queue("q")
        queue.send("poison")
        tries = []

        def handle(message):
            tries.append(clock.now)
            raise ValueError

        for _ in range(24):
            queue.consume(handle, concurrency=1, until_empty=True)
            while queue.statistics().visible == 0:
                clock.advance(0.1)
        pauses = [round(later - earlier, 1) for earlier, later in pairwise(tries)]
        assert pauses[:14] == [*[0.0] * 10, 0.1, 0.2, 0.4, 0.8]
        assert pauses[20:] == [60.0] * 13
        # The first ten times, then each power of two.
        assert len(caplog.records) == 10 + 2, "16 and 32"


def test_a_retry_delay_may_be_a_function_of_the_message(queue):
    queue.send_batch(["5", "7"])

    def handle(message):
        raise ValueError

    asked = []

    def delay(message):
        asked.append(message.text())
        return int(message.text()) * 60

    queue.consume(handle, concurrency=1, retry_delay=delay, until_empty=True)
    assert asked == ["5", "7"]
    assert queue.statistics().in_flight == 2


def test_a_retry_delay_that_is_no_time_ends_the_worker(queue):
    queue.send("a")
    with pytest.raises(trunkline.InvalidParameterValue, match="retry_delay"):
        queue.consume(lambda _: 1 / 0, concurrency=1, retry_delay=lambda _: -1)
