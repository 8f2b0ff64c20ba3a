"""Checks of what the caller gives: an error names the argument and says what it may be."""

from __future__ import annotations

from trunkline.limits import Limits
from trunkline.queues.attributes import typed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def receipt_of(delivery: object) -> str:
    """The receipt of a message, or the receipt itself; raises TypeError for anything else."""
    receipt = delivery if isinstance(delivery, str) else getattr(delivery, "receipt", None)
    if not isinstance(receipt, str):
        kind = type(delivery).__name__
        raise TypeError(f"delivery must be a message that was received, or a receipt, not {kind}")
    return receipt


def mapping(given: object, name: str) -> dict[str, Any]:
    """A mapping as a dict; raises TypeError, which names the argument, for anything else."""
    if not hasattr(given, "items"):
        raise TypeError(f"{name} must map names to values, not be a {type(given).__name__}")
    found = dict(given.items())
    for key in found:
        if not isinstance(key, str):
            raise TypeError(f"{name} must have names that are str, not {type(key).__name__}")
    return found


def typed_attributes(given: object) -> dict[str, tuple[str, bytes]]:
    """The type and the bytes of each attribute; raises as a queue in the process does."""
    limits = Limits()
    return {name: typed(name, one, limits) for name, one in mapping(given, "attributes").items()}
