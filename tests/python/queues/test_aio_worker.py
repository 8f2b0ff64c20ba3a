"""Workers on an event loop: the rules of the workers with threads."""

from __future__ import annotations

import asyncio
import logging

import pytest

import trunkline
import trunkline.aio
from waiting import tasks_until, tasks_waiting


@pytest.fixture(params=["memory", "disk"])
def engine(request, tmp_path):
    with trunkline.open(tmp_path / "data" if request.param == "disk" else None) as engine:
        yield engine


@pytest.fixture(autouse=True)
def _quiet():
    logger = logging.getLogger("trunkline")
    logger.disabled = True
    yield
    logger.disabled = False


def run(engine, main):
    return asyncio.run(main(trunkline.aio.wrap(engine).queue("q")))


def test_everything_is_handled_once_by_several_tasks(engine):
    engine.queue("q").send_batch([str(number) for number in range(200)])
    seen, together = [], asyncio.Barrier(8)

    async def handle(message):
        if int(message.text()) < 8:
            async with asyncio.timeout(30):
                await together.wait()
        seen.append(message.text())

    report = run(engine, lambda queue: queue.consume(handle, concurrency=8, until_empty=True))
    assert sorted(seen, key=int) == [str(number) for number in range(200)]
    assert (report.handled, report.failed) == (200, 0)
    assert engine.queue("q").statistics().total == 0


def test_failures_come_back_and_what_was_settled_is_left_alone(engine):
    engine.queue("q").send_batch(["good", "bad", "delete", "release"])
    tries = []

    async def handle(message):
        if message.text() == "bad":
            tries.append(message.receive_count)
            if len(tries) < 3:
                raise ValueError
        elif message.text() == "delete":
            await message.delete()
        elif message.text() == "release":
            await message.release(delay=60)

    report = run(engine, lambda queue: queue.consume(handle, until_empty=True))
    assert tries == [1, 2, 3]
    assert (report.handled, report.failed, report.released) == (3, 2, 1)
    assert [m.text() for m in engine.queue("q").peek(include_in_flight=True)] == ["release"]


def test_a_release_that_is_held_up_is_carried_out(engine):
    engine.queue("q").send("bad")
    engine.faults.delay("extend", 0.05, times=1)
    tries = []

    async def handle(message):
        tries.append(message.receive_count)
        if len(tries) == 1:
            raise ValueError

    report = run(engine, lambda queue: queue.consume(handle, until_empty=True))
    assert tries == [1, 2]
    assert (report.handled, report.failed, len(engine.faults)) == (1, 1, 0)


def test_a_batch_handler_says_which_failed(engine):
    engine.queue("q").send_batch(["a", "b", "c"])

    async def handle(messages):
        return [messages[0], messages[1].receipt]

    report = run(
        engine,
        lambda queue: queue.consume(
            handle, concurrency=1, batch_size=3, retry_delay=60, until_empty=True
        ),
    )
    assert (report.handled, report.failed) == (1, 2)


def test_leases_are_extended_while_the_handler_runs():
    clock = trunkline.VirtualClock()
    with trunkline.open(clock=clock) as engine:
        engine.queue("q").send("slow")
        runs = []

        async def handle(message):
            runs.append(message.receive_count)
            for _ in range(3):
                # The lease lasts 0.3 s, so it ends within two steps unless it is extended.
                clock.advance(0.2)
                # The second call begins when the first is done.
                engine.faults.delay("extend", 0, times=2)
                await tasks_until(lambda: len(engine.faults) == 0)

        run(
            engine,
            lambda queue: queue.consume(
                handle, concurrency=2, visibility_timeout=0.3, until_empty=True
            ),
        )
        assert runs == [1]


def test_stopping_finishes_what_is_in_hand(engine):
    async def main(queue):
        await queue.send_batch(["a", "b"])
        stop, started, go_on, done = (asyncio.Event() for _ in range(4))

        async def handle(message):
            started.set()
            await go_on.wait()
            done.set()

        task = asyncio.create_task(queue.consume(handle, concurrency=1, stop=stop))
        await started.wait()
        stop.set()
        await asyncio.sleep(0.05)
        assert not task.done()
        go_on.set()
        report = await asyncio.wait_for(task, 30)
        assert done.is_set()
        assert report.handled == 1
        assert queue.statistics().visible == 1

    run(engine, main)


def test_stopping_ends_a_receive_that_waits(engine):
    async def main(queue):
        stop = asyncio.Event()
        task = asyncio.create_task(queue.consume(never_handled, concurrency=4, stop=stop))
        await tasks_waiting(queue.sync, 4)
        stop.set()
        report = await asyncio.wait_for(task, 30)
        assert report.handled == 0

    run(engine, main)


async def never_handled(message):
    raise AssertionError("there is nothing to handle")


def test_cancelling_gives_back_what_is_in_hand(engine):
    async def main(queue):
        await queue.send("a")
        started = asyncio.Event()

        async def handle(message):
            started.set()
            await asyncio.sleep(60)

        task = asyncio.create_task(queue.consume(handle))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert queue.statistics().visible == 1
        assert len(asyncio.all_tasks()) == 1, "nothing is left running"

    run(engine, main)


@pytest.mark.parametrize("end", ["close", "remove"])
def test_closing_the_engine_or_removing_the_queue_ends_it(end):
    async def main():
        engine = trunkline.aio.open()
        queue = engine.queue("q")
        task = asyncio.create_task(queue.consume(never_handled, concurrency=4))
        await tasks_waiting(queue.sync, 4)
        await (engine.close() if end == "close" else queue.remove())
        assert (await asyncio.wait_for(task, 30)).handled == 0
        with pytest.raises((trunkline.EngineClosed, trunkline.QueueDoesNotExist)):
            await queue.consume(never_handled)

    asyncio.run(main())


def test_a_plain_function_is_no_handler(engine):
    engine.queue("q").send("a")
    with pytest.raises(TypeError, match="handler must be a coroutine function"):
        run(engine, lambda queue: queue.consume(lambda message: None))
    assert engine.queue("q").statistics().visible == 1


def test_it_waits_while_too_many_are_in_flight():
    async def main():
        limits = trunkline.Limits(standard_in_flight_max=1)
        async with trunkline.aio.open(limits=limits) as engine:
            queue = engine.queue("q")
            await queue.send_batch(["a", "b"])
            (held,) = await queue.receive()
            done = asyncio.Event()

            async def handle(message):
                done.set()

            task = asyncio.create_task(queue.consume(handle, until_empty=True))
            await asyncio.sleep(0.2)
            assert not task.done()
            await held.delete()
            await asyncio.wait_for(task, 30)
            assert done.is_set()

    asyncio.run(main())


def test_moves_and_sources_are_there_too(engine):
    async def main(dead):
        source = trunkline.aio.wrap(engine).queue("source", dead_letter="q", max_receive_count=1)
        assert [queue.name for queue in dead.dead_letter_sources()] == ["source"]
        await source.send_batch(["a", "b"])
        await source.receive(max=2, visibility_timeout=0)
        await source.receive(max=2)
        task = await dead.start_redrive()
        assert await task.wait(timeout=10) == "COMPLETED"
        assert (task.moved, task.total, task.failure) == (2, 2, None)
        assert [repr(move) for move in dead.redrive_tasks()] == [repr(task)]
        assert source.statistics().visible == 2

    run(engine, main)


def test_waiting_for_a_move_ends_with_it_or_with_the_time():
    async def asynchronous(task):
        return await trunkline.aio.RedriveTask(task).wait(timeout=0.05)

    with trunkline.open() as engine:
        dead = engine.queue("dead")
        source = engine.queue("source", dead_letter="dead", max_receive_count=1)
        source.send_batch(["x"] * 50)
        source.receive(max=50, visibility_timeout=0)
        source.receive(max=50)
        task = dead.start_redrive(rate=1)
        with pytest.raises(TimeoutError):
            task.wait(timeout=0.05)
        with pytest.raises(TimeoutError):
            asyncio.run(asynchronous(task))
        task.cancel()
        assert task.wait() == "CANCELLED"
        assert asyncio.run(asynchronous(task)) == "CANCELLED"
