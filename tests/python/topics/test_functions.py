"""Functions and coroutines that are subscribed to topics, and names of subscriptions."""

from __future__ import annotations

import asyncio
import json
import threading
from functools import partial
from pathlib import Path

import pytest

import trunkline
from trunkline import Notification, aio


@pytest.fixture
def clock() -> trunkline.VirtualClock:
    return trunkline.VirtualClock()


def test_a_function_gets_what_passes_its_filter(clock: trunkline.VirtualClock) -> None:
    topic = trunkline.open(clock=clock).topic("orders")
    seen: list[Notification] = []
    subscription = topic.subscribe(seen.append, filter={"state": ["paid"]}, name="seen")
    sent = topic.publish(b"\xff\x00", attributes={"state": "paid", "n": 1})
    topic.publish("other", attributes={"state": "open"})
    clock.advance(0)
    (message,) = seen
    assert (message.body, message.attributes) == (b"\xff\x00", {"state": "paid", "n": 1})
    assert (message.message_id, message.topic_arn) == (sent.message_id, topic.arn)
    assert message.attempt == 1
    assert (subscription.name, subscription.target) == ("seen", seen.append)
    assert repr(subscription) == "<Subscription of 'orders': 'seen'>"
    subscription.configure(filter={}, raw=False)
    topic.publish("third", subject="s")
    clock.advance(0)
    envelope = seen[1].json()
    assert (envelope["Message"], envelope["Subject"]) == ("third", "s")
    subscription.remove()
    assert topic.publish("fourth").matched == 0
    clock.advance(60)
    assert len(seen) == 2


def test_a_function_that_fails_is_called_again(clock: trunkline.VirtualClock) -> None:
    topic = trunkline.open(clock=clock).topic("orders")
    attempts: list[int] = []

    def handle(message: Notification) -> None:
        attempts.append(message.attempt)
        if len(attempts) < 3:
            raise ValueError("not yet")

    topic.subscribe(handle)
    topic.publish("one")
    clock.advance(60)
    assert attempts == [1, 2, 3]


def test_what_never_succeeds_becomes_a_dead_letter(clock: trunkline.VirtualClock) -> None:
    engine = trunkline.open(clock=clock)
    topic, dead = engine.topic("orders"), engine.queue("dead")

    def handle(message: Notification) -> None:
        raise ValueError("never")

    topic.subscribe(handle, dead_letter=dead, retry={"max_attempts": 1})
    topic.publish("one")
    clock.advance(600)
    (message,) = dead.receive()
    assert message.text() == "one"


def test_a_name_finds_the_function_again_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "data"
    clock = trunkline.VirtualClock()
    first: list[Notification] = []
    second: list[Notification] = []
    with trunkline.open(path, clock=clock) as engine:
        topic = engine.topic("orders")
        topic.subscribe(first.append, name="mine")
        topic.publish("one")
        clock.advance(0)
    with trunkline.open(path, clock=clock) as engine:
        topic = engine.topic("orders")
        topic.publish("two")
        (subscription,) = topic.subscriptions()
        assert (subscription.name, subscription.target) == ("mine", None)
        assert topic.subscribe(second.append, name="mine") == subscription
        assert topic.subscriptions() == [subscription]
        clock.advance(0)
    assert [message.text() for message in first] == ["one"]
    assert [message.text() for message in second] == ["two"]


def test_another_function_of_a_name_takes_the_place_of_the_first(
    clock: trunkline.VirtualClock,
) -> None:
    topic = trunkline.open(clock=clock).topic("orders")
    first: list[Notification] = []
    second: list[Notification] = []
    topic.subscribe(first.append, name="mine")
    topic.subscribe(second.append, name="mine")
    assert topic.publish("one").matched == 1
    clock.advance(0)
    assert (len(first), len(second)) == (0, 1)
    with pytest.raises(trunkline.InvalidParameterValue, match="different attributes"):
        topic.subscribe(first.append, name="mine", raw=False)


def test_functions_are_told_apart_by_their_own_names() -> None:
    topic = trunkline.open().topic("orders")

    def maker(number: int) -> object:
        return lambda message: number

    one, two = maker(1), maker(2)
    subscription = topic.subscribe(one)  # type: ignore[arg-type]
    assert topic.subscribe(one) == subscription  # type: ignore[arg-type]
    assert str(subscription.name).endswith("maker.<locals>.<lambda>")
    with pytest.raises(trunkline.InvalidParameterValue, match="Give name="):
        topic.subscribe(two)  # type: ignore[arg-type]
    with pytest.raises(trunkline.InvalidParameterValue, match="no name by which"):
        topic.subscribe(partial(print, "x"))
    assert topic.subscriptions() == [subscription]


def test_a_name_belongs_to_one_subscription() -> None:
    engine = trunkline.open()
    topic, queue = engine.topic("orders"), engine.queue("a")
    subscription = topic.subscribe(queue, name="mine")
    url = topic.subscribe("http://127.0.0.1:9/", name="hook")
    assert topic.subscribe("http://127.0.0.1:9/", name="hook") == url
    assert topic.subscribe(queue) == topic.subscribe(queue, name="mine") == subscription
    different = pytest.raises(trunkline.InvalidParameterValue, match="different attributes")
    with different:
        topic.subscribe(engine.queue("b"), name="mine")
    with different:
        topic.subscribe(queue, name="other")
    with different:
        topic.subscribe("http://127.0.0.1:9/other", name="hook")
    with different:
        topic.subscribe("http://127.0.0.1:9/", name="hook", retry={"max_attempts": 1})
    for name in ["", "a\nb", "x" * 257]:
        with pytest.raises(trunkline.InvalidParameterValue, match="name"):
            topic.subscribe(engine.queue("b"), name=name)
    subscription.configure(raw=False)
    assert subscription.name == "mine"
    subscription.remove()
    assert topic.subscribe(engine.queue("b"), name="mine").target == engine.queue("b")


def test_what_cannot_be_subscribed_is_refused() -> None:
    engine = trunkline.open()

    async def handle(message: Notification) -> None: ...

    with pytest.raises(TypeError, match="needs an event loop"):
        engine.topic("orders").subscribe(handle)
    with pytest.raises(trunkline.InvalidParameterValue, match="FIFO"):
        engine.topic("orders.fifo").subscribe(print)


def test_a_coroutine_runs_on_its_loop_and_is_called_again() -> None:
    async def main() -> None:
        seen: list[tuple[str, int, int]] = []
        done = asyncio.Event()

        async def handle(message: Notification) -> None:
            seen.append((message.text(), message.attempt, threading.get_ident()))
            if message.attempt == 1:
                raise ValueError("not yet")
            done.set()

        async with aio.open() as engine:
            topic = engine.topic("orders")
            subscription = await topic.subscribe(handle)
            again = await topic.subscribe(handle)
            assert again.sync == subscription.sync
            await topic.publish(json.dumps({"n": 1}))
            await asyncio.wait_for(done.wait(), 60)
        here = threading.get_ident()
        assert seen == [('{"n": 1}', 1, here), ('{"n": 1}', 2, here)]

    asyncio.run(main())
