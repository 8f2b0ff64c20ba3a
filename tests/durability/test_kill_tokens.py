"""kill -9 among executions that start, wait for a token and are resumed by it: none is lost."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).with_name("token_traffic.py")
EXECUTIONS = int(os.environ.get("TRUNKLINE_KILL_TOKENS", "300"))
KILLS = int(os.environ.get("TRUNKLINE_KILLS", "3"))

WHOLE = [
    "ExecutionStarted",
    "TaskStateEntered",
    "TaskScheduled",
    "TaskStarted",
    "TaskSubmitted",
    "TaskSucceeded",
    "TaskStateExited",
    "PassStateEntered",
    "PassStateExited",
    "ExecutionSucceeded",
]


def test_no_execution_that_waits_for_a_token_is_lost_when_the_process_is_killed(tmp_path):
    folder, chance, killed = tmp_path / "data", random.Random(11), 0
    while True:
        # Each execution is counted at its start and at its answer.
        most = max(2, 3 * EXECUTIONS // (KILLS + 1))
        after = chance.randrange(1, most) if killed < KILLS else 0
        argv = [sys.executable, PROGRAM, folder, str(EXECUTIONS), str(after)]
        ended = subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False)
        if ended.returncode == 0:
            break
        assert ended.returncode == -9, ended.stderr
        killed += 1
    assert killed == KILLS
    ends = json.loads(ended.stdout)
    assert len(ends) == EXECUTIONS
    for number, (status, output, kinds) in enumerate(ends):
        assert (status, output) == (
            "SUCCEEDED",
            {"number": number, "answer": {"approved": number}},
        )
        # The answer may come before the queue's own: then nothing tells of the message.
        assert [kind for kind in kinds if kind != "TaskSubmitted"] == [
            kind for kind in WHOLE if kind != "TaskSubmitted"
        ], number
