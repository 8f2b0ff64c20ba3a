"""The way to a continuous query: its statement, its stream, its target and its options."""

from __future__ import annotations

from trunkline import validation
from trunkline._core import milliseconds
from trunkline.analytics.columns import columns_of
from trunkline.analytics.continuous import Query
from trunkline.analytics.rows import rows_of
from trunkline.analytics.sinks import Sink, find_target
from trunkline.analytics.statement import Statement, parse, refused
from trunkline.errors import InvalidParameterValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal

    from trunkline._types import Seconds, StreamStart
    from trunkline.engine import Engine

_SPAN_MS_MAX = 30 * 86_400_000


def query(
    engine: Engine,
    sql: str,
    *,
    name: str | None = None,
    tables: Mapping[str, Any] | None = None,
    targets: Mapping[str, object] | None = None,
    schema: Any = None,
    start: StreamStart = "earliest",
    lateness: Seconds = 0,
    idle: Seconds = 10,
    late: object | Literal["drop"] = "drop",
    key: str | None = None,
) -> Query:
    """A continuous query over a stream of JSON records, which runs once for each window.

    ``INSERT INTO target SELECT ... FROM TUMBLE(TABLE stream, DESCRIPTOR(time), INTERVAL '1'
    MINUTE) ...``; ``HOP`` takes the slide and the size, ``SESSION`` ``TABLE stream PARTITION BY
    column`` and the gap. The rest is DuckDB's SQL, with the columns of the data and
    ``window_start``, ``window_end``, ``arrived``, ``key``, ``shard`` and ``sequence``. The time is
    a column (ISO 8601, seconds or milliseconds since the epoch) or ``arrived``.

    - `name`: by which a restart finds the state; that of the target, or of the stream.
    - `tables`: tables to join with: of pyarrow, pandas or polars.
    - `targets`: streams, queues or buses by the names in the SQL, where a name alone is not enough.
    - `schema`: of the data; without one it is inferred.
    - `lateness`: seconds that rows may be behind others; `idle`: seconds after which a shard
      without records holds no window open; `late`: what gets rows that come later still.
    - `key`: the column that is the partition key in a target stream; the first one.

    Raises InvalidParameterValue, ResourceNotFound, and ModuleNotFoundError without DuckDB.
    """
    try:
        import duckdb
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise ModuleNotFoundError(
            "Queries need DuckDB and pyarrow: pip install 'trunkline[analytics]'.", name=error.name
        ) from None
    plain: Any = getattr(engine, "sync", engine)
    statement = parse(validation.text(sql, "sql"))
    named = dict(targets or {})
    own = name or statement.target or statement.stream
    if not own.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise InvalidParameterValue(f"Value {own!r} for parameter name is invalid.")
    sink = None
    if statement.target is not None:
        target = named.get(statement.target) or find_target(plain, statement.target)
        sink = Sink(plain, target, own, key)
    options = {
        "stream": plain.stream(statement.stream, create=False),
        "tables": dict(tables or {}),
        "decode": lambda batch, wanted: rows_of(batch, schema, wanted),
        "wanted": _wanted(statement) if schema is None else None,
        "start": start,
        "lateness": milliseconds(lateness, "lateness", 0, _SPAN_MS_MAX) * 1_000,
        "idle": milliseconds(idle, "idle", 0, _SPAN_MS_MAX) / 1_000,
        "late": None if late == "drop" else Sink(plain, late, own, None),
        "sink": sink,
    }
    try:
        duckdb.extract_statements(statement.select)
    except duckdb.Error as error:
        raise refused(str(error)) from None
    return Query(plain._core, own, statement, options)


def _wanted(statement: Statement) -> frozenset[str] | None:
    """The columns that a statement and its windows read; None if they may be any."""
    import duckdb

    with duckdb.connect(":memory:") as connection:
        columns = columns_of(connection, statement.select)
    if columns is None:
        return None
    return columns | {name.lower() for name in (statement.time, statement.partition) if name}
