"""What waits for a resource that is created later in the process."""

from __future__ import annotations

from trunkline._core import QueueSettings, WireStore
from trunkline._documents import WAITING_FOR_QUEUES
from trunkline.queues.metadata import encode_metadata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline._core import Queue as CoreQueue


def create_queue(
    core: CoreEngine,
    full_name: tuple[str, str, str],
    settings: dict[str, Any],
    kept: dict[str, Any],
) -> CoreQueue:
    """Creates a queue with what is kept beside it. AWS services that wait for queues are told."""
    made = core.create_queue(full_name, QueueSettings(**settings), encode_metadata(kept))
    if WireStore(core).page(WAITING_FOR_QUEUES, None, 1):
        from trunkline.aws.services import queue_created

        queue_created(core, full_name)
    return made
