"""Regular expressions that users write, matched in linear time by the core."""

from __future__ import annotations

from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import WireRegularExpression

_CACHED = 200


@lru_cache(_CACHED)
def expression(pattern: str) -> WireRegularExpression:
    """A compiled pattern, whose dot takes line ends, too; raises ValueError for one not supported.

    Look-around and back references are not: with them, one request could occupy a thread.

    >>> expression("4[0-9]{2}").matches("404")
    True
    """
    from trunkline import _core

    return _core.WireRegularExpression(f"(?s){pattern}")
