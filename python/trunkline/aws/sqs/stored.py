"""What SQS keeps with a queue beside its settings, inside the document that all surfaces share."""

from __future__ import annotations

from trunkline._core import QueueSettings
from trunkline.queues.metadata import encode_metadata, read_metadata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Queue

_FIELDS = (
    "fifo",
    "delay",
    "retention",
    "visibility_timeout",
    "receive_wait",
    "max_message_size",
    "content_based_dedup",
    "dedup_per_group",
    "dead_letter",
)


def read(queue: Queue) -> dict[str, Any]:
    """What SQS keeps: attributes that the engine does not know, and tags."""
    return dict(read_metadata(queue).get("sqs", {}))


def write(queue: Queue, kept: dict[str, Any]) -> None:
    """Replaces what SQS keeps."""
    document = read_metadata(queue)
    document["sqs"] = kept or None
    queue.configure(queue.settings, encode_metadata(document))


def settings_of(queue: Queue) -> dict[str, Any]:
    """The engine's settings, to be changed and made into settings again."""
    settings = queue.settings
    return {name: getattr(settings, name) for name in _FIELDS}


def make_settings(values: dict[str, Any]) -> QueueSettings:
    """Settings from their values."""
    return QueueSettings(**values)
