"""A pump at work: a continuous query of :mod:`trunkline.analytics` over raw rows."""

from __future__ import annotations

from trunkline.analytics.continuous import Query
from trunkline.analytics.statement import ARRIVED, Statement
from trunkline.analytics.windows import Batches, FixedWindows
from trunkline.aws.kinesisanalyticsv2.running.sinks import text_of
from trunkline.aws.kinesisanalyticsv2.running.staggers import Staggers
from trunkline.aws.kinesisanalyticsv2.sql.plan import connect, keys_of
from trunkline.aws.kinesisanalyticsv2.sql.schema import raw_select
from trunkline.limits import Limits
from trunkline.streams.stream import Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline._core import RecordBatch
    from trunkline._core import Stream as CoreStream
    from trunkline._types import StreamStart
    from trunkline.analytics.windows import Windows
    from trunkline.aws.kinesisanalyticsv2.running.sinks import Sinks
    from trunkline.aws.kinesisanalyticsv2.sql.plan import Step

IDLE_SECONDS = 10.0
_BATCH = "records"


class _Owner:
    """What a stream has to know of its engine."""

    def __init__(self, core: CoreEngine) -> None:
        self._core = core
        self.limits = Limits(**core.limits())


def query_of(
    core: CoreEngine,
    name: str,
    step: Step,
    *,
    source: CoreStream,
    sinks: Sinks,
    tables: Mapping[str, Any],
    start: StreamStart,
) -> Query:
    """The query of a pump; `name` finds its state after a restart."""
    connection = connect()
    window = step.window
    size = window.size or 1
    statement = Statement(
        step.target, source.name, window.kind, ARRIVED, size, size, None, step.select
    )
    windows: Windows
    if window.kind == "EACH":
        windows = Batches()
    elif window.kind == "STAGGER":
        windows = Staggers(connection, keys_of(step.schema, window), size)
    else:
        windows = FixedWindows(statement)
    stream: Any = Stream(_Owner(core), source)  # type: ignore[arg-type]
    options = {
        "stream": stream,
        "tables": tables,
        "decode": _decoder(step),
        "start": start,
        "lateness": 0,
        "idle": IDLE_SECONDS,
        "late": None,
        "sink": sinks,
        "windows": windows,
        "connection": connection,
        "text": text_of,
    }
    return Query(core, name, statement, options)


def _decoder(step: Step) -> Any:
    """Makes raw rows of a batch; tells how many of its records are none."""
    connection = connect()
    select = raw_select(step.schema, _BATCH)

    def decode(batch: RecordBatch, wanted: frozenset[str] | None) -> tuple[Any, int]:
        import pyarrow
        import pyarrow.compute as compute

        given = pyarrow.table(batch)
        text = _texts(given.column("data"))
        arrived = compute.cast(given.column("timestamp"), pyarrow.timestamp("us", "UTC"))
        records = pyarrow.table(
            {
                "sequence": given.column("sequence"),
                "arrived": compute.cast(arrived.cast(pyarrow.int64()), pyarrow.timestamp("us")),
                "key": given.column("key"),
                "shard": given.column("shard"),
                "data": text,
            }
        ).filter(compute.is_valid(text))
        connection.register(_BATCH, records)
        try:
            rows = connection.sql(select).to_arrow_table()
        finally:
            connection.unregister(_BATCH)
        usable = len(compute.unique(rows.column("sequence")))
        return rows, len(batch) - usable

    return decode


def _texts(data: Any) -> Any:
    """The data of records as text; null where it is none."""
    import pyarrow
    import pyarrow.compute as compute

    try:
        return compute.cast(data, pyarrow.string())
    except pyarrow.ArrowInvalid:
        return pyarrow.array([_text(value) for value in data.to_pylist()], pyarrow.string())


def _text(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None
