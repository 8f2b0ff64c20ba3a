"""Several targets of a rule; streams and topics as targets; what subscribes to topics."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

import trunkline
from trunkline import VirtualClock

EVENT = {"source": "shop", "detail-type": "t", "detail": {"user": "ann", "n": 1}}


def test_targets_are_added_replaced_and_removed() -> None:
    engine = trunkline.open()
    bus, first, second = engine.bus(), engine.queue("first"), engine.queue("second")
    rule = bus.rule("all", {"source": ["shop"]}, first)
    rule.add_target(second, id="copy", input_path="$.detail.n")
    rule.add_target(second, id="copy", input_path="$.detail.user")
    assert [target["id"] for target in rule.targets()] == ["main", "copy"]
    assert bus.put(EVENT).delivered == 2
    assert second.receive()[0].json() == "ann"
    rule.remove_target("main")
    rule.remove_target("main")
    assert bus.put(EVENT).delivered == 1
    for number in range(4):
        rule.add_target(first, id=str(number))
    with pytest.raises(trunkline.OverLimit, match="at most 5"):
        rule.add_target(first, id="six")
    assert len(rule.targets()) == 5
    rule.remove()
    with pytest.raises(trunkline.NotFound):
        rule.add_target(first, id="late")


def test_each_function_gets_the_events_of_its_own_target() -> None:
    engine = trunkline.open()
    got: list[tuple[str, int]] = []
    called = threading.Semaphore(0)

    def note(name: str) -> Any:
        def handle(event: Any) -> None:
            got.append((name, event["detail"]["n"]))
            called.release()

        return handle

    rule = engine.bus().rule("all", {"source": ["shop"]}, note("main"))
    rule.add_target(note("second"), id="second")
    engine.bus().put(EVENT)
    assert all(called.acquire(timeout=60) for _ in range(2))
    assert sorted(got) == [("main", 1), ("second", 1)]
    got.clear()
    rule.add_target(note("other"), id="second")
    rule.remove_target("main")
    engine.bus().put(EVENT)
    assert called.acquire(timeout=60)
    assert got == [("other", 1)]
    engine.bus().rule("all", {"source": ["shop"]}, note("new"))
    engine.bus().put(EVENT)
    assert called.acquire(timeout=60)
    assert got[1:] == [("new", 1)]


def test_a_stream_and_a_topic_are_targets_of_a_rule() -> None:
    engine = trunkline.open()
    stream, topic, queue = engine.stream("s"), engine.topic("t"), engine.queue("q")
    topic.subscribe(queue)
    rule = engine.bus().rule(
        "all", {"source": ["shop"]}, stream, partition_key_path="$.detail.user"
    )
    rule.add_target(topic, id="topic", input_path="$.detail.n")
    assert engine.bus().put(EVENT).delivered == 2
    (record,) = stream.read()
    assert (record.key, record.json()["detail"]["n"]) == ("ann", 1)
    assert queue.receive()[0].json() == 1
    assert rule.targets()[0]["partition_key_path"] == "$.detail.user"
    with pytest.raises(trunkline.InvalidParameterValue, match="no stream"):
        rule.add_target(queue, id="q", partition_key_path="$.id")
    with pytest.raises(TypeError, match="a Stream"):
        rule.add_target(7, id="q")  # type: ignore[arg-type]


def test_a_stream_and_a_bus_subscribe_to_a_topic() -> None:
    engine = trunkline.open()
    stream, bus, queue, topic = (
        engine.stream("s"),
        engine.bus(),
        engine.queue("q"),
        engine.topic("t"),
    )
    bus.rule("told", {"source": ["trunkline.topic"]}, queue)
    first = topic.subscribe(stream)
    second = topic.subscribe(bus, raw=False)
    assert topic.publish("hello", group="g").matched == 2
    assert [(record.key, record.text()) for record in stream.read()] == [("g", "hello")]
    event = queue.receive()[0].json()
    assert (event["detail"]["Message"], event["resources"]) == ("hello", [topic.arn])
    assert isinstance(first.target, trunkline.Stream)
    assert first.target.name == "s"
    assert second.target == bus
    assert topic.subscribe(stream) == first
    bus.remove()
    with pytest.raises(trunkline.ResourceNotFound, match="target of the subscription"):
        _ = second.target
    with pytest.raises(trunkline.UnsupportedOperation, match="topic cannot be subscribed"):
        topic.subscribe(engine.topic("other"))  # type: ignore[arg-type]


def test_a_schedule_puts_into_a_stream_and_publishes_to_a_topic() -> None:
    clock = VirtualClock()
    engine = trunkline.open(clock=clock)
    stream, topic, queue = engine.stream("s"), engine.topic("t"), engine.queue("q")
    topic.subscribe(queue)
    with pytest.raises(trunkline.ValidationException, match="partition key"):
        engine.schedule("tick", "rate(1 hour)", stream)
    engine.schedule("tick", "rate(1 hour)", stream, group="k", input="tick")
    engine.schedule("tock", "rate(1 hour)", topic, input="tock")
    clock.advance(3_600)
    assert [(record.key, record.text()) for record in stream.read()] == [("k", "tick")] * 2
    assert [message.text() for message in queue.receive(max=10)] == ["tock"] * 2


def test_asyncio_adds_coroutine_functions_as_targets() -> None:
    async def main() -> list[int]:
        engine = trunkline.aio.open()
        got: asyncio.Queue[int] = asyncio.Queue()

        async def handle(event: Any) -> None:
            got.put_nowait(event["detail"]["n"])

        rule = await engine.bus().rule("all", {"source": ["shop"]}, engine.queue("q"))
        await rule.add_target(handle, id="handler")
        await rule.add_target(engine.stream("s"), id="stream")
        assert (await engine.bus().put(EVENT)).delivered == 3
        return [await asyncio.wait_for(got.get(), 20)]

    assert asyncio.run(main()) == [1]
