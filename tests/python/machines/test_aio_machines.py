"""State machines on event loops."""

from __future__ import annotations

import asyncio
import shutil

import pytest

import trunkline

CHARGE = "arn:aws:lambda:us-east-1:000000000000:function:charge"


def one(**state):
    return {"StartAt": "A", "States": {"A": {"End": True, **state}}}


TASK = one(Type="Task", Resource=CHARGE)


def test_a_coroutine_function_runs_on_the_loop():
    async def main():
        loop = asyncio.get_running_loop()

        async def charge(order):
            assert asyncio.get_running_loop() is loop
            await asyncio.sleep(0)
            return {"paid": order["total"]}

        async with trunkline.aio.open() as engine:
            machine = engine.machine("checkout", TASK, functions={"charge": charge})
            execution = await (await machine.start({"total": 3}, name="one")).wait(30)
            assert (execution.status, execution.output) == ("SUCCEEDED", {"paid": 3})
            assert (await execution.history())[0]["type"] == "ExecutionStarted"
            assert [found.name for found in machine.executions("SUCCEEDED")] == ["one"]
            assert machine.execution("one").input == {"total": 3}
            return await machine.run({"total": 4})

    assert asyncio.run(main()) == {"paid": 4}


def test_many_waits_take_no_thread_and_end_with_their_executions():
    async def main():
        clock = trunkline.VirtualClock()
        async with trunkline.aio.open(clock=clock) as engine:
            machine = engine.machine("slow", one(Type="Wait", Seconds=60))
            started = [await machine.start(name=str(number)) for number in range(50)]
            waits = [asyncio.create_task(execution.wait()) for execution in started]
            await asyncio.sleep(0)
            assert not any(wait.done() for wait in waits)
            clock.advance(61)
            ended = await asyncio.wait_for(asyncio.gather(*waits), 30)
            return {execution.status for execution in ended}

    assert asyncio.run(main()) == {"SUCCEEDED"}


def test_an_end_that_was_awaited_is_on_disk(tmp_path):
    async def main():
        async with trunkline.aio.open(tmp_path / "data") as engine:
            machine = engine.machine("checkout", TASK, functions={"charge": lambda order: order})
            for number in range(5):
                execution = await (await machine.start(name=f"order-{number}")).wait(30)
                # As if the process was killed here.
                copy = tmp_path / f"copy-{number}"
                shutil.copytree(tmp_path / "data", copy)
                with trunkline.open(copy) as left:
                    found = left.machine("checkout").execution(execution.name)
                    assert found.status == "SUCCEEDED"

    asyncio.run(main())


def test_a_wait_may_be_cancelled_and_has_a_time():
    async def main():
        async with trunkline.aio.open() as engine:
            machine = engine.machine("slow", one(Type="Wait", Seconds=3_600))
            execution = await machine.start()
            assert (await execution.wait(0.01)).status == "RUNNING"
            wait = asyncio.create_task(execution.wait())
            await asyncio.sleep(0)
            wait.cancel()
            with pytest.raises(asyncio.CancelledError):
                await wait
            again = asyncio.create_task(execution.wait(30))
            await asyncio.sleep(0)
            await execution.stop("Over")
            ended = await again
            assert (ended.status, ended.error) == ("ABORTED", "Over")
            await machine.remove()

    asyncio.run(main())


def test_a_task_token_is_reported_on_the_loop():
    async def main():
        async with trunkline.aio.open() as engine:
            queue = engine.queue("approvals")
            parameters = {
                "QueueUrl": "https://sqs.us-east-1.amazonaws.com/000000000000/approvals",
                "MessageBody.$": "$$.Task.Token",
            }
            resource = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
            machine = engine.machine(
                "ask", one(Type="Task", Resource=resource, Parameters=parameters)
            )
            execution = await machine.start()
            (message,) = await queue.receive(wait=20)
            await engine.send_task_heartbeat(message.text())
            await engine.send_task_success(message.text(), {"ok": True})
            assert (await execution.wait(30)).output == {"ok": True}
            with pytest.raises(trunkline.errors.ConflictException):
                await engine.send_task_failure(message.text(), "Late")

    asyncio.run(main())
