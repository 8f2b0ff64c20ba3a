"""Event loops come and go: what a closed one leaves behind, and what strikes a receive on one."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

import trunkline
from trunkline import aio


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
