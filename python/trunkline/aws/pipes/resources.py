"""Which resources a pipe may send to, by their names."""

from __future__ import annotations

from trunkline.aws.arns import Resource, read_resource
from trunkline.aws.pipes.errors import invalid
from trunkline.aws.targets.table import ENRICHMENTS, OF_PIPES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.aws.pipes.documents import PipeName


def read(arn: str) -> Resource | None:
    """The parts of a resource name; None for a text that is none, or lacks an account."""
    found = read_resource(arn)
    return found if found is not None and found.account else None


def known(arn: str) -> Resource:
    """The parts of a resource name that was checked."""
    found = read(arn)
    if found is None:
        raise invalid("Provided Arn is not in correct format.")
    return found


def check_target(name: PipeName, definition: Mapping[str, Any]) -> None:
    """Raises for a target that is not served, or lacks what it needs."""
    target = known(definition["Target"])
    found = OF_PIPES.get(target.kind)
    if found is None or found.pipe is None:
        served = ", ".join(sorted(OF_PIPES))
        raise invalid(f"Targets of {target.kind} are not served here. There are: {served}.")
    given = definition.get("TargetParameters", {})
    own = found.pipe.parameters
    other = next((one for one in given if one not in ("InputTemplate", own)), None)
    if other is not None:
        raise invalid(f"TargetParameters.{other} is not for a target of {target.kind}.")
    if target.kind == "event-bus" and target.owner != (name.account, name.region):
        raise invalid("An event bus must be of the pipe's account and region.")
    if target.kind == "sns" and target.name.endswith(".fifo"):
        raise invalid("FIFO topics are not supported as targets of pipes.")
    needed = found.pipe.needs(target)
    if needed is not None and needed not in given.get(own, {}):
        raise invalid(f"TargetParameters.{own}.{needed} is required for target {target.arn}.")


def check_enrichment(arn: str) -> None:
    """Raises for an enrichment that is not served."""
    enrichment = known(arn)
    if enrichment.kind not in ENRICHMENTS:
        served = ", ".join(sorted(ENRICHMENTS))
        raise invalid(f"Enrichments of {enrichment.kind} are not served here. There are: {served}.")
