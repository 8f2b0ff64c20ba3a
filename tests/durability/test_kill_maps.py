"""kill -9 in the middle of distributed maps: each item has one child execution, which ends as it
would without a crash, and the results and counts are those of a run without one."""

from __future__ import annotations

import collections
import json
import os
import random
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).with_name("map_traffic.py")
THREADS = 64
"""Tasks that may be under way when the process is killed."""

MAPS = 4
ITEMS = int(os.environ.get("TRUNKLINE_KILL_ITEMS", "60"))
KILLS = int(os.environ.get("TRUNKLINE_KILLS", "3"))

WHOLE = [
    "ExecutionStarted",
    "MapStateEntered",
    "MapRunStarted",
    "MapRunSucceeded",
    "MapStateSucceeded",
    "MapStateExited",
    "SucceedStateEntered",
    "SucceedStateExited",
    "ExecutionSucceeded",
]
GOOD = [
    "ExecutionStarted",
    "TaskStateEntered",
    "LambdaFunctionScheduled",
    "LambdaFunctionStarted",
    "LambdaFunctionSucceeded",
    "TaskStateExited",
    "WaitStateEntered",
    "WaitStateExited",
    "ExecutionSucceeded",
]
BAD = [*GOOD[:4], "LambdaFunctionFailed", "ExecutionFailed"]


def until_the_end(tmp_path):
    chance, killed = random.Random(5), 0
    calls = MAPS // 2 * (ITEMS + (ITEMS + 2) // 3)
    while True:
        most = max(2, 3 * calls // (KILLS + 1))
        after = chance.randrange(1, most) if killed < KILLS else 0
        numbers = [str(number) for number in (MAPS, ITEMS, after)]
        argv = [sys.executable, PROGRAM, tmp_path / "data", tmp_path / "calls", *numbers]
        ended = subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False)
        if ended.returncode == 0:
            return json.loads(ended.stdout), killed
        assert ended.returncode == -9, ended.stderr
        killed += 1


def test_maps_end_as_without_a_crash_when_the_process_is_killed(tmp_path):
    ends, killed = until_the_end(tmp_path)
    items = list(range(ITEMS))
    good = [item for item in items if item % 7]
    batches = [{"Items": items[at : at + 3]} for at in range(0, ITEMS, 3)]
    for number, (status, output, history, run, histories) in enumerate(ends):
        wanted = batches if number % 2 else good
        assert (status, output) == ("SUCCEEDED", {"results": wanted}), number
        assert [kind for kind in history if kind != "MapStateStarted"] == WHOLE
        children = len(batches) if number % 2 else ITEMS
        kinds = collections.Counter(map(tuple, histories))
        assert kinds == collections.Counter(
            {tuple(GOOD): len(wanted), tuple(BAD): children - len(wanted)}
        )
        counts = {name: count for name, count in run["executions"].items() if count}
        failed = {"failed": children - len(wanted)} if children > len(wanted) else {}
        assert counts == {"succeeded": len(wanted), **failed}
    made = collections.Counter((tmp_path / "calls").read_text().split("\n")[:-1])
    wanted = collections.Counter(
        MAPS // 2 * [json.dumps(one) for one in [*items, *batches]],
    )
    assert made.keys() == wanted.keys()
    # At least once: only what was under way at a kill is called again.
    assert sum(made.values()) <= sum(wanted.values()) + killed * THREADS
