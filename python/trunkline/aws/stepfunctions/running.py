"""Executions in memory of a state machine, for programs of this process."""

from __future__ import annotations

import random
import uuid

from trunkline._core import StatesProgram
from trunkline.aws.errors import ServiceError
from trunkline.aws.limits import STATES_PAYLOAD_BYTES_MAX
from trunkline.aws.stepfunctions import starting
from trunkline.aws.stepfunctions.connecting import runtime_of
from trunkline.aws.stepfunctions.defining import as_program
from trunkline.aws.stepfunctions.names import arn_of
from trunkline.aws.stepfunctions.starting import Current
from trunkline.aws.store import Store
from trunkline.errors import ValidationException, execution_failed
from trunkline.machines.memory import Clock, MemoryRun, Setting
from trunkline.machines.task import Owner
from trunkline.machines.tasks import perform
from trunkline.validation import json_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline.aws.stepfunctions.starting import Chosen


class Runner:
    """Runs executions of one state machine in memory. Its definition is compiled once."""

    def __init__(self, core: CoreEngine, arn: str) -> None:
        self._runtime = runtime_of(core)
        self._clock = Clock(core.now)
        self._known = Current(Store(core), arn, _Known)

    def run(self, input: Any) -> Any:
        """The output of an execution with this input; raises ExecutionFailed if it fails."""
        try:
            known = self._current()
        except ValidationException:
            _checked(input)
            raise
        run = MemoryRun(known.program, self._setting(known))
        self._runtime.add_run(run)
        try:
            ended = run.call(input, STATES_PAYLOAD_BYTES_MAX)
            if ended is None:
                ended = run.run(_checked(input))
            if ended.status != "SUCCEEDED":
                raise execution_failed(ended.status, ended.error, ended.cause)
            return run.output
        finally:
            self._runtime.remove_run(run)

    def _current(self) -> _Known:
        try:
            return self._known.get()
        except ServiceError as error:
            raise as_program(error) from None

    def _setting(self, known: _Known) -> Setting:
        name = str(uuid.uuid4())
        account, region, machine = known.name
        owner = Owner(account, region, machine, name)
        arn = arn_of(account, region, "express", machine, name)
        return Setting(
            {**known.identity, "execution_arn": arn, "name": name},
            owner,
            lambda task: perform(self._runtime, task),
            self._clock,
            seed=random.getrandbits(64),
            inline=self._runtime.inline(known.name),
            tells_events=False,
        )


class _Known:
    """A state machine, read from its document."""

    __slots__ = ("identity", "name", "program")

    def __init__(self, chosen: Chosen) -> None:
        self.name: tuple[str, str, str] = chosen.arn.account, chosen.arn.region, chosen.arn.name
        self.identity: dict[str, Any] = starting.identity(chosen, "", "")
        try:
            self.program = StatesProgram(chosen.machine["definition"], True)
        except ValueError as error:
            text = f"{error}. A run in memory is that of an express state machine: use start()."
            raise ValidationException(text) from None


def _checked(input: Any) -> str:
    """An input that is of other types, as JSON text."""
    text = json_text(input, "input")
    try:
        starting.check_input(text)
    except ServiceError as error:
        raise as_program(error) from None
    return text
