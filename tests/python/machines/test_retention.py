"""Executions that have ended are kept for 90 days, as on AWS; those that run are not touched."""

from __future__ import annotations

import pytest

import trunkline

DAY = 86_400
PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
WAIT = {"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 365 * DAY, "End": True}}}


def test_an_execution_is_forgotten_90_days_after_its_end(tmp_path):
    engine = trunkline.open(tmp_path, clock=trunkline.VirtualClock())
    machine = engine.machine("orders", PASS)
    execution = machine.start(name="first")
    engine.clock.advance(89 * DAY)
    assert execution.status == "SUCCEEDED"
    assert execution.history() != []
    machine.start(name="second")
    engine.clock.advance(DAY)
    with pytest.raises(trunkline.ResourceNotFound, match="ended too long ago"):
        machine.execution("first")
    assert [one.name for one in machine.executions()] == ["second"]
    assert machine.execution("second").input == {}
    assert machine.start({"again": 1}, name="first").input == {"again": 1}
    engine.close()


def test_what_was_forgotten_stays_forgotten(tmp_path):
    start = 1_800_000_000
    with trunkline.open(tmp_path, clock=trunkline.VirtualClock(start)) as engine:
        machine = engine.machine("orders", PASS)
        machine.start(name="first")
        engine.clock.advance(91 * DAY)
    with trunkline.open(tmp_path, clock=trunkline.VirtualClock(start + 91 * DAY)) as engine:
        assert engine.machine("orders").executions() == []
        engine.machine("orders").start(name="second")
    # A folder that was closed meanwhile forgets when it is opened.
    with trunkline.open(tmp_path, clock=trunkline.VirtualClock(start + 200 * DAY)) as engine:
        assert engine.machine("orders").executions() == []


def test_an_execution_that_runs_is_kept_with_its_whole_history():
    engine = trunkline.open(clock=trunkline.VirtualClock())
    machine = engine.machine("waits", WAIT)
    waits = machine.start(name="waits")
    stopped = machine.start(name="stopped")
    stopped.stop()
    engine.clock.advance(200 * DAY)
    assert [one.name for one in machine.executions()] == ["waits"]
    engine.clock.advance(165 * DAY)
    assert [event["id"] for event in waits.history()] == [1, 2, 3, 4]


def test_an_execution_that_is_redriven_is_kept_again():
    engine = trunkline.open(clock=trunkline.VirtualClock())
    execution = engine.machine("waits", WAIT).start()
    execution.stop()
    engine.clock.advance(80 * DAY)
    execution.redrive()
    engine.clock.advance(20 * DAY)
    assert execution.status == "RUNNING"
