"""Carries out tasks: calls functions and services, and says what came of it."""

from __future__ import annotations

from trunkline.errors import EngineUnavailable
from trunkline.functions.invocation import text_of
from trunkline.machines.functions import checked, invoke
from trunkline.machines.task import Report, failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from trunkline.machines.runtime import Runtime
    from trunkline.machines.task import Task


def perform(runtime: Runtime, task: Task) -> Iterator[Report]:
    """What is to be reported of a task, as it comes. A failure is one of the task."""
    yield Report("started")
    try:
        report = _call(runtime, task)
    except EngineUnavailable:
        raise
    except Exception as error:
        # Parameters that a service has no use for; called again they would fail again.
        report = failed("States.Runtime", f"{type(error).__name__}: {text_of(error)}")
    yield checked(task.resource, report)


def _call(runtime: Runtime, task: Task) -> Report:
    if ":states:::" not in task.resource:
        own = runtime.functions(task.owner.machine_name)
        return invoke(runtime.core, own, task.resource, task.input)
    if runtime.call_service is None:
        text = "Nothing calls services for the state machines of this engine."
        return failed("States.Runtime", text)
    return runtime.call_service(runtime, task)
