"""The awaitables that the core makes behave as coroutines of Python do."""

from __future__ import annotations

import asyncio
import gc
import inspect
import warnings
import weakref
from collections.abc import Coroutine
from contextvars import ContextVar
from typing import Any

import pytest

import trunkline
from trunkline import aio


def queue() -> aio.Queue:
    return aio.wrap(trunkline.open()).queue("orders")


def test_they_are_coroutines_that_a_task_takes() -> None:
    orders = queue()

    async def main() -> list[aio.Message]:
        sending = orders.send("one")
        assert isinstance(sending, Coroutine)
        assert asyncio.iscoroutine(sending)
        assert inspect.isawaitable(sending)
        sent = await asyncio.create_task(sending, name="sender")
        assert not sent.duplicate
        return await asyncio.wait_for(orders.receive(), 5)

    (message,) = asyncio.run(main())
    assert message.text() == "one"


def test_nothing_happens_before_the_first_step_and_python_says_so() -> None:
    orders = queue()
    orders.sync.send("one")
    with pytest.warns(RuntimeWarning, match=r"'Queue\.receive' was never awaited"):
        orders.receive()
    with pytest.warns(RuntimeWarning, match=r"'Queue\.send' was never awaited"):
        orders.send("two")
    assert orders.statistics().visible == 1


def test_a_closed_one_does_nothing_and_warns_of_nothing() -> None:
    orders = queue()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sending = orders.send("one")
        sending.close()
        sending.close()
        del sending
        gc.collect()
    assert orders.statistics().total == 0


def test_it_can_be_awaited_once() -> None:
    orders = queue()

    async def main() -> None:
        sending = orders.send("one")
        await sending
        with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
            await sending

    asyncio.run(main())
    assert orders.statistics().total == 1


def test_one_that_is_kept_stays_over_and_one_that_is_let_go_of_is_used_again() -> None:
    orders = queue()

    async def main() -> None:
        kept = orders.send("one")
        await kept
        for number in range(3):
            await orders.send(f"{number}")
        with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
            await kept
        assert repr(kept) == "<coroutine object Queue.send>"
        del kept
        (message,) = await orders.receive()
        await message.delete()
        assert message.text() == "one"

    asyncio.run(main())
    assert orders.statistics().total == 3


def test_results_that_are_kept_stay_as_they_are() -> None:
    orders = queue()

    async def main() -> list[trunkline.SendResult]:
        return [await orders.send("two"), await orders.send("three")]

    first = orders.sync.send("one")
    name = first.message_id
    later = [*asyncio.run(main()), orders.sync.send("four")]
    names = [message.message_id for message in orders.peek()]
    assert [first.message_id, *(sent.message_id for sent in later)] == names
    assert (names[0], len(set(names))) == (name, 4)


def test_the_value_comes_in_a_stop_iteration_where_a_program_steps_by_hand() -> None:
    orders = queue()
    with pytest.raises(StopIteration) as stopped:
        orders.send("one").send(None)
    assert isinstance(stopped.value.value, trunkline.SendResult)
    with pytest.raises(StopIteration) as stopped:
        next(orders.receive().__await__())
    (message,) = stopped.value.value
    with pytest.raises(StopIteration) as stopped:
        message.delete().send(None)
    assert stopped.value.value is None
    assert orders.statistics().total == 0


def test_an_exception_that_is_thrown_in_comes_out_and_ends_it() -> None:
    orders = queue()
    sending = orders.send("one")
    with pytest.raises(KeyError, match="mine"):
        sending.throw(KeyError("mine"))
    with pytest.raises(RuntimeError):
        sending.send(None)
    assert orders.statistics().total == 0


def test_an_exception_that_is_thrown_into_one_that_is_over_is_refused() -> None:
    sending = queue().send("one")
    with pytest.raises(StopIteration):
        sending.send(None)
    with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
        sending.throw(KeyError("mine"))


def test_a_step_inside_of_a_step_is_refused_and_leaves_the_outer_one_as_it_was() -> None:
    """The rest of a call is Python's, which a subclass may override."""
    refusals: list[BaseException] = []
    plain = queue()

    class Nested(aio.Queue):
        async def _receive_with(self, *arguments: Any) -> list[Any]:
            try:
                await outer
            except RuntimeError as refusal:
                refusals.append(refusal)
            return [7]

    orders = Nested(plain.sync)
    outer: Any = orders.receive()

    async def main() -> Any:
        return await outer

    assert asyncio.run(main()) == [7]
    assert "cannot reuse" in str(refusals[0])


def test_a_wrong_wait_is_an_error_also_where_a_message_is_there() -> None:
    orders = queue()
    orders.sync.send("one")

    async def main() -> None:
        wrong: Any = "soon"
        for wait, error in ((wrong, TypeError), (-1, trunkline.InvalidParameterValue)):
            with pytest.raises(error, match="wait"):
                await orders.receive(wait=wait)
        assert len(await orders.receive(wait=0)) == 1

    asyncio.run(main())


def test_a_receive_that_is_cancelled_between_the_wake_and_the_take_loses_nothing() -> None:
    orders = queue()

    async def main() -> None:
        first = asyncio.create_task(orders.receive(wait=20))
        second = asyncio.create_task(orders.receive(wait=20))
        while orders._core.waiting < 2:
            await asyncio.sleep(0)
        # The wake is on its way to the first, which is cancelled before it runs again.
        orders.sync.send("one")
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        (message,) = await asyncio.wait_for(second, 60)
        assert (message.text(), message.receive_count) == ("one", 1)

    asyncio.run(main())


def test_a_receive_that_is_cancelled_while_it_waits_takes_nothing() -> None:
    orders = queue()

    async def main() -> None:
        waiting = asyncio.create_task(orders.receive(wait=20))
        while not orders._core.waiting:
            await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        orders.sync.send("one")
        assert len(await orders.receive(wait=20)) == 1

    asyncio.run(main())


def test_an_error_is_raised_where_it_is_awaited() -> None:
    orders = queue()

    async def main() -> None:
        wrong: Any = 7
        sending = orders.send(wrong)
        with pytest.raises(TypeError, match="body must be"):
            await sending
        with pytest.raises(TypeError, match="max must be"):
            await orders.receive(wrong and "1")
        with pytest.raises(trunkline.InvalidParameterValue):
            await orders.receive(0)
        with pytest.raises(TypeError):
            await orders.send("one", colour="red")  # type: ignore[call-arg]

    asyncio.run(main())


def test_it_has_the_name_of_its_verb() -> None:
    receiving: Any = queue().receive()
    assert (receiving.__qualname__, receiving.__name__) == ("Queue.receive", "receive")
    assert repr(receiving) == "<coroutine object Queue.receive>"
    receiving.close()


def test_one_in_a_circle_is_collected() -> None:
    class Body:
        itself: Any

    body: Any = Body()
    sending = queue().send(body)
    body.itself = sending
    gone = weakref.ref(body)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        del body, sending
        gc.collect()
    assert gone() is None


def test_durable_verbs_return_when_the_write_is_settled(tmp_path: Any) -> None:
    async def main() -> None:
        async with aio.open(tmp_path / "data") as engine:
            orders = engine.queue("orders")
            sent = await asyncio.gather(*(orders.send(f"{number}") for number in range(100)))
            assert len({one.message_id for one in sent}) == 100
            messages = await orders.receive(100)
            result = await orders.delete_batch(messages[:50])
            assert not result.failed
            await asyncio.gather(*(message.delete() for message in messages[50:]))
            assert orders.statistics().total == 0

    asyncio.run(main())


def test_a_durable_send_that_is_cancelled_is_sent(tmp_path: Any) -> None:
    async def main() -> None:
        async with aio.open(tmp_path / "data") as engine:
            orders = engine.queue("orders")
            sending = asyncio.create_task(orders.send("one"))
            await asyncio.sleep(0)
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            assert orders.statistics().total == 1

    asyncio.run(main())


def test_tasks_that_one_sync_steps_keep_their_contexts_and_their_cancellations(
    tmp_path: Any,
) -> None:
    number: ContextVar[int] = ContextVar("number")

    async def main() -> None:
        async with aio.open(tmp_path / "data") as engine:
            orders = engine.queue("orders")

            async def send(mine: int) -> int:
                number.set(mine)
                for _ in range(8):
                    await orders.send(f"{mine}")
                    assert number.get() == mine
                return mine

            tasks = [asyncio.create_task(send(mine)) for mine in range(64)]
            # Each waits for its first write now, or for a later one.
            await asyncio.sleep(0)
            for task in tasks[::4]:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            for mine, outcome in enumerate(ended):
                if mine % 4 == 0:
                    assert isinstance(outcome, asyncio.CancelledError)
                else:
                    assert outcome == mine
            assert number.get(None) is None
            assert 48 * 8 + 16 <= orders.statistics().total < 64 * 8

    asyncio.run(main())


def test_a_write_that_is_kept_stays_over_while_others_are_awaited(tmp_path: Any) -> None:
    async def main() -> None:
        async with aio.open(tmp_path / "data") as engine:
            orders = engine.queue("orders")
            sent, write = orders._core.begin_send("one")
            assert write is not None
            await write
            await asyncio.gather(*(orders.send("two") for _ in range(16)))
            assert write.done()
            write.result()
            await write
            assert sent.message_id == orders.peek()[0].message_id

    asyncio.run(main())
