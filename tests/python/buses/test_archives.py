"""Archives and replays in process."""

from __future__ import annotations

import asyncio
import datetime
import time
from pathlib import Path
from typing import Any

import pytest

import trunkline
from trunkline import aio

ALL = {"source": ["shop"]}


def order(number: int) -> dict[str, Any]:
    return {"source": "shop", "detail-type": "Order", "detail": {"n": number}}


def numbers(queue: trunkline.Queue) -> list[int]:
    taken = []
    while messages := queue.receive(max=10):
        for message in messages:
            with message:
                taken.append(message.json()["detail"]["n"])
    return taken


def test_what_an_archive_keeps_is_replayed_in_order() -> None:
    clock = trunkline.VirtualClock(1_700_000_000)
    engine = trunkline.open(clock=clock)
    bus, queue = engine.bus(), engine.queue("q")
    archive = bus.archive("even", pattern={"detail": {"n": [0, 2, 4, 6]}})
    bus.put_batch(order(number) for number in range(8))
    assert archive.events == 4
    rule = bus.rule("all", ALL, queue)
    replay = archive.replay(name="again")
    clock.advance(1)
    assert (replay.wait(timeout=60), replay.replayed, replay.failure) == ("COMPLETED", 4, None)
    (first,) = queue.peek(max=1)
    assert first.json()["replay-name"] == "again"
    assert numbers(queue) == [0, 2, 4, 6]
    assert archive.events == 4
    rule.disable()
    archive.replay(rules=[rule])
    clock.advance(1)
    assert numbers(queue) == []
    assert [one.name for one in archive.replays()][1] == "again"


def test_a_replay_has_a_span_of_time() -> None:
    clock = trunkline.VirtualClock(1_700_000_000)
    engine = trunkline.open(clock=clock)
    bus, queue = engine.bus(), engine.queue("q")
    archive = bus.archive("all")
    for number in range(4):
        bus.put(order(number))
        clock.advance(3_600)
    bus.rule("all", ALL, queue)
    start = datetime.datetime.fromtimestamp(1_700_003_600, datetime.UTC)
    archive.replay(start, 1_700_000_000 + 3 * 3_600)
    clock.advance(1)
    assert numbers(queue) == [1, 2]
    with pytest.raises(trunkline.InvalidArgument, match="before its end"):
        archive.replay(5, 5)
    with pytest.raises(trunkline.InvalidArgument, match="no time zone"):
        archive.replay(datetime.datetime(2026, 1, 1))
    with pytest.raises(trunkline.NotFound, match="Rule none does not exist"):
        archive.replay(rules=["none"])


def test_events_expire_by_retention() -> None:
    clock = trunkline.VirtualClock()
    engine = trunkline.open(clock=clock)
    archive = engine.bus().archive("day", retention=datetime.timedelta(days=1))
    engine.bus().put(order(1))
    clock.advance(80_000)
    assert (archive.events, archive.retention) == (1, 86_400.0)
    clock.advance(20_000)
    assert archive.events == 0


def test_an_archive_is_compared_found_and_removed() -> None:
    bus = trunkline.open().bus()
    archive = bus.archive("all", pattern=ALL, retention=60)
    assert bus.archive("all") == archive == bus.archive("all", pattern=ALL, retention=60)
    with pytest.raises(trunkline.AlreadyExists, match="another pattern or retention"):
        bus.archive("all", retention=61)
    with pytest.raises(trunkline.AlreadyExists, match="another pattern or retention"):
        bus.archive("all", pattern={"source": ["bank"]})
    assert archive.pattern == ALL
    with pytest.raises(trunkline.InvalidArgument, match="1 to 48"):
        bus.archive("a b")
    archive.remove()
    assert bus.archives() == []
    with pytest.raises(trunkline.NotFound, match="Archive all does not exist"):
        assert archive.events


def test_archives_and_replays_survive_a_restart(tmp_path: Path) -> None:
    with trunkline.open(tmp_path) as engine:
        bus = engine.bus()
        archive = bus.archive("all")
        bus.put_batch(order(number) for number in range(1_000))
        bus.rule("all", ALL, engine.queue("q"))
        archive.replay(name="again")
    with trunkline.open(tmp_path) as engine:
        archive = engine.bus().archive("all")
        assert archive.events == 1_000
        (replay,) = archive.replays()
        assert replay.wait(timeout=60) == "COMPLETED"
        # A step that the end of the engine cut short is put again.
        assert sorted(set(numbers(engine.queue("q")))) == list(range(1_000))


def test_a_replay_that_a_close_interrupts_goes_on(tmp_path: Path) -> None:
    for number in range(12):
        folder = tmp_path / str(number)
        with trunkline.open(folder) as engine:
            bus = engine.bus()
            archive = bus.archive("all")
            bus.put_batch(order(number) for number in range(1_000))
            bus.rule("all", ALL, engine.queue("q"))
            archive.replay(name="again")
            # The engine closes before, in and between steps of the replay.
            time.sleep(number * 0.001)
        with trunkline.open(folder) as engine:
            (replay,) = engine.bus().archive("all").replays()
            assert replay.wait(timeout=60) == "COMPLETED"
            assert sorted(set(numbers(engine.queue("q")))) == list(range(1_000))


def test_archives_for_asyncio() -> None:
    async def main() -> None:
        async with aio.open() as engine:
            bus, queue = engine.bus(), engine.queue("q")
            archive = await bus.archive("all")
            await bus.put(order(1))
            await bus.rule("all", ALL, queue)
            replay = await archive.replay(name="again")
            assert await replay.wait(timeout=60) == "COMPLETED"
            (message,) = await queue.receive(wait=20)
            assert message.json()["replay-name"] == "again"
            await replay.cancel()
            assert [one.name for one in archive.replays()] == ["again"]
            await archive.remove()
            assert bus.archives() == []

    asyncio.run(main())


def test_the_verbs_are_those_of_the_twins() -> None:
    pairs = ((aio.Archive, trunkline.Archive), (aio.Replay, trunkline.Replay))
    for ours, theirs in pairs:
        names = {name for name in vars(theirs) if not name.startswith("_")}
        assert names <= {name for name in vars(ours) if not name.startswith("_")}
