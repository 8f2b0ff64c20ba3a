"""Streams: records in shards, and readers. The other public names are those of `trunkline`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.streams.aggregation import UserRecord, deaggregate
    from trunkline.streams.tables import as_table

__all__ = ["UserRecord", "as_table", "deaggregate"]

# Imported at first use, so that `import trunkline` stays light.
_LAZY = {
    "UserRecord": "trunkline.streams.aggregation",
    "as_table": "trunkline.streams.tables",
    "deaggregate": "trunkline.streams.aggregation",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'trunkline.streams' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value
    return value
