"""The destinations of the outbox in which the tasks of activities wait for workers."""

from __future__ import annotations

from trunkline._core import RetryTable
from trunkline._outbox import Outbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import Engine as CoreEngine

LEASE_SECONDS = 60.0
"""How long a worker may take from fetching a task to being told of it."""


def name(arn: str) -> str:
    """The name of the destination of an activity; the core makes it too."""
    return f"states-activity/{arn}"


def create(core: CoreEngine, arn: str) -> None:
    """Lets tasks be scheduled for an activity."""
    outbox = Outbox(core.outbox())
    if outbox.find(name(arn)) is None:
        retry = RetryTable.named("event-bridge")
        outbox.handler(name(arn), lease=LEASE_SECONDS, retry=retry)


def remove(core: CoreEngine, arn: str) -> None:
    """Lets no task be scheduled for an activity any more."""
    destination = Outbox(core.outbox()).find(name(arn))
    if destination is not None:
        destination.remove()
