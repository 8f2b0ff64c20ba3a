"""Rules, subscriptions and schedules refuse targets, retries and inputs that they cannot keep."""

from __future__ import annotations

import sys
import threading
from datetime import datetime, timedelta, timezone

import pytest

import trunkline
from trunkline.errors import InvalidParameterValue, ValidationException

EVENT = {"source": "shop", "detail-type": "t", "detail": {}}
PATTERN = {"source": ["shop"]}


@pytest.fixture
def engine():
    with trunkline.open(clock=trunkline.VirtualClock()) as engine:
        yield engine


def test_a_name_an_account_and_a_region_of_another_type_are_told_by_their_field(engine):
    for make in (engine.bus, engine.topic, engine.stream, engine.queue):
        for field in ("account", "region"):
            with pytest.raises(TypeError, match=f"^{field} must be a str, not int"):
                make("x", **{field: 1})
    for make in (engine.bus, engine.topic):
        with pytest.raises(TypeError, match="name must be a str, not int"):
            make(1)
    for find in (engine.buses, engine.topics, engine.streams, engine.queues):
        with pytest.raises(TypeError, match=r"^prefix must be a str, not bytes"):
            find(b"x")
    stream = engine.stream("s")
    for field in ("shard", "after"):
        with pytest.raises(TypeError, match=f"^{field} must be a str, not int"):
            list(stream.read(**{field: 0}))


def nested(depth):
    value = {}
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize("field", ["target", "dead_letter"])
def test_queues_of_another_engine_are_refused(engine, field):
    # Both queues have the same id: taken by its id, one would stand for the other.
    own = engine.queue("own")
    with trunkline.open() as other:
        foreign = other.queue("foreign")
        named = {"target": own, field: foreign}
        for call in (
            lambda: engine.bus().rule("r", PATTERN, **named),
            lambda: engine.topic("t").subscribe(**named),
            lambda: engine.schedule("s", "rate(1 hour)", **named),
        ):
            with pytest.raises(InvalidParameterValue, match=f"{field}.*another engine"):
                call()
    assert engine.bus().rules() == engine.topic("t").subscriptions() == engine.schedules() == []


def test_buses_of_another_engine_are_refused(engine):
    with trunkline.open() as other, pytest.raises(InvalidParameterValue, match="another engine"):
        engine.bus("a").rule("r", PATTERN, other.bus("b"))


@pytest.mark.parametrize("value", [True, 0, 1.5, b"", [], {}, object(), len])
def test_a_dead_letter_queue_is_a_queue(engine, value):
    queue = engine.queue("q")
    for call in (
        lambda: engine.bus().rule("r", PATTERN, queue, dead_letter=value),
        lambda: engine.topic("t").subscribe(queue, dead_letter=value),
        lambda: engine.schedule("s", "rate(1 hour)", queue, dead_letter=value),
    ):
        with pytest.raises(TypeError, match="dead_letter must be a Queue"):
            call()


@pytest.mark.parametrize("value", ["", b"", [], (), 3, True])
def test_a_retry_policy_is_a_dict(engine, value):
    with pytest.raises(TypeError, match="retry must be a dict"):
        engine.bus().rule("r", PATTERN, engine.queue("q"), retry=value)
    with pytest.raises(TypeError, match="retry must be a dict"):
        engine.topic("t").subscribe("http://127.0.0.1:9/", retry=value)


@pytest.mark.parametrize("value", [True, 5, [], b"$.a", object()])
def test_input_path_is_a_path_or_a_mapping(engine, value):
    with pytest.raises(TypeError, match="input_path must be"):
        engine.bus().rule("r", PATTERN, print, input_path=value, input_template="<a>")


def test_an_input_that_is_no_text_is_refused(engine):
    queue = engine.queue("q")
    with pytest.raises(InvalidParameterValue, match=r"input .*UTF-8"):
        engine.bus().rule("r", PATTERN, queue, input=b"\xff")
    for value in ("\ud800", {"a": "\ud800"}, {"a": float("nan")}, nested(100_000)):
        with pytest.raises(ValidationException, match=r"^input: "):
            engine.schedule("s", "rate(1 hour)", queue, input=value)
    with pytest.raises(ValidationException, match=r"^group: "):
        engine.schedule("s", "rate(1 hour)", queue, group="\ud800")
    with pytest.raises(TypeError, match="group must be a str"):
        engine.schedule("s", "rate(1 hour)", queue, group=5)


def test_a_filter_nested_too_deeply_is_refused(engine):
    topic, queue = engine.topic("t"), engine.queue("q")
    for filter in (nested(100_000), {"a": [float("nan")]}):
        with pytest.raises(InvalidParameterValue, match="filter"):
            topic.subscribe(queue, filter=filter)
    with pytest.raises(TypeError, match="filter_scope must be a str"):
        topic.subscribe(queue, filter_scope=nested(100_000))
    with pytest.raises(TypeError, match="dedup_scope must be a str"):
        engine.topic("t.fifo", dedup_scope=nested(100_000))


def test_a_time_outside_the_years_of_utc_is_refused(engine):
    early = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
    with pytest.raises(InvalidParameterValue, match="time"):
        engine.bus().put({**EVENT, "time": early})


def test_errors_do_not_repeat_a_huge_argument(engine):
    huge = "x" * 300_000
    queue = engine.queue("q")
    for call in (
        lambda: engine.bus().rule("r", PATTERN, huge),
        lambda: engine.topic("t").subscribe(huge),
        lambda: engine.schedule("s", "rate(1 hour)", queue, dead_letter=huge),
    ):
        with pytest.raises(trunkline.TrunklineError) as refused:
            call()
        assert len(str(refused.value)) < 1_000


class Unshowable(Exception):
    def __str__(self):
        raise RuntimeError("no text")


@pytest.mark.parametrize("error", [SystemExit(3), ValueError("\ud800"), Unshowable()])
def test_whatever_a_function_raises_its_thread_goes_on(error):
    calls, second = [], threading.Event()

    def handle(event):
        calls.append(event["detail"]["n"])
        if len(calls) == 1:
            raise error
        if event["detail"]["n"] == 2:
            second.set()

    with trunkline.open() as engine:
        bus = engine.bus()
        bus.rule("r", PATTERN, handle)
        bus.put({**EVENT, "detail": {"n": 1}})
        bus.put({**EVENT, "detail": {"n": 2}})
        assert second.wait(60), (calls, sys.exc_info())
