"""Starts of executions are answered alike by the data plane and by the control plane.

The control plane has to start the first execution of a state machine, and any with a trace header;
the data plane starts later ones. Each start of a recorded case is made by both.
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

pytest.importorskip("botocore")

from . import cases
from .replay import Replay, Stopped
from .values import NoSuchPart

STARTS = ("StartExecution", "StartSyncExecution")
BY_CONTROL = {"traceHeader": "Root=1-5759e988-bd862e3fe1be46a994272793"}
OWN = frozenset(
    (
        "executionArn",
        "startDate",
        "stopDate",
        "name",
        "timestamp",
        "redriveDate",
        "ResponseMetadata",
    )
)
"""What no two executions have in common."""
OUTSIDE = '"Task"'
"""Its events come when the outside answers."""
RANDOM = ("DISTRIBUTED", "UUID", "uuid", "Random", "random", "$$", "states.context")
"""Of each execution its own."""
SECONDS = 30.0


def _is_started(case: cases.Case) -> bool:
    calls = case.content["calls"]
    return not case.missing() and any(call.get("op") in STARTS for call in calls)


CASES = [case for case in cases.cases_of("stepfunctions") if _is_started(case)]


def _without_own(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_own(part) for name, part in value.items() if name not in OWN}
    return [_without_own(part) for part in value] if isinstance(value, list) else value


class BothPaths(Replay):
    """A case whose starts are made by the control plane and by the data plane, under two names."""

    compared = 0

    def _call(self, number: int, call: dict[str, Any]) -> dict[str, Any]:
        if call["op"] in STARTS and "name" not in call["params"]:
            self._compare_starts(number, call)
        return super()._call(number, call)

    def _compare_starts(self, number: int, call: dict[str, Any]) -> None:
        given = call["params"]
        told = [
            super(BothPaths, self)._call(number, {**call, "params": given | {"name": name} | more})
            for name, more in ((f"{self.compared}-c", BY_CONTROL), (f"{self.compared}-d", {}))
        ]
        names = [str(one.get("executionArn", "")) for one in told]
        self.compared += 1
        assert told[0].keys() == told[1].keys()
        if all(names) and not self._is_repeatable(number, given):
            return
        first, second = (
            json.dumps(_without_own(one), default=str).replace(name, "ARN")
            for one, name in zip(told, names, strict=True)
        )
        assert first == second
        if call["op"] == "StartExecution" and all(names):
            first, second = (self._history(number, name, call) for name in names)
            assert first == second

    def _is_repeatable(self, number: int, given: dict[str, Any]) -> bool:
        """Whether two executions of what is started have equal histories."""
        described = {
            "service": "stepfunctions",
            "op": "DescribeStateMachine",
            "params": {"stateMachineArn": given["stateMachineArn"]},
        }
        definition = str(super()._call(number, described).get("definition", OUTSIDE))
        return not any(word in definition for word in (OUTSIDE, *RANDOM))

    def _history(self, number: int, arn: str, call: dict[str, Any]) -> str:
        """The history of an execution that has ended, without what is its own."""
        read = {"service": "stepfunctions", "op": "GetExecutionHistory"}
        deadline = time.monotonic() + SECONDS
        while True:
            told = super()._call(number, {**read, "params": {"executionArn": arn}})
            events = told.get("events", [])
            ended = events and events[-1]["type"].startswith("Execution") and len(events) > 1
            if ended or not events or time.monotonic() > deadline:
                break
            time.sleep(0.02)
        name = arn.rpartition(":")[2]
        return json.dumps(_without_own(events), default=str).replace(name, "NAME")

    def _agrees(self, number: int, call: dict[str, Any], answer: dict[str, Any]) -> bool:
        """No read is repeated: the answers are held against each other, not against AWS's."""
        return True

    def _compare(self, made: int) -> None:
        pass


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_both_paths_answer_alike(case: cases.Case) -> None:
    replayed = BothPaths(case, SECONDS)
    for number, call in enumerate(replayed.calls):
        try:
            replayed._make(number, call)
        except (Stopped, NoSuchPart):
            # A later call needs what this replay did not wait for, or gave two names to.
            break
