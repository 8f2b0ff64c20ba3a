"""What the engine tells of executions: that one has ended, and that there are new events."""

from __future__ import annotations

from trunkline.machines.map_runs.children import PARENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.machines.runtime import Runtime
    from trunkline.machines.task import Owner


def handle(runtime: Runtime, owner: Owner, told: dict[str, Any]) -> None:
    """Passes a notice on: to the execution that waits, to the default bus, to a log group."""
    from trunkline.aws.stepfunctions import logging, nested, status_events

    machine = runtime.machines.find(owner.machine_name)
    if machine is None:
        return
    if told["kind"] == "events":
        logging.write(runtime, machine, owner, told["first_event"], told["events"])
        return
    if told["parent"] is not None and told["parent"].startswith(PARENT):
        runtime.map_runs.child_ended(told["parent"])
        return
    if told["parent"] is not None:
        nested.ended(runtime, machine, owner, told["parent"])
    status_events.emit(runtime.core, machine, owner.execution)
