"""kill -9 in the middle of many executions: none is lost, and each history is one that an uncrashed
run could have had."""

from __future__ import annotations

import collections
import json
import os
import random
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).with_name("execution_traffic.py")
THREADS = 64
"""Tasks that may be under way when the process is killed."""

EXECUTIONS = int(os.environ.get("TRUNKLINE_KILL_EXECUTIONS", "120"))
KILLS = int(os.environ.get("TRUNKLINE_KILLS", "3"))

BEFORE = {
    "LambdaFunctionScheduled": {"TaskStateEntered"},
    "LambdaFunctionStarted": {"LambdaFunctionScheduled"},
    "LambdaFunctionSucceeded": {"LambdaFunctionStarted"},
}


def check_history(events):
    """The events follow one another as in a run without a crash."""
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    by_id = {event["id"]: event for event in events}
    entered = collections.Counter()
    for event in events:
        assert event["previousEventId"] < event["id"]
        wanted = BEFORE.get(event["type"])
        if wanted is not None:
            assert by_id[event["previousEventId"]]["type"] in wanted, event
        if "stateEnteredEventDetails" in event:
            entered[event["stateEnteredEventDetails"]["name"]] += 1
    # Exactly once inside of the engine, whatever was called again outside of it.
    assert entered == dict.fromkeys(("Charge", "Both", "Reserve", "Pause", "Ship"), 1)
    kinds = collections.Counter(event["type"] for event in events)
    assert kinds["LambdaFunctionScheduled"] == kinds["LambdaFunctionSucceeded"] == 3
    assert events[-1]["type"] == "ExecutionSucceeded"


def test_no_execution_is_lost_when_the_process_is_killed(tmp_path):
    calls, folder = tmp_path / "calls", tmp_path / "data"
    chance, killed = random.Random(7), 0
    while True:
        most = max(2, 3 * EXECUTIONS // (KILLS + 1))
        after = chance.randrange(1, most) if killed < KILLS else 0
        argv = [sys.executable, PROGRAM, folder, calls, str(EXECUTIONS), str(after)]
        ended = subprocess.run(argv, capture_output=True, text=True, timeout=400, check=False)
        if ended.returncode == 0:
            break
        assert ended.returncode == -9, ended.stderr
        killed += 1
    assert killed == KILLS
    ends = json.loads(ended.stdout)
    assert len(ends) == EXECUTIONS
    for number, (status, output, history) in enumerate(ends):
        assert status == "SUCCEEDED", (number, output)
        assert (output["number"], output["charge"], output["ship"]) == (number, True, True)
        check_history(history)
    made = collections.Counter(calls.read_text().split("\n")[:-1])
    assert len(made) == 3 * EXECUTIONS
    # At least once: only what was under way at a kill is called again.
    assert sum(made.values()) <= 3 * EXECUTIONS + killed * THREADS
