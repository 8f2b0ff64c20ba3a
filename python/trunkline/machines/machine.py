"""A state machine and its executions, for programs; the wire of Step Functions sees the same."""

from __future__ import annotations

import json

from trunkline import validation
from trunkline._core import milliseconds
from trunkline.errors import ResourceNotFound, ValidationException
from trunkline.validation import json_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline._core import Execution as CoreExecution
    from trunkline._core import Machine as CoreMachine
    from trunkline._types import Seconds
    from trunkline.aws.stepfunctions.defining import Starter
    from trunkline.aws.stepfunctions.running import Runner

    Functions = Mapping[str, Callable[[Any], object]]

FOREVER_MS = 1 << 40
"""How long a wait without an end is: longer than an execution may take."""

HISTORY_MAX = 25_000


def put(
    core: CoreEngine,
    name: tuple[str, str, str],
    definition: Mapping[str, Any] | str,
    functions: Functions | None,
) -> StateMachine:
    """The state machine of this name, with this definition."""
    from trunkline.aws.errors import ProgramErrors
    from trunkline.aws.stepfunctions import defining

    text = definition if isinstance(definition, str) else json_text(definition, "definition")
    with ProgramErrors(ValidationException):
        defining.put(core, name, text)
    return find(core, name, functions)


def find(core: CoreEngine, name: tuple[str, str, str], functions: Functions | None) -> StateMachine:
    """The state machine of this name; raises ResourceNotFound if there is none."""
    from trunkline.aws.errors import ProgramErrors
    from trunkline.aws.stepfunctions import defining
    from trunkline.machines.targets import targets_of

    with ProgramErrors(ValidationException):
        arn = defining.find(core, name)
    if arn is None:
        raise ResourceNotFound(
            f"State machine {name[2]!r} does not exist. Give its definition to create it."
        )
    machine = StateMachine(core, name, arn)
    targets_of(core).take_up(name)
    if functions is not None:
        runtime = machine._runtime()
        runtime.put_functions(name, functions)
        # What an earlier opening left goes on.
        runtime.start()
    return machine


def every(core: CoreEngine, owner: tuple[str, str], prefix: str) -> list[StateMachine]:
    """The state machines of an account and a region whose name starts with `prefix`."""
    from trunkline.aws.stepfunctions import defining

    return [find(core, (*owner, name), None) for name in defining.names(core, *owner, prefix)]


class StateMachine:
    """A state machine of an engine; :meth:`Engine.machine` makes it.

    >>> import trunkline
    >>> engine = trunkline.open()
    >>> done = {"Type": "Pass", "Result": "done", "End": True}
    >>> machine = engine.machine("orders", {"StartAt": "Done", "States": {"Done": done}})
    >>> machine.run()
    'done'
    """

    __slots__ = {
        "_engine": "",
        "_name": "",
        "_runner": "",
        "_starter": "",
        "arn": "The ARN of the state machine.",
    }

    def __init__(self, core: CoreEngine, name: tuple[str, str, str], arn: str) -> None:
        self._engine = core
        self._name = name
        self.arn: str = arn
        self._runner: Runner | None = None
        self._starter: Starter | None = None

    @property
    def name(self) -> str:
        """The name, unique in its account and region."""
        return self._name[2]

    @property
    def _as_target(self) -> tuple[str, int]:
        """How rules, topics and schedules name the state machine: its kind and its id."""
        from trunkline.machines.targets import targets_of

        return "machine", targets_of(self._engine).id(self)

    def _runtime(self) -> Any:
        from trunkline.aws.stepfunctions.connecting import runtime_of

        return runtime_of(self._engine)

    def start(self, input: Any = None, *, name: str | None = None) -> Execution:
        """Start an execution, which is durable when this returns.

        An execution of this `name` that runs with the same input is that one.

        Raises ConflictException for another execution of this name.
        """
        if self._starter is None:
            from trunkline.aws.stepfunctions.defining import Starter

            self._starter = Starter(self._engine, self.arn)
        text = json_text({} if input is None else input, "input")
        given = None if name is None else validation.text(name, "name")
        return Execution(self, self._starter.start(given, text))

    def run(self, input: Any = None) -> Any:
        """Run an execution in memory to its end, and return its output: nothing of it is kept.

        A function that is all that the execution waits for is called on this thread.

        Raises ExecutionFailed if it fails.
        """
        if self._runner is None:
            from trunkline.aws.stepfunctions.running import Runner

            self._runner = Runner(self._engine, self.arn)
        return self._runner.run({} if input is None else input)

    def execution(self, name: str) -> Execution:
        """The execution of this name; raises ResourceNotFound if there is none."""
        self._core().status(validation.text(name, "name"))
        return Execution(self, name)

    def executions(self, status: str | None = None) -> list[Execution]:
        """The executions, or those with a status such as ``"RUNNING"``, the newest first."""
        try:
            found = self._core()
        except ResourceNotFound:
            return []
        return [Execution(self, one.name) for one in found.executions(status, None, 1 << 30)]

    def remove(self) -> None:
        """Remove the state machine with all of its executions."""
        from trunkline.aws.stepfunctions import defining
        from trunkline.machines.targets import targets_of

        targets_of(self._engine).remove(self._name)
        defining.remove(self._engine, self._name)

    def _core(self) -> CoreMachine:
        found: CoreMachine | None = self._runtime().machines.find(self._name)
        if found is None:
            raise ResourceNotFound(f"No execution of state machine {self.name!r} was started yet.")
        return found

    def __repr__(self) -> str:
        return f"<StateMachine {self.name!r}>"


class Execution:
    """An execution of a state machine; :meth:`StateMachine.start` makes it.

    >>> import trunkline
    >>> done = {"Type": "Pass", "Result": "done", "End": True}
    >>> definition = {"StartAt": "Done", "States": {"Done": done}}
    >>> machine = trunkline.open().machine("orders", definition)
    >>> machine.start(name="first").name
    'first'
    """

    __slots__ = {"_machine": "", "name": "The name, unique in its state machine."}

    def __init__(self, machine: StateMachine, name: str) -> None:
        self._machine = machine
        self.name: str = name

    def _status(self) -> CoreExecution:
        return self._machine._core().status(self.name)

    @property
    def arn(self) -> str:
        """The ARN of the execution."""
        return f"{self._machine.arn.replace(':stateMachine:', ':execution:')}:{self.name}"

    @property
    def status(self) -> str:
        """``RUNNING``, ``SUCCEEDED``, ``FAILED``, ``TIMED_OUT`` or ``ABORTED``."""
        return self._status().status

    @property
    def output(self) -> Any:
        """The output of an execution that ended well; None of any other."""
        text = self._told().get("output")
        return None if text is None else json.loads(text)

    @property
    def input(self) -> Any:
        """The input."""
        return json.loads(self._told()["input"])

    @property
    def error(self) -> str | None:
        """The name of the error of an execution that failed."""
        return self._told().get("error")

    @property
    def cause(self) -> str | None:
        """What happened, if the execution failed."""
        return self._told().get("cause")

    def _told(self) -> dict[str, Any]:
        from trunkline.aws.stepfunctions.telling import content

        core = self._machine._core()
        return content(core, core.status(self.name))

    def wait(self, timeout: Seconds | None = None) -> Execution:
        """Wait until the execution has ended, up to `timeout` seconds; return it."""
        wait = FOREVER_MS
        if timeout is not None:
            wait = milliseconds(timeout, "timeout", 0, FOREVER_MS)
        self._machine._core().wait(self.name, wait)
        return self

    def history(self) -> list[dict[str, Any]]:
        """The events, the oldest first, as GetExecutionHistory has them."""
        texts = self._machine._core().history(self.name, HISTORY_MAX)
        return [json.loads(text) for text in reversed(texts)]

    def stop(self, error: str | None = None, cause: str | None = None) -> None:
        """End the execution now; one that has ended stays as it is."""
        self._machine._core().stop(self.name, error, cause)

    def redrive(self) -> None:
        """Let an execution that failed, timed out or was stopped go on at what failed."""
        self._machine._runtime().start()
        self._machine._core().redrive(self.name)

    def __repr__(self) -> str:
        return f"<Execution {self.name!r} of {self._machine.name!r}>"
