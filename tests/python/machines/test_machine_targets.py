"""State machines as targets of topics, rules and schedules, in process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

import trunkline
from trunkline.machines.targets import targets_of

DEFINITION = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}}
EVENT = {"source": "shop", "detail-type": "Order", "detail": {"id": 7}}


def outputs(machine: trunkline.StateMachine, count: int) -> list[Any]:
    """The outputs of so many executions, the oldest first: threads of the engine start them."""
    until = monotonic() + 10
    while len(machine.executions("SUCCEEDED")) < count and monotonic() < until:
        sleep(0.01)
    return [execution.output for execution in reversed(machine.executions())]


def test_a_topic_a_rule_and_a_schedule_start_executions() -> None:
    clock = trunkline.VirtualClock(1_900_000_000)
    with trunkline.open(clock=clock) as engine:
        machine = engine.machine("checkout", DEFINITION)
        topic = engine.topic("orders")
        subscription = topic.subscribe(machine, filter={"kind": ["order"]})
        assert topic.publish('{"id": 7}', attributes={"kind": "order"}).matched == 1
        assert topic.publish("other", attributes={"kind": "tea"}).matched == 0
        assert outputs(machine, 1) == [{"id": 7}]
        topic.publish("no JSON", attributes={"kind": "order"})
        assert outputs(machine, 2)[1:] == ["no JSON"]
        rule = engine.bus().rule("all", {"source": ["shop"]}, machine, input_path="$.detail")
        assert engine.bus().put(EVENT).matched == 1
        assert outputs(machine, 3)[2:] == [{"id": 7}]
        schedule = engine.schedule("tick", "rate(1 minute)", machine, input={"tick": 1})
        clock.advance(60)  # The first time is that of its creation.
        assert outputs(machine, 5)[3:] == [{"tick": 1}, {"tick": 1}]
        place = "of account 000000000000 in us-east-1"
        assert rule.targets()[0]["address"] == f"state machine checkout {place}"
        assert repr(subscription.target) == "<StateMachine 'checkout'>"
        assert schedule.settings()["target"] == "machine checkout"


def test_deliveries_wait_for_a_machine_over_a_restart(tmp_path: Path) -> None:
    with trunkline.open(tmp_path / "data") as engine:
        machine = engine.machine("checkout", DEFINITION)
        engine.topic("orders").subscribe(machine)
    with trunkline.open(tmp_path / "data") as engine:
        engine.topic("orders").publish("1")
        assert outputs(engine.machine("checkout"), 1) == [1]


def test_a_delivery_that_is_handed_out_twice_starts_one_execution() -> None:
    class Twice:
        body = b"{}"
        sequence = 5

    with trunkline.open() as engine:
        machine = engine.machine("checkout", DEFINITION)
        id = targets_of(engine._core).id(machine)
        start = targets_of(engine._core)._starter(machine._name, id).start
        start(Twice())  # type: ignore[arg-type]
        start(Twice())  # type: ignore[arg-type]
        assert outputs(machine, 1) == [{}]


def test_what_cannot_be_an_input_is_given_up() -> None:
    with trunkline.open() as engine:
        machine = engine.machine("checkout", DEFINITION)
        topic = engine.topic("orders")
        topic.subscribe(machine)
        id = targets_of(engine._core).id(machine)
        topic.publish("x" * 262_144)
        topic.publish(b"\xff")
        topic.publish("[" * 200_000)
        until = monotonic() + 10
        while len(engine._core.outbox().failures(id)) < 3 and monotonic() < until:
            sleep(0.01)
        failed = engine._core.outbox().failures(id)
        assert [one["reason"] for one in failed] == ["the destination refused it"] * 3, failed
        assert machine.executions() == []


def test_a_machine_that_is_removed_is_no_target_any_more() -> None:
    with trunkline.open() as engine:
        machine = engine.machine("checkout", DEFINITION)
        topic, left = engine.topic("orders"), engine.queue("left")
        topic.subscribe(machine, dead_letter=left)
        machine.remove()
        topic.publish("late")
        assert [message.text() for message in left.receive()] == ["late"]


@pytest.mark.parametrize(
    ("subscribe", "why"),
    [
        (lambda engine, one: engine.topic("t.fifo").subscribe(one), "A FIFO topic keeps order"),
        (lambda engine, one: engine.topic("t").subscribe(one, raw=False), "gets the message alone"),
        (lambda _, one: trunkline.open().topic("t").subscribe(one), "another engine"),
        (lambda _, one: trunkline.open().bus().rule("r", {"source": ["a"]}, one), "another engine"),
        (lambda _, one: trunkline.open().schedule("s", "rate(1 day)", one), "another engine"),
    ],
)
def test_a_target_that_does_not_fit_is_refused(
    subscribe: Callable[[trunkline.Engine, trunkline.StateMachine], object], why: str
) -> None:
    with trunkline.open() as engine:
        machine = engine.machine("checkout", DEFINITION)
        with pytest.raises(trunkline.InvalidParameterValue, match=why):
            subscribe(engine, machine)
        assert targets_of(engine._core)._outbox.destinations() == []
