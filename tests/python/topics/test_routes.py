"""A publish goes to what is subscribed now, whatever was found for the publishes before it."""

from __future__ import annotations

import pytest

import trunkline


def _bodies(queue: trunkline.Queue) -> list[str]:
    messages = queue.receive(10)
    queue.delete_batch(messages)
    return sorted(message.text() for message in messages)


def test_every_change_of_subscriptions_and_queues_is_seen_by_the_next_publish() -> None:
    with trunkline.open() as engine:
        topic = engine.topic("orders")
        first, second = engine.queue("first"), engine.queue("second")
        mine = topic.subscribe(first)
        assert topic.publish("1").delivered == 1
        other = topic.subscribe(second)
        assert topic.publish("2").delivered == 2
        other.configure(filter={"kind": ["paid"]})
        assert topic.publish("3").matched == 1
        assert topic.publish("4", attributes={"kind": "paid"}).matched == 2
        other.configure(filter={})
        assert topic.publish("5").delivered == 2
        mine.remove()
        assert topic.publish("6").delivered == 1
        assert _bodies(first) == ["1", "2", "3", "4", "5"]
        assert _bodies(second) == ["2", "4", "5", "6"]
        second.remove()
        sent = topic.publish("7")
        assert (sent.matched, sent.delivered) == (1, 0)
        again = engine.queue("second")
        topic.subscribe(again)
        assert topic.publish("8").delivered == 1
        assert _bodies(again) == ["8"]
        statistics = topic.statistics()
        assert statistics["published"] == 8


@pytest.mark.parametrize("body", ["short", "l" * 1_000])
def test_queues_with_rules_of_their_own_take_a_plain_publish_by_them(body: str) -> None:
    clock = trunkline.VirtualClock()
    with trunkline.open(clock=clock) as engine:
        topic = engine.topic("orders")
        plain, late, small = engine.queue("plain"), engine.queue("late"), engine.queue("small")
        for queue in (plain, late, small):
            topic.subscribe(queue)
        assert topic.publish(body).delivered == 3
        late.configure(delay=60)
        small.configure(max_message_size=1_024)
        assert topic.publish(body * 2).delivered == (3 if len(body) < 500 else 2)
        assert _bodies(plain) == sorted([body, body * 2])
        assert _bodies(late) == [body]
        clock.advance(60)
        assert _bodies(late) == [body * 2]
        assert body in _bodies(small)


def test_a_long_poll_is_woken_by_a_plain_publish_and_the_closed_engine_refuses() -> None:
    engine = trunkline.open()
    topic, queue = engine.topic("orders"), engine.queue("first")
    topic.subscribe(queue)
    topic.publish("1")
    assert _bodies(queue) == ["1"]
    engine.close()
    with pytest.raises(trunkline.EngineClosed):
        topic.publish("2")
