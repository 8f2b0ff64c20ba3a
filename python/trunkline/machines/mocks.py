"""What tasks give in a test, in place of what they call."""

from __future__ import annotations

import asyncio
import inspect
import json

from trunkline.errors import InvalidParameterValue
from trunkline.functions.invocation import text_of
from trunkline.machines.map_runs.request import (
    EXCEEDED,
    EXCEEDED_CAUSE,
    MapRunFailed,
    inputs_of,
    made,
    progress_of,
)
from trunkline.machines.map_runs.request import text_of as json_of
from trunkline.machines.memory import Clock, MemoryRun, Setting
from trunkline.machines.task import Report, failed
from trunkline.validation import json_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from trunkline._core import StatesProgram
    from trunkline.machines.memory import Ended
    from trunkline.machines.task import Owner, Task

CHILDREN_MAX = 40
"""How many children of a map are at work at the same time, where it names no number."""

_WAITING = (".sync", ".sync:2", ".waitForTaskToken")


class TaskFailed(Exception):
    """A task fails with this error: a mock of `states.test` raises it, or is it."""

    def __init__(self, error: str, cause: str | None = None) -> None:
        super().__init__(error if cause is None else f"{error}: {cause}")
        self.error = error
        """The name of the error, as ``ErrorEquals`` has it."""
        self.cause = cause
        """What happened."""


class Mocks:
    """The mocks of one test."""

    def __init__(self, program: StatesProgram, definition: str, mocks: Mapping[str, Any]) -> None:
        self._mocks = mocks
        self._problem: BaseException | None = None
        resources = {resource for _, resource in program.resources()}
        for name in mocks:
            if name not in resources and not _is_mockable(program, definition, name):
                raise InvalidParameterValue(
                    f"Value for parameter mocks is invalid. Reason: {name!r} is neither a Task "
                    "state, nor a Map state in distributed mode, nor a resource of the definition."
                )

    def check(self) -> None:
        """Raises what went wrong in the test itself: a mock that is missing or wrong."""
        if self._problem is not None:
            raise self._problem

    def perform(self, task: Task) -> Iterator[Report]:
        """What is reported of a task."""
        yield Report("started")
        if task.resource.endswith(_WAITING):
            yield Report("submitted", "{}")
        for name in (task.state, task.resource):
            if name in self._mocks:
                yield self._end(self._mocks[name], json.loads(task.input))
                return
        yield self._spoiled(
            InvalidParameterValue(
                f"Value for parameter mocks is invalid. Reason: The state {task.state!r} calls "
                f"{task.resource}, and nothing says what comes of it. Give a mock by the name of "
                "the state, or by the resource."
            )
        )

    def _end(self, mock: Any, input: Any) -> Report:
        try:
            result = mock
            if isinstance(mock, type) and issubclass(mock, Exception):
                result = mock()
            elif callable(mock):
                result = mock(input)
                if inspect.isawaitable(result):
                    result = asyncio.run(_awaited(result))
            if isinstance(result, Exception):
                raise result
            return Report("succeeded", json_text(result, "mocks"))
        except TaskFailed as error:
            return failed(error.error, error.cause)
        except (AssertionError, InvalidParameterValue) as error:
            # Not of the task, but of the test.
            return self._spoiled(error)
        except Exception as error:
            told = {"errorMessage": text_of(error), "errorType": type(error).__name__}
            return failed(type(error).__name__, json_text(told, "mocks"))

    def _spoiled(self, problem: BaseException) -> Report:
        if self._problem is None:
            self._problem = problem
        return failed("States.Runtime", str(problem))

    def run_map(
        self, owner: Owner, told: dict[str, Any], program: StatesProgram, setting: Setting
    ) -> Report:
        """A distributed map: its mock, or its children one after another."""
        if told["state"] in self._mocks:
            end = self._end(self._mocks[told["state"]], told["input"])
            kind = "map-run-succeeded" if end.kind == "succeeded" else "map-run-failed"
            return Report(kind, end.first, end.second)
        if told["reader"] is not None or told["writer"] is not None:
            problem = InvalidParameterValue(
                f"Value for parameter mocks is invalid. Reason: The state {told['state']!r} reads "
                "its items or writes its results elsewhere. Give a mock by the name of the state."
            )
            end = self._spoiled(problem)
            return Report("map-run-failed", end.first, end.second)
        try:
            inputs = _inputs(program, told, setting.clock)
        except MapRunFailed as problem:
            return Report("map-run-failed", problem.error, problem.cause)
        width = told["max_concurrency"] or CHILDREN_MAX
        ended: list[Ended] = []
        progress = progress_of(told)
        for first in range(0, len(inputs), width):
            together = [
                _child(self, owner, told, program, setting, number, inputs[number][0])
                for number in range(first, min(first + width, len(inputs)))
            ]
            # They would run at the same time.
            setting.clock.skipped += max(child.stopped - child.started for child in together)
            ended += together
        for child, (_, items) in zip(ended, inputs, strict=True):
            progress.read(items)
            progress.started(items)
            progress.ended(items, child.status)
        progress.all_read()
        if progress.has_failed:
            return Report("map-run-failed", EXCEEDED, EXCEEDED_CAUSE)
        outputs = [child.output or "null" for child in ended if child.status == "SUCCEEDED"]
        return Report("map-run-succeeded", f"[{','.join(outputs)}]")


def _inputs(program: StatesProgram, told: dict[str, Any], clock: Clock) -> list[tuple[str, int]]:
    """The inputs of the children, each with its number of items."""
    maker, now = inputs_of(program, told), round(clock.read() * 1_000)
    try:
        return [*maker.take(json_of(told["items"]), now), *maker.finish(now)]
    except ValueError as problem:
        raise made(problem) from None


async def _awaited(result: Any) -> Any:
    return await result


def _child(
    mocks: Mocks,
    owner: Owner,
    told: dict[str, Any],
    program: StatesProgram,
    of: Setting,
    number: int,
    given: str,
) -> Ended:
    machine, name = f"{owner.machine}/{told['label']}", str(number)
    arn = f"arn:aws:states:{owner.region}:{owner.account}"
    identity = {
        **of.identity,
        "execution_arn": f"{arn}:execution:{machine}:{name}",
        "name": name,
        "machine_arn": f"{arn}:stateMachine:{machine}",
        "machine_name": machine,
        "express": told["express"],
    }
    setting = Setting(
        identity,
        owner,
        mocks.perform,
        Clock(of.clock.read, skips=True),
        scope=told["processor"],
        prefix=f"{name}-",
        in_order=True,
    )
    setting.map_run = lambda owner, inner: mocks.run_map(owner, inner, program, setting)
    return MemoryRun(program, setting).run(given)


def _is_mockable(program: StatesProgram, definition: str, name: str) -> bool:
    kind = program.state_type(name)
    if kind != "Map":
        return kind == "Task"
    return any(_is_distributed(state) for state in _states(json.loads(definition), name))


def _is_distributed(state: dict[str, Any]) -> bool:
    config = state.get("ItemProcessor", {}).get("ProcessorConfig", {})
    return bool(config.get("Mode") == "DISTRIBUTED")


def _states(machine: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    """The states of this name, in any scope."""
    for own, state in machine["States"].items():
        if own == name:
            yield state
        inner = [state.get("ItemProcessor"), state.get("Iterator"), *state.get("Branches", ())]
        for scope in inner:
            if scope is not None:
                yield from _states(scope, name)
