"""Event loops come and go: what a closed one leaves behind, and what strikes a receive on one."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

import trunkline
from trunkline import aio
from trunkline._core import journal_statistics


def test_a_loop_that_is_closed_while_its_tasks_await_the_disk_is_let_go(tmp_path):
    engine = aio.open(tmp_path / "data")
    queue = engine.queue("q")

    async def leave():
        sends = [asyncio.ensure_future(queue.send("x")) for _ in range(4)]
        await asyncio.sleep(0)
        # What is not awaited any more: the loop ends before the disk has it.
        for send in sends:
            send.cancel()

    loops = []
    for _ in range(5):
        loop = asyncio.new_event_loop()
        loop.run_until_complete(leave())
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        loops.append(weakref.ref(loop))
    del loop
    # The waker of the latest loop is known until another loop has one.
    asyncio.run(queue.send("y"))
    gc.collect()
    assert [loop() for loop in loops] == [None] * 5
    engine.sync.close()


def test_the_disk_goes_on_while_the_loop_steps_the_tasks_of_the_sync_before(tmp_path):
    tasks, each = 256, 6

    async def main():
        async with aio.open(tmp_path / "data") as engine:
            queue = engine.queue("q")
            before = journal_statistics(engine.sync._core)["syncs"]

            async def send(task):
                return [(await queue.send(f"{task}-{n}")).message_id for n in range(each)]

            sent = await asyncio.gather(*map(send, range(tasks)))
            assert len({one for ids in sent for one in ids}) == tasks * each
            # One sync for each message would be 1,536 of them.
            assert journal_statistics(engine.sync._core)["syncs"] - before < tasks
            assert queue.statistics().visible == tasks * each

    asyncio.run(main())


def test_only_tasks_are_woken_by_a_future_of_asyncios_own(tmp_path):
    async def main():
        async with aio.open(tmp_path / "data") as engine:
            queue = engine.queue("q")
            told = []
            coroutine = queue.send("x")
            awaited = coroutine.send(None)
            awaited.add_done_callback(told.append)
            # A task awaits the same write, through the protocol of futures.
            waiting = asyncio.ensure_future(_await(awaited))
            await asyncio.wait_for(waiting, 30)
            assert told == [awaited]
            assert awaited.done()
            assert awaited.result() is None
            with pytest.raises(StopIteration):
                coroutine.send(None)

    asyncio.run(main())


async def _await(awaited):
    await awaited


@pytest.mark.parametrize("durability", ["disk", "os", "memory", None])
def test_a_fault_of_a_commit_strikes_no_receive_that_commits_nothing(tmp_path, durability):
    folder = None if durability is None else tmp_path / "data"

    async def main():
        async with aio.open(folder, durability=durability) as engine:
            queue = engine.queue("q")
            await queue.send("one")
            engine.faults.error("commit", times=1)
            (message,) = await queue.receive()
            with pytest.raises(trunkline.InjectedFault):
                await message.delete()

    asyncio.run(main())
