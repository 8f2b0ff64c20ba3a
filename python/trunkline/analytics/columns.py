"""Which columns a statement reads: the others of a record need not be decoded."""

from __future__ import annotations

import json

from trunkline._dataclasses import dataclass, field
from trunkline.analytics.statement import ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_KNOWN = frozenset(
    (
        *("SELECT_NODE", "SET_OPERATION_NODE", "CTE_NODE"),
        *("BASE_TABLE", "JOIN", "SUBQUERY", "EMPTY", "EXPRESSION_LIST"),
        *("ORDER_MODIFIER", "LIMIT_MODIFIER", "DISTINCT_MODIFIER"),
        *("ORDER_DEFAULT", "ASCENDING", "DESCENDING"),
    )
)
"""Parts of a statement, expressions apart, that read no columns but those that are named."""

_ALL = frozenset(("STAR", "POSITIONAL_REFERENCE"))
"""Expressions that read columns without their names."""


class _All(Exception):
    """The statement may read any column."""


def columns_of(connection: Any, select: str) -> frozenset[str] | None:
    """The names of the columns that a query may read of the rows of a window, in small letters;
    None if it may be any.

    >>> import duckdb
    >>> sorted(columns_of(duckdb.connect(), 'SELECT card, max("At") FROM window_rows GROUP BY 1'))
    ['at', 'card']
    >>> columns_of(duckdb.connect(), "SELECT * FROM window_rows") is None
    True
    """
    import duckdb

    try:
        text = connection.execute("SELECT json_serialize_sql($1::VARCHAR)", [select]).fetchone()[0]
        parsed = json.loads(text)
    except (duckdb.Error, ValueError):
        return None
    if parsed.get("error", True):
        return None
    found = _Found()
    try:
        found.collect(parsed["statements"])
    except _All:
        return None
    # A table's own name stands for whole rows.
    return None if found.last & found.tables else frozenset(found.last | found.before)


@dataclass(slots=True)
class _Found:
    """The names in a statement, in small letters."""

    last: set[str] = field(default_factory=set)
    """Of columns, or the last of names with dots."""
    before: set[str] = field(default_factory=set)
    """Those before a dot: of a table, or of a column with fields."""
    tables: set[str] = field(default_factory=lambda: {ROWS})

    def collect(self, part: Any) -> None:
        """Adds the names of a part of the statement."""
        if isinstance(part, list):
            for one in part:
                self.collect(one)
        if not isinstance(part, dict):
            return
        kind = part.get("class", part.get("type"))
        if isinstance(kind, str):
            if kind in _ALL or part.get("ref_type") == "NATURAL":
                raise _All
            if "class" not in part:
                self._check_table(part, kind)
        self.last.update(name.lower() for name in part.get("using_columns", ()))
        if kind == "COLUMN_REF":
            *before, last = (name.lower() for name in part["column_names"])
            self.last.add(last)
            self.before.update(before)
            return
        for value in part.values():
            self.collect(value)

    def _check_table(self, part: dict[str, Any], kind: str) -> None:
        if kind not in _KNOWN or part.get("column_name_alias"):
            raise _All
        self.tables.update(part[key].lower() for key in ("alias", "table_name") if part.get(key))
