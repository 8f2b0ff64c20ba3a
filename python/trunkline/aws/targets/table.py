"""The table of targets."""

from __future__ import annotations

from trunkline.aws.calls import SERVED
from trunkline.aws.targets.api_destinations import API_DESTINATION
from trunkline.aws.targets.apis import API
from trunkline.aws.targets.buses import BUS
from trunkline.aws.targets.functions import FUNCTION
from trunkline.aws.targets.kind import Invocation, TargetKind
from trunkline.aws.targets.log_groups import LOG_GROUP
from trunkline.aws.targets.queues import QUEUE
from trunkline.aws.targets.state_machines import STATE_MACHINE
from trunkline.aws.targets.streams import DELIVERY_STREAM, STREAM
from trunkline.aws.targets.topics import TOPIC

TARGETS = {
    kind.name: kind
    for kind in (
        API,
        API_DESTINATION,
        BUS,
        DELIVERY_STREAM,
        FUNCTION,
        LOG_GROUP,
        QUEUE,
        STATE_MACHINE,
        STREAM,
        TOPIC,
    )
}
"""Every kind of target, by the name by which resource names tell it."""


def _is_served(kind: TargetKind) -> bool:
    return kind.rule is not None or (kind.template is not None and kind.template.service in SERVED)


OF_RULES = {name: kind for name, kind in TARGETS.items() if _is_served(kind)}
"""The kinds that a rule may have. One that is reached by calls needs its service."""

OF_PIPES = {name: kind for name, kind in OF_RULES.items() if kind.pipe is not None}
"""The kinds that a pipe may have."""

ENRICHMENTS = {
    name: kind
    for name, kind in OF_PIPES.items()
    if kind.pipe is not None and isinstance(kind.pipe.way, Invocation)
}
"""The kinds that may enrich the records of a pipe."""
