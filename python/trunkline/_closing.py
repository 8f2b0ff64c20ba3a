"""What ends with an engine: parts of the package that are imported when they are first needed."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import Engine as CoreEngine

_CLOSED_IF_USED = (
    ("trunkline.folders.watch", "close_watches"),
    ("trunkline.functions.registry", "close_functions"),
    ("trunkline.machines.runtime", "close_runtime"),
    ("trunkline.aws.firehose.delivery.runner", "close_runner"),
    ("trunkline.aws.firehose.places", "close_places"),
    ("trunkline.aws.kinesisanalyticsv2.running.runner", "close_runner"),
)


def close_used(core: CoreEngine) -> None:
    """Ends what works for an engine in the background. It is about to be closed."""
    for module, function in _CLOSED_IF_USED:
        if module in sys.modules:
            getattr(sys.modules[module], function)(core)
