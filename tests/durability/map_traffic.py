"""A process that carries out distributed maps and kills itself: the program of `test_kill_maps.py`.

    map_traffic.py FOLDER CALLS MAPS ITEMS KILL_AFTER

It starts what is not started yet, and ends with a line of JSON once every execution has ended.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time

import trunkline
from trunkline.machines.runtime import runtime_of

WORK = "arn:aws:lambda:us-east-1:000000000000:function:work"


def definition(batch: int) -> dict[str, object]:
    """A map over lines of an object; those that do not divide by seven go well."""
    every: dict[str, object] = {
        "Type": "Map",
        "Label": "each",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSONL"},
            "Parameters": {"Bucket": "data", "Key": "items"},
        },
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Work",
            "States": {
                "Work": {"Type": "Task", "Resource": WORK, "Next": "Pause"},
                "Pause": {"Type": "Wait", "Seconds": 0, "End": True},
            },
        },
        "ToleratedFailurePercentage": 50,
        "ResultPath": "$.results",
        "Next": "Done",
    }
    if batch:
        every["ItemBatcher"] = {"MaxItemsPerBatch": batch}
    return {"StartAt": "Map", "States": {"Map": every, "Done": {"Type": "Succeed"}}}


def main(folder: str, calls: str, maps: int, items: int, kill_after: int) -> None:
    lock, count = threading.Lock(), 0
    # Each line is a call of its own, so that a kill loses none.
    written = os.open(calls, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def work(given: object) -> object:
        nonlocal count
        with lock:
            count += 1
            if count == kill_after:
                os.kill(os.getpid(), 9)
            os.write(written, f"{json.dumps(given)}\n".encode())
        if isinstance(given, int) and given % 7 == 0:
            raise LookupError(given)
        return given

    engine = trunkline.open(folder)
    lines = "".join(f"{number}\n" for number in range(items))
    engine.bucket("data").put("items", lines)
    for number in range(maps):
        name = f"maps-{number}"
        # Every other one gives its children batches of three items.
        made = engine.machine(name, definition(3 * (number % 2)), functions={"work": work})
        if not made.executions():
            made.start({}, name="run")
    ends = []
    runtime = runtime_of(engine._core)
    for number in range(maps):
        engine.machine(f"maps-{number}").execution("run").wait(500)
    # A run that was killed between the end of its execution and its own ends once more.
    while runtime.map_runs.running():
        time.sleep(0.01)
    for number in range(maps):
        machine = engine.machine(f"maps-{number}")
        execution = machine.execution("run")
        (run,) = runtime.map_runs.of_execution(machine.arn, "run")
        children = runtime.machines.find(("000000000000", "us-east-1", f"maps-{number}/each"))
        histories = [
            [json.loads(event)["type"] for event in children.history_page(child.name, 1, 1_000)]
            for child in children.executions()
        ]
        history = [event["type"] for event in execution.history()]
        ends.append((execution.status, execution.output, history, run, histories))
    engine.close()
    print(json.dumps(ends))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
