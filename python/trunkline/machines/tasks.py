"""Carries out tasks: calls functions and services, and says what came of it."""

from __future__ import annotations

from trunkline.machines.functions import invoke
from trunkline.machines.task import Report, failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from trunkline.machines.runtime import Runtime
    from trunkline.machines.task import Task


def perform(runtime: Runtime, task: Task) -> Iterator[Report]:
    """What is to be reported of a task, as it comes."""
    yield Report("started")
    if ":states:::" not in task.resource:
        own = runtime.functions(task.owner.machine_name)
        yield invoke(runtime.core, own, task.resource, task.input)
        return
    if runtime.call_service is None:
        text = "Nothing calls services for the state machines of this engine."
        yield failed("States.Runtime", text)
        return
    yield runtime.call_service(runtime, task)
