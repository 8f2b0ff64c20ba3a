"""A naive interpreter of a part of the Amazon States Language, written from its description alone.

It walks through a definition state by state, without timers, threads or records, and takes each
event that has to follow out of a history. What is left over, or is not there, is a difference.
"""

from __future__ import annotations

import json
from typing import Any

KINDS = {
    "Pass": "passing",
    "Choice": "unchanged",
    "Wait": "unchanged",
    "Succeed": "unchanged",
    "Task": "task",
    "Parallel": "parallel",
    "Map": "map",
}


class Failed(Exception):
    """A state failed: the error, the cause, and the event that tells it."""

    def __init__(self, error: str | None, cause: str | None, at: int) -> None:
        super().__init__(error)
        self.error, self.cause, self.at = error, cause, at


class Naive:
    """One execution against its history. `answers` gives what the calls of a task give, in turn."""

    def __init__(self, history: list[dict[str, Any]], answers: dict[str, list[Any]]) -> None:
        self.left = {event["id"]: event for event in history}
        self.answers = {name: list(given) for name, given in answers.items()}

    def take(self, kind: str, before: int | set[int], **details: Any) -> int:
        """The number of the event of this kind behind `before`, with these details."""
        wanted = before if isinstance(before, set) else {before}
        for number, event in sorted(self.left.items()):
            if event["type"] == kind and event["previousEventId"] in wanted:
                found = next((v for k, v in event.items() if k.endswith("EventDetails")), {})
                if all(self.plain(name, found.get(name)) == v for name, v in details.items()):
                    del self.left[number]
                    return int(number)
        raise AssertionError(f"no {kind} behind {before} with {details}: {self.left}")

    @staticmethod
    def plain(name: str, value: Any) -> Any:
        return json.loads(value) if name in ("input", "output") and value is not None else value

    def run(self, definition: dict[str, Any], given: Any) -> tuple[str, Any]:
        """The status and the output, or the error."""
        started = self.take("ExecutionStarted", 0, input=given)
        assert started == 1
        try:
            output, last = self.scope(definition, given, 0)
        except Failed as failed:
            self.take("ExecutionFailed", failed.at, error=failed.error, cause=failed.cause)
            outcome: tuple[str, Any] = ("FAILED", failed.error)
        else:
            self.take("ExecutionSucceeded", last, output=output)
            outcome = ("SUCCEEDED", output)
        assert not self.left, self.left
        return outcome

    def scope(self, machine: dict[str, Any], given: Any, before: int) -> tuple[Any, int]:
        """Runs the states of a scope: the output, and the number of the last event."""
        name = machine["StartAt"]
        while True:
            state = machine["States"][name]
            given, before, following = self.state(name, state, given, before)
            if following is None:
                return given, before
            name = following

    def state(self, name: str, state: dict[str, Any], given: Any, before: int) -> Any:
        kind = state["Type"]
        entered = self.take(f"{kind}StateEntered", before, name=name, input=given)
        if kind == "Fail":
            raise Failed(state.get("Error"), state.get("Cause"), entered)
        following, last = state.get("Next"), entered
        try:
            result, last = getattr(self, KINDS[kind])(state, given, entered)
            output = self.placed(state, given, result)
        except Failed as failed:
            for rule in state.get("Catch", ()):
                if failed.error in rule["ErrorEquals"] or rule["ErrorEquals"] == ["States.ALL"]:
                    told = {"Error": failed.error, "Cause": failed.cause}
                    output, last, following = told, failed.at, rule["Next"]
                    break
            else:
                raise
        if kind == "Choice":
            following = next(
                (rule["Next"] for rule in state["Choices"] if given == rule["NumericEquals"]),
                state["Default"],
            )
        return output, self.take(f"{kind}StateExited", last, name=name, output=output), following

    def placed(self, state: dict[str, Any], given: Any, result: Any) -> Any:
        """The result at the place that ResultPath names."""
        if "ResultPath" not in state:
            return result
        path = state["ResultPath"]
        if path is None:
            return given
        member = path.removeprefix("$.")
        return {**given, member: result} if isinstance(given, dict) else result

    def passing(self, state: dict[str, Any], given: Any, entered: int) -> tuple[Any, int]:
        return state.get("Result", given), entered

    def unchanged(self, state: dict[str, Any], given: Any, entered: int) -> tuple[Any, int]:
        return given, entered

    def task(self, state: dict[str, Any], given: Any, entered: int) -> tuple[Any, int]:
        tries, before = dict.fromkeys(range(len(state.get("Retry", ()))), 0), entered
        while True:
            scheduled = self.take("TaskScheduled", before)
            started = self.take("TaskStarted", scheduled)
            answer = self.answers[state["Comment"]].pop(0)
            if not isinstance(answer, Exception):
                return answer, self.take("TaskSucceeded", started, output=answer)
            error = answer.error  # type: ignore[attr-defined]
            before = self.take("TaskFailed", started, error=error)
            for number, rule in enumerate(state.get("Retry", ())):
                if error in rule["ErrorEquals"] or rule["ErrorEquals"] == ["States.ALL"]:
                    if tries[number] < rule["MaxAttempts"]:
                        tries[number] += 1
                        break
                    raise Failed(error, None, before)
            else:
                raise Failed(error, None, before)

    def parallel(self, state: dict[str, Any], given: Any, entered: int) -> tuple[Any, int]:
        started = self.take("ParallelStateStarted", entered)
        ends = [self.scope(branch, given, started) for branch in state["Branches"]]
        # It is told behind the branch that ended last, whichever that is.
        done = self.take("ParallelStateSucceeded", {last for _, last in ends})
        return [output for output, _ in ends], self.before(done, {last for _, last in ends})

    def before(self, done: int, ends: set[int]) -> int:
        """The last event of the branch that ended last: the state's exit comes behind it, too."""
        (last,) = {event["previousEventId"] for event in self.left.values()} & ends
        return last

    def map(self, state: dict[str, Any], given: Any, entered: int) -> tuple[Any, int]:
        started = self.take("MapStateStarted", entered, length=len(given))
        last, told, outputs = started, started, []
        for index, item in enumerate(given):
            begun = self.take("MapIterationStarted", last, index=index)
            output, last = self.scope(state["ItemProcessor"], item, begun)
            told = self.take("MapIterationSucceeded", last, index=index)
            outputs.append(output)
        done = told if given else started
        self.take("MapStateSucceeded", done)
        return outputs, done
