"""A continuous query: reads a stream, and runs its SQL once for each window that is over.

The state is what a restart needs: how far the stream was read, up to which time windows are over,
and results that may not have been sent. The rows of open windows are read again from the stream.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass

from trunkline import validation
from trunkline._core import milliseconds
from trunkline.analytics.rows import rows_of, times_of
from trunkline.analytics.sinks import Sink, find_target, text_of
from trunkline.analytics.statement import ARRIVED, ROWS, Statement, parse, refused
from trunkline.analytics.windows import windows_of
from trunkline.aws.store import Store
from trunkline.errors import EngineUnavailable, InvalidParameterValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Literal, Self

    from trunkline._core import Engine as CoreEngine
    from trunkline._core import RecordBatch
    from trunkline._types import Seconds, StreamStart
    from trunkline.analytics.windows import Window, Windows
    from trunkline.engine import Engine
    from trunkline.streams.stream import Stream

PREFIX = "analytics/"
"""The start of the keys of states."""

RECORDS = 10_000
"""Records of one step."""

POLL_SECONDS = 0.1
"""How often a query that runs looks for records."""

_SPAN_MS_MAX = 30 * 86_400_000
_log = logging.getLogger("trunkline")


@dataclass(slots=True)
class _Held:
    """A batch that is not committed: a restart reads it again."""

    batch: RecordBatch
    last: int
    """What its windows told: they are over if that is over."""


class Query:
    """A continuous query; :func:`trunkline.analytics.query` makes it.

    In a ``with`` it runs in a thread of its own; or a program calls :meth:`process`.
    """

    def __init__(
        self, core: CoreEngine, name: str, statement: Statement, options: Mapping[str, Any]
    ) -> None:
        import duckdb

        self.name = name
        self.statement = statement
        self._options = options
        self._sink: Sink | None = options["sink"]
        self._late: Sink | None = options["late"]
        self._store = Store(core)
        self._key = f"{PREFIX}{name}"
        self._connection: Any = options.get("connection") or duckdb.connect(":memory:")
        for table, content in options["tables"].items():
            self._connection.register(table, content)
        self._windows: Windows = options.get("windows") or windows_of(statement)
        self._text: Callable[[dict[str, Any]], str] = options.get("text", text_of)
        stream: Stream = options["stream"]
        self._stream = stream
        self._reader = stream.reader(f"analytics-{name}", options["start"], lease=86_400)
        self._state = self._restored()
        self._held: deque[_Held] = deque()
        self._reached: dict[str, tuple[int, float]] = {}
        self._results: list[dict[str, Any]] = []
        self._failed: Exception | None = None
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def _restored(self) -> dict[str, Any]:
        found = self._store.get(self._key)
        state: dict[str, Any] = dict.fromkeys(("windows", "late", "invalid"), 0)
        state |= {"watermark": -1, "seen": {}, "pending": None}
        state |= found or {}
        pending = state["pending"]
        if pending is not None:
            sink = self._sink
            if sink is not None and not sink.has(pending["texts"], pending["at"]):
                sink.send(pending["texts"], pending["id"])
            state["pending"] = None
            self._keep(state)
        return state

    def _keep(self, state: dict[str, Any]) -> None:
        self._store.put(self._key, state)
        self._store.flush()

    # --- for programs ----------------------------------------------------------------------------

    def process(self) -> int:
        """Work off the records that are there; return how many windows were over.

        >>> import trunkline
        >>> from trunkline import analytics
        >>> engine = trunkline.open()
        >>> clicks, counts = engine.stream("clicks"), engine.stream("counts")
        >>> put = clicks.put_batch(("k", f'{{"at": {second}}}') for second in (0, 59, 60, 120))
        >>> query = analytics.query(engine, '''
        ...     INSERT INTO counts SELECT window_start, count(*) AS n
        ...     FROM TUMBLE(TABLE clicks, DESCRIPTOR(at), INTERVAL '1' MINUTE) GROUP BY ALL''')
        >>> query.process()
        2
        >>> [record.json()["n"] for record in counts.read()]
        [2, 1]
        """
        with self._lock:
            if self._failed is not None:
                raise self._failed
            try:
                return self._work_off()
            except EngineUnavailable:
                raise
            except Exception as error:
                # What was in the windows is read again by the next query of the name.
                self._failed = error
                raise

    def results(self) -> list[dict[str, Any]]:
        """The rows of a query without a target since the last call."""
        with self._lock:
            found, self._results = self._results, []
            return found

    def statistics(self) -> dict[str, int]:
        """How it stands: ``windows`` that are over, rows that were ``late``, records that are
        ``invalid`` (no JSON, or without a time), and the ``watermark`` in microseconds."""
        names = ("windows", "late", "invalid", "watermark")
        return {name: int(self._state[name]) for name in names}

    def start(self) -> None:
        """Run in a thread until :meth:`stop`, or until the engine is closed."""
        if self._thread is None:
            self._stopping.clear()
            name = f"trunkline-analytics-{self.name}"
            self._thread = threading.Thread(target=self._run, name=name, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread, and leave the stream to the next query of the name."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._reader.close()

    def remove(self) -> None:
        """Stop, and forget the state: a query of the name begins anew."""
        self.stop()
        self._stream._core.remove_reader(f"analytics-{self.name}")
        self._store.put(self._key, None)
        self._store.flush()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Query {self.name!r}>"

    # --- working ---------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.process()
            except EngineUnavailable:
                return
            except Exception:
                _log.exception("query %s", self.name)
                return
            self._stopping.wait(POLL_SECONDS)

    def _work_off(self) -> int:
        before = self._state["windows"]
        while True:
            batch = self._reader.fetch(RECORDS)
            if len(batch):
                self._take(batch)
            self._advance(is_drained=not len(batch))
            if not len(batch):
                return int(self._state["windows"] - before)

    def _take(self, batch: RecordBatch) -> None:
        """Puts the rows of a batch into their windows."""
        import pyarrow
        import pyarrow.compute as compute

        table, invalid = self._options["decode"](batch)
        seen = self._state["seen"]
        # To lay a batch out costs as much as to decode it: where each record is a row, its rows do.
        is_whole = table is not None and not invalid and table.num_rows == len(batch)
        ends = _ends(table if is_whole else pyarrow.table(batch))
        is_new = any(sequence > seen.get(shard, "") for shard, sequence in ends.items())
        last = 0
        if table is not None:
            times = times_of(table, self.statement.time)
            usable = compute.is_valid(times)
            invalid += times.null_count
            table, times = table.filter(usable), times.filter(usable)
            late, last = self._windows.add(table, times, self._state["watermark"])
            self._report_late(table.filter(late))
            self._note_times(table, times)
        if is_new:
            self._state["invalid"] += invalid
        for shard, sequence in ends.items():
            seen[shard] = max(seen.get(shard, ""), sequence)
        self._held.append(_Held(batch, last))

    def _report_late(self, table: Any) -> None:
        """Counts rows that came too late. Those that are read again were counted."""
        seen = self._state["seen"]
        rows = [row for row in table.to_pylist() if row["sequence"] > seen.get(row["shard"], "")]
        self._state["late"] += len(rows)
        if rows and self._late is not None:
            self._late.send([self._text(row) for row in rows], rows[0]["sequence"])

    def _note_times(self, table: Any, times: Any) -> None:
        import pyarrow.compute as compute

        now = self._store.now()
        shards = table.column("shard")
        for shard in compute.unique(shards).to_pylist():
            newest = compute.max(times.filter(compute.equal(shards, shard))).as_py()
            known = self._reached.get(shard, (newest, now))[0]
            self._reached[shard] = (max(known, newest), now)

    def _watermark(self, *, is_drained: bool) -> int:
        """The time before which no row is expected: the slowest shard that is not idle decides."""
        now = self._store.now()
        lateness: int = self._options["lateness"]
        if is_drained and self.statement.time == ARRIVED:
            return int(now * 1_000_000) - lateness
        reached = dict(self._reached)
        if is_drained:
            idle = self._options["idle"]
            busy = {shard: one for shard, one in reached.items() if now - one[1] < idle}
            newest = max((at for at, _ in reached.values()), default=-1)
            slowest = min((at for at, _ in busy.values()), default=newest)
            return slowest - lateness
        is_open = [shard.id for shard in self._stream.shards() if shard.open]
        if not all(shard in reached for shard in is_open):
            return -1
        return min((reached[shard][0] for shard in is_open), default=-1) - lateness

    def _advance(self, *, is_drained: bool) -> None:
        """Lets windows be over whose time has come; sends their results, then notes it."""
        watermark = max(self._watermark(is_drained=is_drained), self._state["watermark"])
        is_waiting = watermark == self._state["watermark"] and not is_drained
        if is_waiting and not self._windows.at_once:
            return
        over = self._windows.close(watermark)
        self._state["watermark"] = watermark
        if over:
            rows = [row for window in over for row in self._evaluate(window)]
            self._state["windows"] += len(over)
            self._emit(rows, f"{self.name}-{over[-1].end}")
        while self._held and self._windows.is_over(self._held[0].last, watermark):
            self._reader.commit(self._held.popleft().batch)

    def _emit(self, rows: list[dict[str, Any]], id: str) -> None:
        if self._sink is None:
            self._results += rows
            self._keep(self._state)
            return
        texts = [self._text(row) for row in rows]
        pending = {"texts": texts, "id": id, "at": self._store.now()}
        # A crash behind this sends them at the next opening.
        self._keep({**self._state, "pending": pending})
        self._sink.send(texts, id)
        self._keep(self._state)

    def _evaluate(self, window: Window) -> list[dict[str, Any]]:
        """The rows that the query gives for a window."""
        import pyarrow

        table = self._joined(window.parts)
        for name, at in (("window_start", window.start), ("window_end", window.end)):
            column = pyarrow.repeat(pyarrow.scalar(at, pyarrow.timestamp("us")), table.num_rows)
            table = table.append_column(name, column)
        self._connection.register(ROWS, table)
        try:
            result = self._connection.execute(self.statement.select)
            names = [column[0] for column in result.description or ()]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
        finally:
            self._connection.unregister(ROWS)

    def _joined(self, parts: list[Any]) -> Any:
        """One table of parts; a part of another form is left out, and its rows are invalid."""
        import pyarrow

        try:
            return pyarrow.concat_tables(parts, promote_options="permissive")
        except pyarrow.ArrowException:
            table = parts[0]
        for part in parts[1:]:
            try:
                table = pyarrow.concat_tables([table, part], promote_options="permissive")
            except pyarrow.ArrowException:
                self._state["invalid"] += part.num_rows
        return table


def _ends(table: Any) -> dict[str, str]:
    """The last sequence of each shard in a table."""
    import pyarrow.compute as compute

    shards, sequences = table.column("shard"), table.column("sequence")
    found = {}
    names = compute.unique(shards).to_pylist()
    if len(names) == 1:
        return {names[0]: sequences[len(sequences) - 1].as_py()}
    for shard in names:
        own = sequences.filter(compute.equal(shards, shard))
        found[shard] = own[len(own) - 1].as_py()
    return found


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
        "decode": lambda batch: rows_of(batch, schema),
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
