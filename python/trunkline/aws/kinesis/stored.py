"""What Kinesis keeps of a stream in its document, which all surfaces share."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import WireStream

_KEY = "kinesis"
PROVISIONED = "PROVISIONED"
ON_DEMAND = "ON_DEMAND"


def read(stream: WireStream) -> dict[str, Any]:
    """What Kinesis keeps of the stream; one that was made in the process has nothing."""
    document = stream.document
    return dict(json.loads(document).get(_KEY) or {}) if document else {}


def write(document: bytes, kept: dict[str, Any]) -> bytes:
    """The document with what Kinesis keeps replaced; what other surfaces keep stays."""
    everything = json.loads(document) if document else {}
    everything[_KEY] = {name: value for name, value in kept.items() if value not in (None, {}, [])}
    if not everything[_KEY]:
        del everything[_KEY]
    return json.dumps(everything, separators=(",", ":")).encode() if everything else b""


def change(stream: WireStream, **changes: Any) -> None:
    """Replaces some of what Kinesis keeps of the stream; None removes a value."""
    stream.set_document(write(stream.document, read(stream) | changes))


def mode(kept: dict[str, Any]) -> str:
    """The capacity mode."""
    return str(kept.get("mode", PROVISIONED))
