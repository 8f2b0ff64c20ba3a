"""State machines tried in memory: each task is mocked, and no second is waited for.

>>> from trunkline import states
>>> charge = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Next": "Cool down"}
>>> cool = {"Type": "Wait", "Seconds": 86_400, "End": True}
>>> machine = {"StartAt": "Charge", "States": {"Charge": charge, "Cool down": cool}}
>>> result = states.test(machine, {"total": 3}, mocks={"Charge": lambda order: order["total"]})
>>> result.status, result.output, result.path, result.seconds
('SUCCEEDED', 3, ['Charge', 'Cool down'], 86400.0)
"""

from __future__ import annotations

import json

from trunkline._core import StatesProgram, VirtualClock
from trunkline._dataclasses import dataclass
from trunkline.errors import ValidationException
from trunkline.machines.memory import Clock, MemoryRun, Setting
from trunkline.machines.mocks import Mocks, TaskFailed
from trunkline.machines.task import Owner
from trunkline.validation import json_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from trunkline._types import Seconds

__all__ = ["Finding", "Result", "TaskFailed", "check", "graph", "test"]

_ACCOUNT, _REGION, _MACHINE, _EXECUTION = "000000000000", "us-east-1", "test", "test"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong with a definition; `states.check` returns it."""

    severity: str
    """``ERROR`` for what AWS refuses, or ``WARNING``."""
    code: str
    """What kind of mistake it is, such as ``MISSING_TRANSITION_TARGET``."""
    message: str
    """What is wrong."""
    location: str | None
    """Where it is, as ``/States/Charge/Next``; None for the whole definition."""


@dataclass(frozen=True, slots=True)
class Result:
    """How an execution ended; `states.test` returns it."""

    status: str
    """``SUCCEEDED``, ``FAILED``, ``TIMED_OUT`` or ``ABORTED``."""
    output: Any
    """The output of an execution that ended well; None of any other."""
    error: str | None
    """The name of the error of an execution that failed."""
    cause: str | None
    """What happened, if the execution failed."""
    history: list[dict[str, Any]]
    """The events, the oldest first, as GetExecutionHistory has them."""
    path: list[str]
    """The names of the states that were entered, in order, those of inner scopes included."""
    seconds: float
    """How long the execution took on its virtual clock."""


def check(definition: Mapping[str, Any] | str, *, express: bool = False) -> list[Finding]:
    """What is wrong with `definition`, as ValidateStateMachineDefinition tells it.

    >>> check({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}})[0].location
    '/States/A/Next'
    """
    text = definition if isinstance(definition, str) else json_text(definition, "definition")
    return [Finding(*found) for found in StatesProgram.check(text, express)]


def graph(
    definition: Mapping[str, Any] | str, history: Iterable[Mapping[str, Any]] | None = None
) -> str:
    """`definition` as SVG: its states in layers, from the start to the end.

    With the `history` of an execution, of `Execution.history()` or of GetExecutionHistory, the
    states are coloured by what it did, and the way that it took is drawn strong.

    Raises ValidationException for a definition that AWS refuses.

    >>> graph({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})[:4]
    '<svg'
    """
    from trunkline.machines.drawing.svg import draw

    text = definition if isinstance(definition, str) else json_text(definition, "definition")
    try:
        StatesProgram(text, False)
    except ValueError as error:
        raise ValidationException(str(error)) from None
    return draw(json.loads(text), None if history is None else [dict(one) for one in history])


def test(
    definition: Mapping[str, Any] | str,
    input: Any = None,
    *,
    mocks: Mapping[str, Any] | None = None,
    now: Seconds | None = None,
) -> Result:
    """Run `definition` in memory on a virtual clock of its own, which skips what is waited for.

    `mocks` says what tasks give, by the name of a state or by a resource: a value is the result; a
    function is called with the task's input and returns it; a `TaskFailed`, returned or raised, or
    given as the value, fails the task, as does any other exception by the name of its type. `now`
    is the time of the start, in seconds since 1970.

    Raises ValidationException for a definition that AWS refuses, and InvalidParameterValue for a
    task without a mock and for a mock that fits no task.
    """
    text = definition if isinstance(definition, str) else json_text(definition, "definition")
    given = json_text({} if input is None else input, "input")
    try:
        program = StatesProgram(text, False)
    except ValueError as error:
        raise ValidationException(str(error)) from None
    mocked = Mocks(program, text, mocks or {})
    started = VirtualClock(now).now
    ended = MemoryRun(program, _setting(program, mocked, started)).run(given)
    mocked.check()
    history = [json.loads(event) for event in ended.events]
    return Result(
        ended.status,
        None if ended.output is None else json.loads(ended.output),
        ended.error,
        ended.cause,
        history,
        [event["stateEnteredEventDetails"]["name"] for event in history if _enters(event)],
        round(ended.stopped - ended.started, 3),
    )


# The name is that of a test for pytest too, which would collect an imported one.
test.__test__ = False  # type: ignore[attr-defined]


def _enters(event: dict[str, Any]) -> bool:
    return "stateEnteredEventDetails" in event


def _setting(program: StatesProgram, mocked: Mocks, started: float) -> Setting:
    clock = Clock(lambda: started, skips=True)
    states = f"arn:aws:states:{_REGION}:{_ACCOUNT}"
    identity = {
        "execution_arn": f"{states}:execution:{_MACHINE}:{_EXECUTION}",
        "name": _EXECUTION,
        "role_arn": f"arn:aws:iam::{_ACCOUNT}:role/test",
        "machine_arn": f"{states}:stateMachine:{_MACHINE}",
        "machine_name": _MACHINE,
        "version_arn": None,
        "alias_arn": None,
        "region": _REGION,
        "express": False,
    }
    owner = Owner(_ACCOUNT, _REGION, _MACHINE, _EXECUTION)
    setting = Setting(identity, owner, mocked.perform, clock, in_order=True)
    setting.map_run = lambda of, told: mocked.run_map(of, told, program, setting)
    return setting
