"""What a pipe reads from, by the service of its source."""

from __future__ import annotations

from trunkline.aws.pipes.resources import known
from trunkline.aws.pipes.sqs_source import SqsSource
from trunkline.aws.pipes.stream_source import StreamSource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.invoker import ServiceInvoker
    from trunkline.aws.pipes.documents import PipeName
    from trunkline.aws.store import Store


def source_of(
    store: Store, invoker: ServiceInvoker, pipe: PipeName, definition: dict[str, Any]
) -> SqsSource | StreamSource:
    """The source of a pipe; nothing is read before it is opened."""
    source = known(definition["Source"])
    parameters = definition["SourceParameters"]
    if source.service == "sqs":
        return SqsSource(store.core, invoker, source, parameters["SqsQueueParameters"])
    return StreamSource(
        store.core,
        invoker,
        (pipe, definition["RoleArn"]),
        source,
        parameters["KinesisStreamParameters"],
    )
