"""A program to be killed: executions start, call a function, wait a moment and end.

Usage: machine_traffic.py FOLDER ROUND. It says `S NAME` once a start was acknowledged.
"""

import itertools
import os
import sys
import threading

import trunkline

CHARGE = "arn:aws:lambda:us-east-1:000000000000:function:charge"
THREADS = 2

DEFINITION = {
    "StartAt": "Charge",
    "States": {
        "Charge": {"Type": "Task", "Resource": CHARGE, "Next": "Cool down"},
        "Cool down": {"Type": "Wait", "Seconds": 1, "Next": "Done"},
        "Done": {"Type": "Pass", "End": True},
    },
}


def machine_of(engine: trunkline.Engine) -> trunkline.StateMachine:
    """The machine of the traffic, with its function."""
    return engine.machine("orders", DEFINITION, functions={"charge": lambda order: order})


def start(machine: trunkline.StateMachine, name: str) -> None:
    """Start executions for ever."""
    for number in itertools.count():
        full = f"{name}-{number}"
        machine.start({"order": full}, name=full)
        os.write(1, f"S {full}\n".encode())


def main() -> None:
    folder, round_ = sys.argv[1:]
    machine = machine_of(trunkline.open(folder))
    for thread in range(THREADS):
        name = f"{round_}-{thread}"
        threading.Thread(target=start, args=(machine, name), daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
