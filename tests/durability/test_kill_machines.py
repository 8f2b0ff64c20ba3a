"""`kill -9` among executions: none that was acknowledged is lost, and each has a whole history."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import trunkline

from .machine_traffic import machine_of

ROUNDS = 4
TRAFFIC = Path(__file__).with_name("machine_traffic.py")
PATIENCE = 60

WHOLE = [
    "ExecutionStarted",
    "TaskStateEntered",
    "LambdaFunctionScheduled",
    "LambdaFunctionStarted",
    "LambdaFunctionSucceeded",
    "TaskStateExited",
    "WaitStateEntered",
    "WaitStateExited",
    "PassStateEntered",
    "PassStateExited",
    "ExecutionSucceeded",
]


def run_and_kill(folder: Path, round_: int, lines: int) -> set[str]:
    """The names of the executions whose start was acknowledged before the kill."""
    command = [sys.executable, str(TRAFFIC), str(folder), str(round_)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        output = b"".join(process.stdout.readline() for _ in range(lines))
        process.kill()
        output += process.stdout.read()
    assert process.returncode == -signal.SIGKILL
    return {line.removeprefix("S ") for line in output.decode().splitlines()}


def test_executions_go_on_where_a_kill_left_them(tmp_path: Path) -> None:
    folder, started = tmp_path / "data", set[str]()
    for round_ in range(ROUNDS):
        started |= run_and_kill(folder, round_, 10 + 25 * round_)
    with trunkline.open(folder) as engine:
        machine = machine_of(engine)
        lost = started - {execution.name for execution in machine.executions()}
        assert not lost, f"{len(lost)} acknowledged executions are gone, such as {min(lost)}"
        for execution in machine.executions():
            assert execution.wait(PATIENCE).status == "SUCCEEDED", execution.name
            assert execution.output == {"order": execution.name}
            history = execution.history()
            assert [event["type"] for event in history] == WHOLE, execution.name
            assert [event["id"] for event in history] == list(range(1, len(WHOLE) + 1))
    assert len(started) > 10 * ROUNDS, "the traffic did some work"
