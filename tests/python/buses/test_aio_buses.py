"""Event buses for asyncio."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import trunkline
from trunkline import aio

ORDER = {"source": "shop", "detail-type": "Order", "detail": {"n": 1}}
ALL = {"source": ["shop"]}


def test_the_verbs_are_those_of_the_twin() -> None:
    for ours, theirs in ((aio.Bus, trunkline.Bus), (aio.Rule, trunkline.Rule)):
        names = {name for name in vars(theirs) if not name.startswith("_")}
        assert names - {"bus"} <= {name for name in vars(ours) if not name.startswith("_")}


@pytest.mark.parametrize("durable", [False, True])
def test_events_go_to_queues_and_coroutines(tmp_path: Path, durable: bool) -> None:
    async def main() -> None:
        async with aio.open(tmp_path if durable else None) as engine:
            bus, queue = engine.bus(), engine.queue("q")
            got: asyncio.Queue[Any] = asyncio.Queue()
            rule = await bus.rule("all", ALL, queue)
            await bus.rule("mine", ALL, got.put, input_path="$.detail")
            assert (await bus.put(ORDER)).delivered == 2
            assert len((await bus.put_batch([ORDER, ORDER])).successful) == 2
            assert [await asyncio.wait_for(got.get(), 60) for _ in range(3)] == [{"n": 1}] * 3
            assert len(await queue.receive(max=10)) == 3
            await rule.disable()
            assert not rule.enabled
            assert bus.explain(ORDER)["all"].matched
            await rule.remove()
            assert [one.name for one in bus.rules()] == ["mine"]
            await bus.remove()
            assert engine.buses() == []

    asyncio.run(main())


def test_a_coroutine_that_fails_is_called_again() -> None:
    async def main() -> None:
        engine = aio.open()
        seen = asyncio.Event()
        calls = 0

        async def handle(event: Any) -> None:
            nonlocal calls
            calls += 1
            if calls == 1:
                raise ValueError("not yet")
            seen.set()

        await engine.bus().rule("all", ALL, handle)
        await engine.bus().put(ORDER)
        await asyncio.wait_for(seen.wait(), 60)
        await engine.close()

    asyncio.run(main())
