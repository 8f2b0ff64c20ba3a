"""What EventBridge keeps with buses and rules, inside the documents that all surfaces share."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Bus

_KEY = "events"


def read(document: bytes) -> dict[str, Any]:
    """What EventBridge keeps in a document."""
    return dict(json.loads(document).get(_KEY) or {}) if document else {}


def write(document: bytes, kept: dict[str, Any]) -> bytes:
    """The document with what EventBridge keeps replaced; what other surfaces keep stays."""
    everything = json.loads(document) if document else {}
    kept = {name: value for name, value in kept.items() if value is not None}
    everything[_KEY] = kept
    if not kept:
        del everything[_KEY]
    return json.dumps(everything, separators=(",", ":")).encode() if everything else b""


def change_bus(bus: Bus, kept: dict[str, Any]) -> None:
    """Replaces what EventBridge keeps with a bus."""
    bus.configure(write(bus.document, kept))


def text(value: Any) -> str:
    """A value as JSON text, as AWS writes it."""
    return json.dumps(value, separators=(",", ":"))
