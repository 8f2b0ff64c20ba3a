"""Connects what carries out the tasks of executions with the services that tasks may call."""

from __future__ import annotations

from trunkline.aws.stepfunctions import integrations
from trunkline.machines import runtime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import Engine as CoreEngine
    from trunkline.machines.runtime import Runtime


def runtime_of(core: CoreEngine) -> Runtime:
    """What works for the state machines of an engine; its tasks may call services."""
    found = runtime.runtime_of(core)
    found.call_service = integrations.call
    return found
