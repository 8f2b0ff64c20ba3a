"""What EventBridge keeps of a replay beside the engine."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import Bus
    from trunkline.aws.operation import Call


def key(id: int) -> str:
    """Where the document of a replay lies."""
    return f"events/replay/{id}"


def forget_replays(call: Call, bus: Bus, archive: str) -> None:
    """Removes what is kept beside the engine with the replays of an archive."""
    for replay in bus.archives().replays(archive):
        call.store.put(key(replay["id"]), None)
