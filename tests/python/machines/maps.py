"""Definitions with a distributed map, for the tests of map runs."""

from __future__ import annotations

WORK = "arn:aws:lambda:us-east-1:000000000000:function:work"


def mapped(*, express=False, task=False, **state):
    inner = {"Type": "Pass", "End": True}
    if task:
        inner = {"Type": "Task", "Resource": WORK, "End": True}
    kind = "EXPRESS" if express else "STANDARD"
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": kind},
        "StartAt": "One",
        "States": {"One": inner},
    }
    every = {"Type": "Map", "ItemProcessor": processor, "Label": "each", "End": True, **state}
    return {"StartAt": "Map", "States": {"Map": every}}


def run(engine, definition, input=None, functions=None):
    machine = engine.machine("maps", definition, functions=functions)
    return machine.start(input).wait(60)
