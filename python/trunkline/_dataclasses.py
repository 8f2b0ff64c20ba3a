"""Data classes that threads may define at the same moment.

The decorator of the standard library looks at `typing` in `sys.modules`, where a module lies before
it is whole. If another thread is importing it for the first time, the decorator fails, and so does
every import behind it. So it is whole here first.
"""

from __future__ import annotations

import typing  # noqa: F401
from dataclasses import asdict, dataclass, field, replace

__all__ = ["asdict", "dataclass", "field", "replace"]
