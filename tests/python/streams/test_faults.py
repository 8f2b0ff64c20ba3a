"""Injected faults of streams: calls are refused, held up or left undurable, on loops too."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import trunkline
from trunkline import aio
from waiting import turns_during

DELAY_SECONDS = 0.5


@pytest.fixture(params=["memory", "disk"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[trunkline.Engine]:
    path = tmp_path / "data" if request.param == "disk" else None
    with trunkline.open(path) as engine:
        yield engine


def test_a_call_that_is_refused_does_nothing(engine: trunkline.Engine) -> None:
    stream = engine.stream("clicks")
    reader = stream.reader("billing", start="earliest")
    for verb, call in (
        ("put", lambda: stream.put("a", key="k")),
        ("put", lambda: stream.put("a", key="k", hash_key=7)),
        ("put", lambda: stream.put_batch([("k", "a")])),
        ("read", lambda: stream.read()),
        ("read", lambda: stream.read(wait=5)),
        ("read", lambda: reader.fetch()),
    ):
        engine.faults.error(verb, times=1)  # type: ignore[arg-type]
        with pytest.raises(trunkline.InjectedFault):
            call()
        assert len(engine.faults) == 0
    assert stream.statistics().records == 0


def test_a_commit_that_fails_leaves_the_verb_done(engine: trunkline.Engine) -> None:
    stream, other = engine.stream("clicks"), engine.stream("other")
    reader = stream.reader("billing", start="earliest")
    engine.faults.error("commit", stream="clicks", times=3)
    other.put("a", key="k")
    with pytest.raises(trunkline.InjectedFault):
        stream.put("a", key="k")
    with pytest.raises(trunkline.InjectedFault):
        stream.put_batch([("k", "b")])
    batch = reader.fetch()
    with pytest.raises(trunkline.InjectedFault):
        reader.commit(batch)
    assert stream.statistics().readers == {"billing": 0}


def test_a_long_poll_is_one_call_and_is_delayed_once(engine: trunkline.Engine) -> None:
    stream = engine.stream("clicks")
    engine.faults.error("read", after=1, times=1)
    assert len(stream.read(wait=0.05)) == 0
    with pytest.raises(trunkline.InjectedFault):
        stream.read(wait=0.05)
    engine.faults.delay("read", 0.1, times=2)
    start = time.monotonic()
    assert len(stream.read(wait=0.05)) == 0
    assert time.monotonic() - start >= 0.15
    assert len(engine.faults) == 1
    stream.read()
    assert len(engine.faults) == 0


def test_a_delayed_put_is_carried_out(engine: trunkline.Engine) -> None:
    stream = engine.stream("clicks")
    engine.faults.delay("put", 0.05, stream="clicks")
    start = time.monotonic()
    stream.put("a", key="k")
    stream.put("b", key="k", hash_key=7)
    stream.put_batch([("k", "c")])
    assert time.monotonic() - start >= 0.15
    assert stream.statistics().records == 3


def test_a_rule_names_what_has_the_verb(engine: trunkline.Engine) -> None:
    faults = engine.faults
    with pytest.raises(trunkline.InvalidParameterValue, match="put is a verb of a stream"):
        faults.error("put", queue="clicks")
    with pytest.raises(trunkline.InvalidParameterValue, match="send is a verb of a queue"):
        faults.error("send", stream="clicks")
    with pytest.raises(trunkline.InvalidParameterValue, match="A rule names one resource"):
        faults.error("commit", queue="clicks", stream="clicks")
    assert len(faults) == 0
    # A queue and a stream of one name are told apart.
    faults.error("commit", queue="clicks")
    engine.stream("clicks").put("a", key="k")


def test_a_loop_meets_the_same_faults(engine: trunkline.Engine) -> None:
    async def main() -> None:
        stream = aio.wrap(engine).stream("clicks")
        reader = await stream.reader("billing", start="earliest")
        for verb, call in (
            ("put", lambda: stream.put("a", key="k")),
            ("put", lambda: stream.put_batch([("k", "a")])),
            ("read", lambda: stream.read(wait=5)),
            ("read", lambda: reader.fetch()),
        ):
            engine.faults.error(verb, times=1)  # type: ignore[arg-type]
            with pytest.raises(trunkline.InjectedFault):
                await call()
            assert len(engine.faults) == 0
        engine.faults.error("commit", stream="clicks", times=2)
        with pytest.raises(trunkline.InjectedFault):
            await stream.put("a", key="k")
        batch = await reader.fetch()
        with pytest.raises(trunkline.InjectedFault):
            await reader.commit(batch)
        assert stream.statistics().readers == {"billing": 0}

    asyncio.run(main())


@pytest.mark.parametrize("verb", ["put", "read", "commit"])
def test_an_injected_delay_does_not_hold_a_loop_up(engine: trunkline.Engine, verb: str) -> None:
    async def main() -> None:
        stream = aio.wrap(engine).stream("clicks")
        reader = await stream.reader("billing", start="earliest")
        await stream.put("a", key="k")
        batch = await reader.fetch()
        calls = {
            "put": (stream.put("b", key="k"), stream.put_batch([("k", "c")])),
            "read": (stream.read(), reader.fetch()),
            "commit": (stream.put("b", key="k"), reader.commit(batch)),
        }
        chosen = calls.pop(verb)
        for others in calls.values():
            for call in others:
                call.close()
        for call in chosen:
            engine.faults.delay(verb, DELAY_SECONDS, times=1)  # type: ignore[arg-type]
            start = time.monotonic()
            turns = await turns_during(call)
            assert time.monotonic() - start >= DELAY_SECONDS
            assert turns > 10, "the loop turned meanwhile"

    asyncio.run(main())
