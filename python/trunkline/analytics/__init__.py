"""Continuous SQL over streams: windows, watermarks and durable state here, the SQL is DuckDB's.

Needs DuckDB and pyarrow: ``pip install 'trunkline[analytics]'``. `docs/analytics.md` explains it.
"""

from __future__ import annotations

from trunkline.analytics.continuous import Query
from trunkline.analytics.query import query

__all__ = ["Query", "query"]
