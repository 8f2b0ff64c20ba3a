"""What works for SWF in the background: the Lambda functions that executions wait for."""

from __future__ import annotations

from trunkline._core import WorkflowDomains
from trunkline.aws.swf.lambdas import callers_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline.aws.store import Store


def resume(store: Store) -> None:
    """Goes on with what waits from an earlier opening of the engine."""
    for domain in WorkflowDomains(store.core).list(None, None):
        if domain.has_lambdas():
            callers_of(store).start(domain)
