"""Streams on an event loop."""

from __future__ import annotations

import asyncio
from pathlib import Path

import trunkline
from tests.waiting import tasks_waiting
from trunkline import aio


def texts(batch: trunkline.RecordBatch) -> list[str]:
    return [record.text() for record in batch]


def test_every_verb_works_on_a_loop(tmp_path: Path) -> None:
    async def main() -> None:
        async with aio.open(tmp_path) as engine:
            stream = engine.stream("clicks", shards=2)
            puts = [stream.put(str(number), key=str(number)) for number in range(20)]
            assert len(await asyncio.gather(*puts)) == 20
            await stream.put_batch([("k", "20"), ("k", "21")])
            assert len(await stream.read()) == 22
            reader = await stream.reader("billing", start="earliest")
            seen: list[str] = []
            async for batch in reader.batches(max=5, wait=0):
                seen.extend(texts(batch))
                await reader.commit(batch)
            assert sorted(seen, key=int) == [str(number) for number in range(22)]
            assert stream.readers() == ["billing"]
            first, second = await stream.split("shardId-0")
            assert await stream.merge(first, second) == "shardId-000000000004"
            await stream.resize(3)
            await stream.configure(retention=200_000)
            assert (stream.retention, stream.statistics().open_shards) == (200_000, 3)
            await stream.remove_reader("billing")
            await stream.remove()
            assert engine.streams() == []

    asyncio.run(main())


def test_reads_that_wait_do_not_hold_the_loop_up() -> None:
    async def main() -> None:
        async with aio.open() as engine:
            stream = engine.stream("clicks")
            reader = await stream.reader("billing")
            reads = [
                asyncio.create_task(stream.read(start="latest", wait=30)),
                asyncio.create_task(reader.fetch(wait=30)),
            ]
            await tasks_waiting(stream, 2)  # type: ignore[arg-type]
            await stream.put("one", key="k")
            assert [texts(batch) for batch in await asyncio.gather(*reads)] == [["one"], ["one"]]
            assert len(await stream.read(start="latest", wait=0.01)) == 0

    asyncio.run(main())


def test_a_cancelled_read_leaves_nothing_behind() -> None:
    async def main() -> None:
        async with aio.open() as engine:
            stream = engine.stream("clicks")
            read = asyncio.create_task(stream.read(start="latest", wait=30))
            await tasks_waiting(stream, 1)  # type: ignore[arg-type]
            read.cancel()
            await tasks_waiting(stream, 0)  # type: ignore[arg-type]

    asyncio.run(main())
