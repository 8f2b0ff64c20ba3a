"""What goes on when an engine is opened: functions, and what reads event sources for them."""

from __future__ import annotations

from trunkline.aws.lambda_ import mappings, running

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline.aws.store import Store


def resume(store: Store) -> None:
    """Lets functions be called, and mappings run, that an earlier opening left."""
    running.resume(store)
    mappings.resume(store)
