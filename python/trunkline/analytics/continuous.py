"""A continuous query: reads a stream, and runs its SQL once for each window that is over.

The state is what a restart needs: how far the stream was read, up to which time windows are over,
and results that may not have been sent. The rows of open windows are read again from the stream.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor

from trunkline._dataclasses import dataclass
from trunkline.analytics.rows import row_of, times_of
from trunkline.analytics.sinks import Sink, text_of
from trunkline.analytics.statement import ARRIVED, ROWS, Statement
from trunkline.analytics.windows import windows_of
from trunkline.aws.store import Store
from trunkline.errors import EngineUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, Self

    from trunkline._core import Engine as CoreEngine
    from trunkline._core import RecordBatch
    from trunkline.analytics.windows import Window, Windows
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
class _Step:
    """A batch with its rows."""

    batch: RecordBatch
    ends: dict[str, str]
    """The last sequence of each shard."""
    rows: Any
    """A table; none if no record is a row."""
    invalid: int


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
        self._wanted: frozenset[str] | None = options.get("wanted")
        """The columns that are decoded, in small letters; all, if None."""
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
        # While a full batch is worked off, the next one is fetched and decoded.
        with ThreadPoolExecutor(1, f"trunkline-analytics-{self.name}-ahead") as pool:
            step = self._fetched()
            while len(step.batch):
                is_full = len(step.batch) == RECORDS
                ahead = pool.submit(self._fetched) if is_full else None
                self._take(step)
                self._advance(is_drained=False)
                step = self._fetched() if ahead is None else ahead.result()
        self._advance(is_drained=True)
        return int(self._state["windows"] - before)

    def _fetched(self) -> _Step:
        """The next records, decoded."""
        batch = self._reader.fetch(RECORDS)
        ends = dict(batch._ends())
        # Which shard a row is of need not be asked if there is one.
        wanted = self._wanted if len(ends) == 1 or not self._wanted else self._wanted | {"shard"}
        rows, invalid = self._options["decode"](batch, wanted) if len(batch) else (None, 0)
        return _Step(batch, ends, rows, invalid)

    def _take(self, step: _Step) -> None:
        """Puts the rows of a batch into their windows."""
        import pyarrow.compute as compute

        batch, table, invalid = step.batch, step.rows, step.invalid
        seen = self._state["seen"]
        is_new = any(sequence > seen.get(shard, "") for shard, sequence in step.ends.items())
        last = 0
        if table is not None:
            times = times_of(table, self.statement.time)
            usable = compute.is_valid(times)
            if times.null_count:
                invalid += times.null_count
                table, times = table.filter(usable), times.filter(usable)
            late, last = self._windows.add(table, times, self._state["watermark"])
            if late is not None and compute.any(late).as_py():
                self._report_late(self._late_rows(batch, table, usable, late))
            self._note_times(table, times, step.ends)
        if is_new:
            self._state["invalid"] += invalid
        for shard, sequence in step.ends.items():
            seen[shard] = max(seen.get(shard, ""), sequence)
        self._held.append(_Held(batch, last))

    def _late_rows(self, batch: RecordBatch, table: Any, usable: Any, late: Any) -> Any:
        """The rows that are late, whole: where each record is a row, as the record has it."""
        import pyarrow.compute as compute

        if self._wanted is None or len(usable) != len(batch):
            return table.filter(late).to_pylist()
        places = compute.indices_nonzero(usable).filter(late).to_pylist()
        return [row_of(batch[place]) for place in places]

    def _report_late(self, rows: Sequence[dict[str, Any]]) -> None:
        """Counts rows that came too late. Those that are read again were counted."""
        seen = self._state["seen"]
        rows = [row for row in rows if row["sequence"] > seen.get(row["shard"], "")]
        self._state["late"] += len(rows)
        if rows and self._late is not None:
            self._late.send([self._text(row) for row in rows], rows[0]["sequence"])

    def _note_times(self, table: Any, times: Any, shards: Iterable[str]) -> None:
        """Notes the newest time of each of the shards that the rows are of."""
        import pyarrow.compute as compute

        now = self._store.now()
        only = next(iter(shards)) if "shard" not in table.column_names else None
        for shard in shards:
            own = times
            if only is None:
                own = times.filter(compute.equal(table.column("shard"), shard))
            newest = compute.max(own).as_py()
            if newest is not None:
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
        if self._options.get("connection") is None:
            return self._selected(table)
        # A connection that reaches nothing outside finds what it was given, and no more.
        self._connection.register(ROWS, table)
        try:
            return self._selected(table)
        finally:
            self._connection.unregister(ROWS)

    def _selected(self, window_rows: Any) -> list[dict[str, Any]]:
        """The rows of the query over a table. DuckDB finds it by the name of the argument, which is
        :data:`ROWS`: to make and drop a view of it takes as long as the query of a small window."""
        result = self._connection.execute(self.statement.select)
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

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
