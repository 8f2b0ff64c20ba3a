"""A process that carries out executions and kills itself: the program of `test_kill_executions.py`.

    execution_traffic.py FOLDER CALLS EXECUTIONS KILL_AFTER

It starts what is not started yet, and ends with a line of JSON once every execution has ended.
"""

from __future__ import annotations

import json
import os
import sys
import threading

import trunkline

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:"


def task(name: str, **rest: object) -> dict[str, object]:
    return {"Type": "Task", "Resource": FUNCTION + name, **rest}


DEFINITION = {
    "StartAt": "Charge",
    "States": {
        "Charge": task("charge", Next="Both"),
        "Both": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "Reserve", "States": {"Reserve": task("reserve", End=True)}},
                {
                    "StartAt": "Pause",
                    "States": {"Pause": {"Type": "Wait", "Seconds": 0, "End": True}},
                },
            ],
            "ResultPath": "$.both",
            "Next": "Ship",
        },
        "Ship": task("ship", End=True),
    },
}


def main(folder: str, calls: str, executions: int, kill_after: int) -> None:
    lock, count = threading.Lock(), 0
    # Each line is a call of its own, so that a kill loses none.
    written = os.open(calls, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def function(name: str):  # type: ignore[no-untyped-def]
        def call(given: dict[str, object]) -> dict[str, object]:
            nonlocal count
            with lock:
                count += 1
                if count == kill_after:
                    os.kill(os.getpid(), 9)
                os.write(written, f"{name} {given['number']}\n".encode())
            return {**given, name: True}

        return call

    engine = trunkline.open(folder)
    functions = {name: function(name) for name in ("charge", "reserve", "ship")}
    machine = engine.machine("orders", DEFINITION, functions=functions)
    known = {execution.name for execution in machine.executions()}
    for number in range(executions):
        if f"order-{number}" not in known:
            machine.start({"number": number}, name=f"order-{number}")
    ends = []
    for number in range(executions):
        execution = machine.execution(f"order-{number}").wait(300)
        ends.append((execution.status, execution.output, execution.history()))
    engine.close()
    print(json.dumps(ends))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
