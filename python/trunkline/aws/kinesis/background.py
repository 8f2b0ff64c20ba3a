"""What works for Kinesis in the background."""

from __future__ import annotations

from trunkline.aws.kinesis import channel_worker, feeding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline.aws.store import Store


def resume(store: Store) -> None:
    """Goes on with what an earlier opening of the engine left."""
    feeding.resume(store)
    channel_worker.resume(store)
