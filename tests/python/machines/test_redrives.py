"""Redrives of distributed maps: which children are kept, and which go on."""

from __future__ import annotations

import json
from threading import Event

from maps import mapped, run

import trunkline
from tests.waiting import until
from trunkline.machines.map_runs.again import Again


def test_children_that_failed_are_kept_beside_the_run_until_it_is_redriven(monkeypatch, tmp_path):
    monkeypatch.setattr("trunkline.machines.map_runs.run.CHECKPOINT_CHILDREN", 10)
    is_good = Event()

    def work(item):
        if item % 2 and not is_good.is_set():
            raise LookupError(item)
        return item

    items = list(range(200))
    definition = mapped(task=True, ToleratedFailureCount=99)
    with trunkline.open(tmp_path) as engine:
        execution = run(engine, definition, items, {"work": work})
        assert execution.error == "States.ExceedToleratedFailureThreshold"
        machine = engine.machine("maps")
        runs = machine._runtime().map_runs
        (kept,) = runs.of_execution(machine.arn, execution.name)
        assert "failed" not in kept
        # Those that the end of the run stopped, too.
        failed = {int(index) for part in runs.records.failed(kept) for index in part}
        assert failed >= set(items[1::2])
        # A checkpoint writes what came since the last one.
        parts = [f"states-map-failed/{kept['arn']}/{number}" for number in range(10)]
        found = [json.loads(runs.records._store.document(part)) for part in parts]
        assert max(map(len, found)) <= 10
    is_good.set()
    with trunkline.open(tmp_path) as engine:
        machine = engine.machine("maps", functions={"work": work})
        execution = machine.execution(execution.name)
        execution.redrive()
        assert execution.wait(60).output == items
        (kept,) = machine._runtime().map_runs.of_execution(machine.arn, execution.name)
        assert "failed_parts" not in kept


def test_a_run_is_redriven_until_all_children_have_ended_well(monkeypatch, tmp_path):
    monkeypatch.setattr("trunkline.machines.map_runs.run.CHECKPOINT_CHILDREN", 10)
    is_good, may_end, called = Event(), Event(), []

    def work(item):
        called.append(item)
        if item % 2 and not is_good.is_set():
            raise LookupError(item)
        if item == 31:
            may_end.wait(60)
        return item

    def again(machine, execution):
        (kept,) = machine._runtime().map_runs.of_execution(machine.arn, execution.name)
        return kept["again"]["children"]

    items = list(range(200))
    definition = mapped(task=True, ToleratedFailureCount=49, MaxConcurrency=1)
    with trunkline.open(tmp_path) as engine:
        execution = run(engine, definition, items, {"work": work})
        assert execution.error == "States.ExceedToleratedFailureThreshold"
        machine = engine.machine("maps")
        # It is stopped at a child, and then the engine is closed there.
        is_good.set()
        for calls in (2, 3):
            execution.redrive()
            until(lambda calls=calls: called.count(31) == calls)
            assert again(machine, execution) == len(items[33:100:2])
            if calls == 2:
                execution.stop()
                until(lambda: not machine._runtime().map_runs.running())
    may_end.set()
    with trunkline.open(tmp_path) as engine:
        machine = engine.machine("maps", functions={"work": work})
        execution = machine.execution(execution.name).wait(60)
        assert execution.output == items
        runs = machine._runtime().map_runs
        until(lambda: not runs.running())
        (kept,) = runs.of_execution(machine.arn, execution.name)
        assert not {"again", "again_from", "failed_from", "failed_parts"} & kept.keys()


def test_children_that_go_on_take_one_bit_each():
    again = Again()
    again.add({str(index): 2 for index in range(0, 800_000, 2)})
    again.add({"4": 2, "6": 2})
    assert len(again._bits) == 100_000
    assert [again.take(index, 2) for index in (0, 1, 2, 0, 9_000_000)] == [1, 0, 1, 0, 0]
    assert again.counts() == {"behind": 9_000_001, "children": 399_998, "items": 799_996}
    # As after a crash: those before the last one have gone on.
    later = Again(again.behind)
    later.add({"8": 2, "9000001": 3})
    assert (later.children, later.items) == (1, 3)
