"""Streams and tables: rows that are put as records, and records that become a Parquet file.

Needs pyarrow: ``pip install 'trunkline[parquet]'``.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from trunkline.errors import InvalidParameterValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from trunkline._core import RecordBatch
    from trunkline._types import StreamStart
    from trunkline.streams.stream import Stream

ROWS = 500
"""Rows of one put."""
RECORDS = 10_000
"""Records of one read."""
DATA = "data"
"""The column that is put as it is."""


def _pyarrow() -> Any:
    try:
        import pyarrow
    except ImportError:
        raise ModuleNotFoundError(
            "Tables need pyarrow: pip install 'trunkline[parquet]'.", name="pyarrow"
        ) from None
    return pyarrow


def put_table(stream: Stream, table: Any, key: str) -> int:
    """Puts the rows of a table, in order; returns how many there were."""
    pyarrow = _pyarrow()
    rows = pyarrow.table(table)
    if key not in rows.column_names:
        known = ", ".join(rows.column_names)
        raise InvalidParameterValue(
            f"Value {key!r} for parameter key is invalid. Reason: The table has no such column; "
            f"it has {known}."
        )
    count = 0
    for batch in rows.to_batches(max_chunksize=ROWS):
        columns = batch.to_pydict()
        records = list(zip(map(str, columns[key]), _bodies(columns, key), strict=True))
        stream.put_batch(records)
        count += len(records)
    return count


def _bodies(columns: dict[str, list[Any]], key: str) -> Iterator[Any]:
    """What is put of each row: its data, or all other columns as JSON."""
    if DATA in columns:
        yield from columns[DATA]
        return
    names = [name for name in columns if name != key]
    for values in zip(*(columns[name] for name in names), strict=True):
        yield json.dumps(dict(zip(names, values, strict=True)), default=str)


def write_parquet(
    stream: Stream,
    path: str | Path,
    start: StreamStart,
    end: datetime | None,
    progress: Callable[[int, int], object] | None,
) -> int:
    """Writes the records from `start` up to before `end`, shard by shard; returns how many."""
    if end is not None and not isinstance(end, datetime):
        raise TypeError(f"end must be a datetime with a time zone, not {type(end).__name__}")
    if end is not None and end.tzinfo is None:
        raise InvalidParameterValue(
            f"Value {end} for parameter end is invalid. Reason: A datetime needs a time zone, such "
            "as datetime.now(timezone.utc)."
        )
    pyarrow = _pyarrow()
    from pyarrow.parquet import ParquetWriter

    target = Path(path)
    # A file of this name is whole: it gets its name at the end.
    part = target.with_name(target.name + ".part")
    count, total = 0, stream.statistics().records
    try:
        with ParquetWriter(part, pyarrow.table(stream.read(max=1)).schema) as writer:
            for table in _tables(stream, start, end, pyarrow):
                writer.write_table(table)
                count += table.num_rows
                if progress is not None:
                    progress(count, max(count, total))
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return count


def _tables(
    stream: Stream, start: StreamStart, end: datetime | None, pyarrow: Any
) -> Iterator[Any]:
    for shard in stream.shards():
        batch = stream.read(shard.id, start, RECORDS)
        while len(batch):
            table = pyarrow.table(batch)
            if end is None:
                yield table
            else:
                import pyarrow.compute as compute

                column = table.column("timestamp")
                limit = pyarrow.scalar(end, type=column.type)
                kept = table.filter(compute.less(column, limit))
                yield kept
                if kept.num_rows < table.num_rows:
                    break
            batch = stream.read(shard.id, max=RECORDS, after=batch[-1].sequence)


def _lines(data: Any) -> Any:
    """A file of lines, one of each record."""
    import pyarrow
    import pyarrow.compute as compute

    whole = pyarrow.ListArray.from_arrays(pyarrow.array([0, len(data)], pyarrow.int32()), data)
    return pyarrow.BufferReader(compute.binary_join(whole, b"\n")[0].as_buffer())


def as_table(batch: RecordBatch, *, decode: str | None = None, schema: Any = None) -> Any:
    """A batch as a table of pyarrow; with `decode="json"`, its data as typed columns.

    Each record has to be one JSON object. The types are inferred from the batch, or are those of
    `schema`, a schema of pyarrow; a member that a record lacks is null. The columns sequence,
    timestamp, key and shard come first.

    >>> import trunkline
    >>> from trunkline.streams import as_table
    >>> stream = trunkline.open().stream("clicks")
    >>> put = stream.put_batch([("a", '{"page": 1}'), ("b", '{"page": 2, "ms": 0.5}')])
    >>> as_table(stream.read(), decode="json").select(["key", "page", "ms"]).to_pylist()
    [{'key': 'a', 'page': 1, 'ms': None}, {'key': 'b', 'page': 2, 'ms': 0.5}]
    """
    pyarrow = _pyarrow()
    table = pyarrow.table(batch)
    if decode is None:
        return table
    if decode != "json":
        raise InvalidParameterValue(
            f'Value {decode!r} for parameter decode is invalid. Reason: Must be "json".'
        )
    from pyarrow import json as reader

    plain = table.drop_columns([DATA])
    if not table.num_rows:
        decoded = schema.empty_table() if schema is not None else None
    else:
        lines = _lines(table.column(DATA).combine_chunks())
        options = reader.ParseOptions(
            explicit_schema=schema,
            newlines_in_values=True,
            unexpected_field_behavior="infer" if schema is None else "ignore",
        )
        try:
            decoded = reader.read_json(lines, parse_options=options)
        except pyarrow.ArrowInvalid as error:
            raise InvalidParameterValue(
                f"The data of the batch is no JSON of one form. Reason: {error}"
            ) from None
        if decoded.num_rows != table.num_rows:
            raise InvalidParameterValue(
                "The data of the batch is no JSON of one form. Reason: Each record must be one "
                f"object; {table.num_rows} records hold {decoded.num_rows}."
            )
    if decoded is not None:
        for name in decoded.column_names:
            plain = plain.append_column(name, decoded.column(name))
    return plain
