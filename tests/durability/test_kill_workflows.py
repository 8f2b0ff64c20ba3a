"""`kill -9` among executions of SWF: none is lost, no event comes twice, each comes to its end."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import trunkline

pytest.importorskip("boto3")

from .workflow_traffic import DOMAIN, LIST, client, take_activity, take_decision

ROUNDS = 3
TRAFFIC = Path(__file__).with_name("workflow_traffic.py")
PATIENCE = 180


def run_and_kill(folder: Path, round_: int, lines: int) -> set[str]:
    """The workflow ids whose start was acknowledged before the kill."""
    command = [sys.executable, str(TRAFFIC), str(folder), str(round_)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        output = b"".join(process.stdout.readline() for _ in range(lines))
        process.kill()
        output += process.stdout.read()
    assert process.returncode == -signal.SIGKILL
    return {line.removeprefix("S ") for line in output.decode().splitlines()}


def finish_all(swf) -> None:
    """Decides and works until no execution is open."""
    end = time.monotonic() + PATIENCE
    counts = {
        take_decision: swf.count_pending_decision_tasks,
        take_activity: swf.count_pending_activity_tasks,
    }

    def work(take) -> None:
        # A poll of an empty list would wait for a minute.
        while not is_done():
            if counts[take](domain=DOMAIN, taskList=LIST)["count"]:
                take(swf)
            else:
                time.sleep(0.01)

    def is_done() -> bool:
        times = {"oldestDate": 0}
        opened = swf.count_open_workflow_executions(domain=DOMAIN, startTimeFilter=times)
        return opened["count"] == 0 or time.monotonic() > end

    threads = [threading.Thread(target=work, args=(take,)) for take in counts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() < end, "executions do not come to an end"


def check(events: list) -> None:
    """A history that an execution without a kill could have had, but for what timed out."""
    assert [event["eventId"] for event in events] == list(range(1, len(events) + 1))
    kinds = [event["eventType"] for event in events]
    assert kinds[:2] == ["WorkflowExecutionStarted", "DecisionTaskScheduled"]
    assert kinds[-1] == "WorkflowExecutionCompleted"
    for kind, count in (
        ("WorkflowExecutionStarted", 1),
        ("WorkflowExecutionCompleted", 1),
        ("ActivityTaskCompleted", 2),
    ):
        assert kinds.count(kind) == count, kinds
    # Each event that names another one names one that is there, of the right type, and once.
    for begun, ended in (
        ("DecisionTaskStarted", ("DecisionTaskCompleted", "DecisionTaskTimedOut")),
        ("ActivityTaskStarted", ("ActivityTaskCompleted", "ActivityTaskTimedOut")),
    ):
        named = []
        for event in events:
            if event["eventType"] in ended:
                kind = event["eventType"]
                attributes = event[f"{kind[0].lower()}{kind[1:]}EventAttributes"]
                named.append(attributes["startedEventId"])
        starts = [event["eventId"] for event in events if event["eventType"] == begun]
        assert sorted(named) == starts, kinds


def test_executions_go_on_where_a_kill_left_them(tmp_path: Path) -> None:
    folder, started = tmp_path / "data", set[str]()
    for round_ in range(ROUNDS):
        started |= run_and_kill(folder, round_, 10 + 20 * round_)
    with trunkline.open(folder) as engine:
        swf = client(engine)
        finish_all(swf)
        pages = swf.get_paginator("list_closed_workflow_executions").paginate(
            domain=DOMAIN, startTimeFilter={"oldestDate": 0}
        )
        found = [info["execution"] for page in pages for info in page["executionInfos"]]
        lost = started - {execution["workflowId"] for execution in found}
        assert not lost, f"{len(lost)} acknowledged executions are gone, such as {min(lost)}"
        assert len({execution["workflowId"] for execution in found}) == len(found)
        for execution in found:
            history = swf.get_workflow_execution_history(domain=DOMAIN, execution=execution)
            check(history["events"])
    assert len(started) > 10 * ROUNDS, "the traffic did some work"
