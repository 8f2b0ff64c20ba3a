"""What works for EventBridge in the background."""

from __future__ import annotations

from trunkline.aws.events import called_targets, tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline.aws.store import Store


def resume(store: Store) -> None:
    """Goes on with what an earlier opening of the engine left."""
    called_targets.resume(store)
    tokens.resume(store)
