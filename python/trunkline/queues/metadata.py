"""What is kept with a queue beside the engine's settings: a JSON object that every surface shares.

A surface changes its own keys and leaves the others as they are. This one owns ``redrive_allow``.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Queue as CoreQueue


def read_metadata(queue: CoreQueue) -> dict[str, Any]:
    """The document of `queue`; empty if it has none."""
    data = queue.document
    if not data:
        return {}
    import json

    document: dict[str, Any] = json.loads(data)
    return document


def encode_metadata(document: dict[str, Any]) -> bytes:
    """The bytes of a document without its empty keys.

    >>> encode_metadata({"redrive_allow": "none", "policy": None})
    b'{"redrive_allow":"none"}'
    """
    kept = {key: value for key, value in document.items() if value is not None}
    if not kept:
        return b""
    import json

    return json.dumps(kept, sort_keys=True, separators=(",", ":")).encode()
