"""What domains, types, task lists and executions may be called, and who has which domain."""

from __future__ import annotations

import re

from trunkline._core import WorkflowDomains
from trunkline.aws.arns import partition
from trunkline.aws.swf.errors import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import WorkflowDomain
    from trunkline.aws.operation import Call

_FOREIGN = re.compile("[:/|\x00-\x1f\x7f-\x9f]")


def check_name(text: str, at: str) -> None:
    """Raises for a name that nothing may have.

    >>> check_name("orders", "name")
    """
    if text == "arn" or text != text.strip() or _FOREIGN.search(text):
        raise invalid(
            f"Value '{text}' at '{at}' failed to satisfy constraint: Member must not start or end "
            "with white space, must not contain ':', '/', '|' or a control character, and must "
            "not be 'arn'"
        )


def domains_of(call: Call) -> WorkflowDomains:
    """The domains of the engine."""
    return WorkflowDomains(call.store.core)


def find(call: Call, name: str) -> WorkflowDomain:
    """The caller's domain of this name."""
    return domains_of(call).find((call.account, call.region, name))


def arn_of(domain: WorkflowDomain) -> str:
    """The resource name of a domain."""
    account, region, name = domain.name
    return f"arn:{partition(region)}:swf:{region}:{account}:/domain/{name}"
