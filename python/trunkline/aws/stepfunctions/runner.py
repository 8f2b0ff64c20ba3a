"""What works for Step Functions in the background: the tasks of executions."""

from __future__ import annotations

from trunkline.aws.stepfunctions.connecting import runtime_of
from trunkline.aws.stepfunctions.documents import key
from trunkline.machines.targets import targets_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline.aws.store import Store


def resume(store: Store) -> None:
    """Goes on with what waits from an earlier opening of the engine."""
    runtime = runtime_of(store.core)
    for account, region, name in runtime.named():
        # Executions of it may have run when it was deleted.
        if store.get(key(account, region, "machine", name)) is None:
            runtime.forget_functions((account, region, name))
    runtime.start()
    targets_of(store.core).take_up_all()
