"""asyncio: verbs that wait are coroutines, cancelling loses nothing, loops and threads mix."""

from __future__ import annotations

import asyncio
import selectors
import threading
import time

import pytest

import trunkline
from trunkline import aio
from waiting import tasks_waiting


def run(coroutine):
    """Run a coroutine that must end soon."""

    async def limited():
        return await asyncio.wait_for(coroutine, 120)

    return asyncio.run(limited())


@pytest.fixture
def engine():
    with trunkline.open() as engine:
        yield engine


def test_the_whole_life_of_a_message():
    async def main():
        async with aio.open() as engine:
            queue = engine.queue("orders")
            sent = await queue.send("one", attributes={"n": 1})
            (message,) = await queue.receive(wait=20)
            assert message.message_id == sent.message_id
            assert (message.body, message.attributes) == (b"one", {"n": 1})
            await message.extend(60)
            async with message:
                pass
            assert queue.statistics().total == 0
            await queue.send("two")
            (message,) = await queue.receive()
            with pytest.raises(KeyError):
                async with message:
                    raise KeyError
            assert queue.statistics().visible == 1
            (again,) = await queue.receive()
            async with again:
                await again.release()
            assert queue.statistics().visible == 1
            (last,) = await queue.receive()
            await last.delete()
        with pytest.raises(trunkline.EngineClosed):
            await queue.send("three")

    run(main())


def test_a_message_that_is_there_is_received_without_suspending(engine):
    queue = aio.wrap(engine).queue("q")
    engine.queue("q").send("a")
    with pytest.raises(StopIteration) as done:
        queue.receive(wait=20).send(None)
    assert [message.text() for message in done.value.value] == ["a"]


def test_many_tasks_wait_and_each_message_wakes_one(engine):
    async def main():
        queue = aio.wrap(engine).queue("q")
        tasks = [asyncio.create_task(queue.receive(wait=20)) for _ in range(200)]
        await tasks_waiting(queue.sync, 200)
        sender = threading.Thread(
            target=lambda: [engine.queue("q").send(str(n)) for n in range(200)]
        )
        sender.start()
        found = [message.text() for task in tasks for message in await task]
        sender.join()
        assert sorted(found, key=int) == [str(number) for number in range(200)]

    run(main())


def test_a_wait_ends_when_it_should(engine):
    async def main():
        queue = aio.wrap(engine).queue("q", receive_wait=0)
        start = time.monotonic()
        assert await queue.receive(wait=0.15) == []
        assert 0.14 < time.monotonic() - start < 30
        assert await queue.receive() == []

    run(main())


def test_a_lease_or_a_delay_that_ends_wakes_a_task(engine):
    async def main():
        queue = aio.wrap(engine).queue("q")
        await queue.send("leased")
        assert len(await queue.receive(visibility_timeout=0.1)) == 1
        assert [m.text() for m in await queue.receive(wait=20)] == ["leased"]
        await queue.send("delayed", delay=0.1)
        assert [m.text() for m in await queue.receive(wait=20)] == ["delayed"]

    run(main())


def test_cancelling_a_receive_loses_no_message_and_no_wake(engine):
    async def main():
        queue = aio.wrap(engine).queue("q")
        received: list[str] = []
        sent = 0

        async def take() -> None:
            for message in await queue.receive(wait=20):
                received.append(message.text())
                await message.delete()

        for turn in range(300):
            tasks = [asyncio.create_task(take()) for _ in range(4)]
            await asyncio.sleep(0)
            await queue.send(str(turn))
            sent += 1
            # The wake is under way to a task that is cancelled now.
            if turn % 3:
                await asyncio.sleep(0)
            tasks[0].cancel()
            tasks[turn % 4].cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        left = [message.text() for message in await queue.receive(max=1_000)]
        assert sorted(received + left, key=int) == [str(number) for number in range(sent)]

    run(main())


def test_a_wake_for_a_cancelled_task_goes_to_the_next(engine):
    async def main():
        queue = aio.wrap(engine).queue("q")
        first = asyncio.create_task(queue.receive(wait=20))
        await tasks_waiting(queue.sync)
        second = asyncio.create_task(queue.receive(wait=20))
        await tasks_waiting(queue.sync, 2)
        await queue.send("a")
        # No turn of the loop in between: the wake is for the first, which is gone.
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert [message.text() for message in await second] == ["a"]

    run(main())


def test_timeouts_of_asyncio_lose_nothing(engine):
    async def main():
        queue = aio.wrap(engine).queue("q")
        got, timers = 0, []
        for number in range(100):
            timers.append(threading.Timer(0.001, engine.queue("q").send, [str(number)]))
            timers[-1].start()
            try:
                got += len(await asyncio.wait_for(queue.receive(wait=20), 0.001))
            except TimeoutError:
                continue
        for timer in timers:
            timer.join()
        assert got + len(await queue.receive(max=1_000)) == 100

    run(main())


def test_two_loops_and_a_thread_share_a_queue(engine):
    got: list[str] = []

    async def worker() -> None:
        queue = aio.wrap(engine).queue("q")
        while True:
            (message,) = await queue.receive(wait=20)
            async with message:
                if message.text() == "stop":
                    return
                got.append(message.text())

    loops = [threading.Thread(target=run, args=(worker(),)) for _ in range(2)]
    for thread in loops:
        thread.start()
    queue = engine.queue("q")
    for number in range(200):
        queue.send(str(number))
    queue.send_batch(["stop", "stop"])
    for thread in loops:
        thread.join(60)
    assert sorted(got, key=int) == [str(number) for number in range(200)]


def test_a_durable_send_is_awaited_without_a_thread(tmp_path, monkeypatch):
    started, start = [], threading.Thread.start

    def watched(thread):
        # Threads that others start meanwhile do not count.
        if threading.current_thread() is threading.main_thread():
            started.append(thread)
        start(thread)

    async def main():
        async with aio.open(tmp_path / "data") as engine:
            queue = engine.queue("q.fifo")
            monkeypatch.setattr(threading.Thread, "start", watched)
            results = await asyncio.gather(
                *(queue.send(str(n), group="g", dedup_id=str(n)) for n in range(200))
            )
            assert len({result.message_id for result in results}) == 200
            assert started == []
            batch = [trunkline.SendEntry("x", group="h", dedup_id=f"x{n}") for n in range(50)]
            assert len((await queue.send_batch(batch)).successful) == 50
            messages = await queue.receive(max=100)
            assert (await queue.extend_batch(messages, 60)).failed == ()
            assert (await queue.delete_batch(messages)).failed == ()
        with trunkline.open(tmp_path / "data") as again:
            assert again.queue("q.fifo").statistics().total == 150

    run(main())


def test_cancelling_a_durable_send_does_not_take_it_back(tmp_path):
    async def main():
        async with aio.open(tmp_path / "data") as engine:
            queue = engine.queue("q")
            task = asyncio.create_task(queue.send("a"))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await queue.send("b")
            await engine.flush()
        with trunkline.open(tmp_path / "data") as again:
            bodies = {message.text() for message in again.queue("q").peek()}
            assert bodies == {"a", "b"}

    run(main())


class CountingSelector(selectors.DefaultSelector):
    """Counts how often a loop looks for events."""

    looks = 0

    def select(self, timeout=None):
        self.looks += 1
        return super().select(timeout)


def test_a_sync_wakes_the_loop_once_however_many_tasks_await_it(tmp_path):
    selector = CountingSelector()

    async def main():
        async with aio.open(tmp_path / "data") as engine:
            queue = engine.queue("q")
            await queue.send("first")
            before = selector.looks
            await asyncio.gather(*(queue.send(str(n)) for n in range(256)))
            looks = selector.looks - before
            # One message is synced alone, the others together; tasks begin and end in between.
            assert looks < 20
            assert queue.statistics().visible == 257

    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        runner.run(asyncio.wait_for(main(), 120))


def test_the_tasks_of_one_loop_await_many_engines_and_levels(tmp_path):
    async def main():
        async with aio.open(tmp_path / "a") as first, aio.open(tmp_path / "b") as second:
            queues = [first.queue("q"), second.queue("q")]

            async def work(number):
                for turn in range(8):
                    level = "os" if (number + turn) % 3 == 0 else None
                    await queues[(number + turn) % 2].send("x", durability=level)

            await asyncio.gather(*(work(number) for number in range(60)))
            assert [queue.statistics().visible for queue in queues] == [240, 240]

    run(main())


def test_every_loop_of_a_thread_gets_its_own_wakes(tmp_path):
    with trunkline.open(tmp_path / "data") as engine:
        queue = aio.wrap(engine).queue("q")
        loops = [asyncio.new_event_loop() for _ in range(2)]
        for number in range(6):
            sends = asyncio.wait_for(queue.send(str(number)), 20)
            loops[number % 2].run_until_complete(sends)
        for loop in loops:
            loop.close()
        assert engine.queue("q").statistics().visible == 6


def test_closing_while_tasks_await_the_disk_leaves_none_waiting(tmp_path):
    async def main():
        engine = trunkline.open(tmp_path / "data")
        queue = aio.wrap(engine).queue("q")
        tasks = [asyncio.create_task(queue.send(str(n))) for n in range(50)]
        await asyncio.sleep(0)
        await asyncio.to_thread(engine.close)
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(outcome, (trunkline.SendResult, trunkline.EngineClosed))
        with trunkline.open(tmp_path / "data") as again:
            assert again.queue("q").statistics().visible == 50

    run(main())


def test_closing_ends_every_wait(engine):
    async def main():
        queue = aio.wrap(engine).queue("q")
        tasks = [asyncio.create_task(queue.receive(wait=20)) for _ in range(3)]
        await tasks_waiting(queue.sync, 3)
        threading.Thread(target=engine.close).start()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(outcome, trunkline.EngineClosed)

    run(main())


def test_a_virtual_clock_ends_waits_of_tasks():
    async def main():
        clock = trunkline.VirtualClock()
        async with aio.open(clock=clock) as engine:
            queue = engine.queue("q")
            empty = asyncio.create_task(queue.receive(wait=20))
            await tasks_waiting(queue.sync)
            clock.advance(20)
            assert await empty == []
            await queue.send("later", delay=60)
            due = asyncio.create_task(queue.receive(wait=300))
            await tasks_waiting(queue.sync)
            clock.advance(60)
            assert [message.text() for message in await due] == ["later"]
            # A wake in between must not let the wait begin anew.
            shared = asyncio.create_task(queue.receive(wait=20))
            await tasks_waiting(queue.sync)
            for _ in range(3):
                clock.advance(5)
                queue.sync.send("for another consumer")
                assert len(queue.sync.receive()) == 1
                await tasks_waiting(queue.sync)
            clock.advance(5)
            assert await shared == []

    run(main())


def test_wrong_input_is_refused_as_in_the_other_world(engine):
    async def main():
        queue = aio.wrap(engine).queue("q")
        for call in (
            lambda: queue.receive(0),
            lambda: queue.receive(wait=-1),
            lambda: queue.receive(attempt_id="a"),
            lambda: queue.send("a", delay=901),
            lambda: queue.extend("receipt", -1),
        ):
            with pytest.raises(trunkline.InvalidParameterValue):
                await call()
        for call in (lambda: queue.send(7), lambda: queue.receive("1"), lambda: queue.delete(7)):
            with pytest.raises(TypeError):
                await call()
        with pytest.raises(TypeError):
            aio.wrap("engine")

    run(main())


def test_control_verbs_are_coroutines(engine):
    async def main():
        wrapped = aio.wrap(engine)
        dead = wrapped.queue("dead")
        queue = wrapped.queue("q", dead_letter=dead.sync, max_receive_count=1)
        await queue.configure(delay=1)
        assert queue.settings()["delay"] == 1
        await queue.purge()
        task = await dead.start_redrive(queue, rate=10)
        assert task.total == 0
        while task.status == "RUNNING":  # It would move what is sent meanwhile.
            await asyncio.sleep(0.01)
        sent = await dead.send("by hand")
        moved = await dead.redrive_message(sent.message_id, queue)
        assert queue.statistics().total == 1
        assert moved != sent.message_id
        assert [found.name for found in wrapped.queues()] == ["dead", "q"]
        copy = await wrapped.fork()
        await queue.remove()
        assert [found.name for found in copy.queues()] == ["dead", "q"]
        await copy.close()

    run(main())


def test_at_the_limit_of_messages_in_flight_only_a_receive_that_waits_finds_nothing():
    async def main():
        limits = trunkline.Limits(standard_in_flight_max=1)
        async with aio.open(limits=limits) as engine:
            queue = engine.queue("q")
            await queue.send_batch(["a", "b"])
            await queue.receive()
            with pytest.raises(trunkline.OverLimit):
                await queue.receive()
            assert await queue.receive(wait=0.01) == []
            with pytest.raises(trunkline.OverLimit):
                queue.sync.receive()
            assert queue.sync.receive(wait=0.01) == []

    run(main())
