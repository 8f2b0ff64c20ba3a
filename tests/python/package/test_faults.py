"""Injected faults apply to calls, not attempts: for every queue, clock and kind of engine."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

import trunkline
from waiting import turns_during

DELAY_SECONDS = 0.5


@pytest.fixture(params=["memory", "disk"])
def engine(request, tmp_path):
    path = tmp_path / "data" if request.param == "disk" else None
    with trunkline.open(path) as engine:
        yield engine


def test_a_long_poll_is_one_call(engine):
    queue = engine.queue("q")
    engine.faults.error("receive", after=1, times=1)
    assert queue.receive(wait=0.1) == []
    with pytest.raises(trunkline.InjectedFault):
        queue.receive(wait=0.1)
    assert queue.receive(wait=0.1) == []


def test_a_receive_that_waits_because_its_queue_says_so_is_one_call(engine):
    queue = engine.queue("q", receive_wait=0.05)
    engine.faults.error("receive", after=1, times=1)
    assert queue.receive() == []
    with pytest.raises(trunkline.InjectedFault):
        queue.receive()


def test_a_batch_with_options_is_one_call(engine):
    queue = engine.queue("q")
    engine.faults.error("send", after=1, times=1)
    assert len(queue.send_batch(["a", trunkline.SendEntry("b")]).successful) == 2
    with pytest.raises(trunkline.InjectedFault):
        queue.send_batch(["c", trunkline.SendEntry("d")])


def test_a_long_poll_is_delayed_once(engine):
    engine.faults.delay("receive", 0.2, times=2)
    start = time.monotonic()
    assert engine.queue("q").receive(wait=0.1) == []
    assert time.monotonic() - start >= 0.3
    assert len(engine.faults) == 1
    engine.queue("q").receive()
    assert len(engine.faults) == 0


def test_what_a_long_poll_delivers_twice_stays_visible(engine):
    queue = engine.queue("q", receive_wait=20)
    engine.faults.duplicate(times=1)
    queue.send("a", delay=0.1)
    assert [m.text() for m in queue.receive()] == ["a"]
    assert [m.text() for m in queue.receive()] == ["a"]
    assert queue.receive(wait=0) == []


def test_a_commit_that_fails_is_of_its_queue_and_leaves_the_verb_done(engine):
    queue, other = engine.queue("q"), engine.queue("other")
    engine.faults.error("commit", queue="q", times=1)
    other.send("a")
    with pytest.raises(trunkline.InjectedFault):
        queue.send("a")
    assert queue.statistics().visible == 1
    queue.send("b")


def test_a_ticket_meets_the_fault_of_its_commit(engine):
    ticket = engine.queue("q").send_nowait("a")
    engine.faults.error("commit", times=2)
    with pytest.raises(trunkline.InjectedFault):
        ticket.wait()
    with pytest.raises(trunkline.InjectedFault):
        ticket.wait(timeout=5)
    assert ticket.wait().message_id == ticket.message_id


def test_a_loop_meets_the_same_faults(engine):
    async def main():
        queue = trunkline.aio.wrap(engine).queue("q")
        faults = engine.faults
        faults.error("receive", after=1, times=1)
        assert await queue.receive(wait=0.1) == []
        with pytest.raises(trunkline.InjectedFault):
            await queue.receive(wait=0.1)
        faults.error("commit", queue="q", times=1)
        with pytest.raises(trunkline.InjectedFault):
            await queue.send("a")
        faults.duplicate(times=1)
        assert [m.text() for m in await queue.receive()] == ["a"]
        (message,) = await queue.receive()
        for verb, call in (
            ("send", lambda: queue.send("b", delay=0)),
            ("send", lambda: queue.send_batch(["b"])),
            ("extend", lambda: queue.extend(message, 5)),
            ("extend", lambda: queue.extend_batch([message], 5)),
            ("extend", lambda: message.extend(5)),
            ("extend", lambda: message.release()),
            ("delete", lambda: queue.delete(message)),
            ("delete", lambda: queue.delete_batch([message])),
            ("delete", lambda: message.delete()),
        ):
            faults.error(verb, times=1)
            with pytest.raises(trunkline.InjectedFault):
                await call()
            assert len(faults) == 0
        await message.delete()
        assert queue.statistics().total == 0

    asyncio.run(main())


@pytest.mark.parametrize("verb", ["send", "receive", "delete", "extend", "commit"])
def test_an_injected_delay_does_not_hold_a_loop_up(engine, verb):
    async def main():
        queue = trunkline.aio.wrap(engine).queue("q")
        await queue.send_batch(["a", "b"])
        (message,) = await queue.receive()
        calls = {
            "send": lambda: queue.send("c"),
            "receive": lambda: queue.receive(),
            "delete": lambda: message.delete(),
            "extend": lambda: queue.extend(message, 5),
            "commit": lambda: queue.send("c"),
        }
        engine.faults.delay(verb, DELAY_SECONDS, times=1)
        begin = time.monotonic()
        turns = await turns_during(calls[verb]())
        assert time.monotonic() - begin >= DELAY_SECONDS
        assert turns > 10, "the loop turned meanwhile"

    asyncio.run(main())


@pytest.mark.parametrize("durable", [False, True])
def test_a_commit_fault_strikes_each_kind_of_resource_and_leaves_the_verb_done(
    durable: bool, tmp_path: Path
) -> None:
    with trunkline.open(tmp_path / "data" if durable else None) as engine:
        queue, topic, bus = engine.queue("q"), engine.topic("orders"), engine.bus()
        topic.subscribe(queue)
        bus.rule("all", {"source": ["shop"]}, queue)
        schedule = engine.schedule("tick", "at(2199-01-01T00:00:00)", queue)
        event = {"source": "shop", "detail-type": "Paid", "detail": {}}
        for verb in (
            lambda: topic.publish("a"),
            lambda: topic.publish_batch(["b"]),
            lambda: topic.subscribe(engine.queue("other")),
            lambda: bus.put(event),
            lambda: bus.put_batch([event]),
            lambda: schedule.pause(),
        ):
            engine.faults.error("commit", times=1)
            with pytest.raises(trunkline.InjectedFault):
                verb()
            engine.faults.clear()
        assert queue.statistics().visible == 4
        assert len(list(topic.subscriptions())) == 2


EVENT = {"source": "shop", "detail-type": "Order", "detail": {}}


def test_a_publish_and_a_put_fail_before_they_do_anything(engine):
    target, other = engine.queue("q"), engine.topic("other")
    orders, bus = engine.topic("orders"), engine.bus("shop")
    orders.subscribe(target)
    bus.rule("all", {"source": ["shop"]}, target)
    engine.faults.error("publish", "no", topic="orders", after=1, times=1)
    engine.faults.error("put", "no", bus="shop", times=1)
    other.publish("a")
    orders.publish("a")
    with pytest.raises(trunkline.InjectedFault, match="no"):
        orders.publish("b")
    with pytest.raises(trunkline.InjectedFault, match="no"):
        bus.put(EVENT)
    assert target.statistics().visible == 1
    assert (orders.publish("b").delivered, bus.put(EVENT).delivered) == (1, 1)
    assert len(engine.faults) == 0


def test_a_batch_tells_which_publish_and_which_put_failed(engine):
    engine.faults.error("publish", after=1, times=1)
    result = engine.topic("orders").publish_batch(["a", "b", "c"])
    assert [failed.index for failed in result.failed] == [1]
    engine.faults.error("put_event", after=1, times=1)
    put = engine.bus("shop").put_batch([EVENT, EVENT, EVENT])
    assert [failed.index for failed in put.failed] == [1]


def test_a_publish_and_a_put_are_delayed_and_their_commits_fail(engine):
    orders, bus = engine.topic("orders"), engine.bus("shop")
    orders.subscribe(engine.queue("q"))
    bus.rule("all", {"source": ["shop"]}, engine.queue("q"))
    engine.faults.delay("publish", 0.1, times=1)
    engine.faults.delay("put", 0.1, bus="shop", times=1)
    start = time.monotonic()
    orders.publish("a")
    bus.put(EVENT)
    assert time.monotonic() - start >= 0.2
    engine.faults.error("commit", topic="orders", times=1)
    engine.faults.error("commit", bus="shop", times=1)
    with pytest.raises(trunkline.InjectedFault):
        orders.publish("a")
    with pytest.raises(trunkline.InjectedFault):
        bus.put(EVENT)
    assert engine.queue("q").statistics().visible == 4


def test_a_rule_of_another_kind_of_resource_is_refused(engine):
    for verb, named in [
        ("publish", {"queue": "q"}),
        ("put_event", {"stream": "s"}),
        ("send", {"topic": "t"}),
        ("put", {"topic": "t"}),
        ("commit", {"queue": "q", "bus": "b"}),
    ]:
        with pytest.raises(trunkline.InvalidParameterValue, match="parameter"):
            engine.faults.error(verb, **named)
    assert len(engine.faults) == 0
