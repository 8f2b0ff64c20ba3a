"""Records as rows with their times; and which of them are none."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

from trunkline.analytics.statement import ARRIVED
from trunkline.errors import InvalidParameterValue
from trunkline.streams.tables import as_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Record, RecordBatch

_PLAIN = 4
"""The columns of a record that come before those of its data."""

_OF_RECORDS = {ARRIVED: "timestamp", "key": "key", "shard": "shard", "sequence": "sequence"}
"""The columns of a record, and what a batch calls them."""

_DATE = re.compile(r"\d{4}-\d\d-\d\d")

_MILLISECONDS_FROM = 100_000_000_000
"""Numbers from here on are milliseconds since the epoch, below it seconds."""

_MILLISECONDS_TO = 2**62 // 1_000


def rows_of(
    batch: RecordBatch, schema: Any, wanted: frozenset[str] | None = None
) -> tuple[Any, int]:
    """The rows of a batch, and how many of its records are no JSON objects of the schema.

    The columns sequence, arrived, key and shard are those of the record, whatever its data has.
    Without a schema only the columns `wanted`, in small letters, need be there.
    """
    if wanted is not None and schema is None:
        table = _wanted(batch, wanted)
        if table is not None:
            return table, 0
    try:
        table = as_table(batch, decode="json", schema=schema)
    except InvalidParameterValue:
        return _one_by_one(batch, schema)
    names = [ARRIVED if name == "timestamp" else name for name in table.column_names[:_PLAIN]]
    names += table.column_names[_PLAIN:]
    table = table.rename_columns(names)
    return table.select(
        [place for place, name in enumerate(names) if names.index(name) == place]
    ), 0


def _wanted(batch: RecordBatch, wanted: frozenset[str]) -> Any:
    """The rows with these columns alone; None where it takes all of the data to tell the types."""
    import pyarrow

    own = [name for name in _OF_RECORDS if name in wanted or name == ARRIVED]
    members = [name for name in wanted if name not in _OF_RECORDS]
    decoded = batch._members([_OF_RECORDS[name] for name in own], members)
    if decoded is None:
        return None
    table = pyarrow.table(decoded)
    table = table.rename_columns(own + table.column_names[len(own) :])
    for place, column in enumerate(table.columns[len(own) :], len(own)):
        if not pyarrow.types.is_string(column.type):
            continue
        typed = _timestamps(column.combine_chunks())
        if typed is None:
            return None
        table = table.set_column(place, table.column_names[place], typed)
    return table


def _timestamps(texts: Any) -> Any:
    """A column of text as pyarrow's reader of JSON types it: as times if all are such, to the
    second. None if that cannot be told."""
    import pyarrow
    import pyarrow.compute as compute

    first = next((text for text in texts.drop_null()[:1].to_pylist()), "")
    if not _DATE.match(first):
        return texts
    for zone in (None, "UTC"):
        try:
            return compute.cast(texts, pyarrow.timestamp("s", zone)).cast(pyarrow.timestamp("s"))
        except pyarrow.ArrowInvalid:
            continue
    for zone in (None, "UTC"):
        try:
            compute.cast(texts, pyarrow.timestamp("ns", zone))
        except pyarrow.ArrowInvalid:
            continue
        return texts
    return None


def row_of(record: Record) -> dict[str, Any]:
    """A record whose data is a JSON object, as a row."""
    own = {
        "sequence": record.sequence,
        ARRIVED: datetime.fromtimestamp(record.timestamp, UTC),
        "key": record.key,
        "shard": record.shard,
    }
    data: dict[str, Any] = json.loads(record.data)
    return own | data | own


def _one_by_one(batch: RecordBatch, schema: Any) -> tuple[Any, int]:
    """The same for a batch of which some record is no row: those of the first form are taken."""
    import pyarrow

    found: list[Any] = []
    form = None
    for record in batch:
        try:
            value = json.loads(record.data)
            if not isinstance(value, dict):
                continue
            at = pyarrow.scalar(int(record.timestamp * 1_000), pyarrow.timestamp("ms", "UTC"))
            row = pyarrow.table(
                {
                    "sequence": [record.sequence],
                    ARRIVED: pyarrow.array([at.as_py()], pyarrow.timestamp("ms", "UTC")),
                    "key": [record.key],
                    "shard": [record.shard],
                }
            )
            given = pyarrow.Table.from_pylist([value], schema=schema)
            for name in given.column_names:
                if name not in row.column_names:
                    row = row.append_column(name, given.column(name))
            known = [row.schema] if form is None else [form, row.schema]
            form = pyarrow.unify_schemas(known, promote_options="permissive")
        except (ValueError, TypeError, RecursionError, OverflowError, pyarrow.ArrowException):
            continue
        found.append(row)
    if not found:
        return None, len(batch)
    table = pyarrow.concat_tables(found, promote_options="permissive")
    return table, len(batch) - len(found)


def times_of(table: Any, column: str) -> Any:
    """The times of rows in microseconds; null for a row that has none."""
    import pyarrow
    import pyarrow.compute as compute

    if column not in table.column_names:
        return pyarrow.nulls(table.num_rows, pyarrow.int64())
    given = table.column(column).combine_chunks()
    if pyarrow.types.is_string(given.type):
        try:
            given = compute.cast(given, pyarrow.timestamp("us", "UTC"))
        except pyarrow.ArrowInvalid:
            return pyarrow.nulls(table.num_rows, pyarrow.int64())
    if pyarrow.types.is_timestamp(given.type):
        zone = given.type.tz
        return compute.cast(given.cast(pyarrow.timestamp("us", zone)), pyarrow.int64())
    if not (pyarrow.types.is_integer(given.type) or pyarrow.types.is_floating(given.type)):
        return pyarrow.nulls(table.num_rows, pyarrow.int64())
    if pyarrow.types.is_integer(given.type):
        bounds = compute.min_max(given).as_py()
        oldest, newest = bounds["min"] or 0, bounds["max"] or 0
        if oldest >= 0 and newest < _MILLISECONDS_FROM:
            return compute.multiply(compute.cast(given, pyarrow.int64()), 1_000_000)
        if oldest >= _MILLISECONDS_FROM and newest < _MILLISECONDS_TO:
            return compute.multiply(compute.cast(given, pyarrow.int64()), 1_000)
    numbers = compute.cast(given, pyarrow.float64())
    factors = compute.if_else(compute.greater_equal(numbers, _MILLISECONDS_FROM), 1e3, 1e6)
    whole = compute.round(compute.multiply(numbers, factors))
    usable = compute.and_(compute.is_finite(whole), compute.less(compute.abs(whole), 2.0**62))
    return compute.cast(compute.if_else(usable, whole, None), pyarrow.int64())
