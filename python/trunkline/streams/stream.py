"""A stream: put, read, readers, and what belongs to the stream itself.

The verb that a program calls for every record is the core's own method, of `BlockingPut`; it calls
`_put_with` here where there is anything to check.
"""

from __future__ import annotations

from trunkline import validation
from trunkline._begun import begun
from trunkline._core import BlockingPut, milliseconds
from trunkline.limits import WAIT_MAX_MS
from trunkline.queues.messages import as_list
from trunkline.streams import arguments
from trunkline.streams.reader import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from pathlib import Path

    from trunkline._core import PutResult, RecordBatch, Shard, StreamStatistics
    from trunkline._core import Stream as CoreStream
    from trunkline._types import Body, Durability, Seconds, StreamStart
    from trunkline.limits import Limits
    from trunkline.streams.verbs import StreamVerbs

LEASE_MAX_MS = 86_400_000
"""The longest lease of a reader's member, in milliseconds: a day."""


class Stream(BlockingPut):
    """A stream of an engine; :meth:`Engine.stream` makes it. Any thread may call every method.

    >>> import trunkline
    >>> stream = trunkline.open().stream("clicks", shards=4)
    >>> put = stream.put("home", key="user-1")
    >>> [record.text() for record in stream.read()]
    ['home']
    """

    __slots__ = ("_core", "_engine", "_limits")

    def __init__(self, engine: StreamVerbs, core: CoreStream) -> None:
        self._engine = engine
        self._core = core
        self._limits = engine.limits

    @property
    def _as_target(self) -> tuple[str, int]:
        """How rules, subscriptions and schedules name the stream: its kind and its id."""
        return "stream", self._core.id

    @property
    def name(self) -> str:
        """The stream's name."""
        return self._core.name

    @property
    def retention(self) -> float:
        """Seconds that records are kept."""
        return self._core.retention / 1_000

    # --- putting ---------------------------------------------------------------------------------

    def _put_with(
        self, data: Body, key: str, hash_key: int | None, durability: Durability | None
    ) -> PutResult:
        arguments.key(key, self._limits)
        digits = arguments.number(hash_key, "hash_key")
        return begun(self._core.begin_put, data, key, digits, durability)

    def put_batch(
        self, records: Iterable[tuple[str, Body]], *, durability: Durability | None = None
    ) -> list[PutResult]:
        """Add pairs of key and data, in order, with one wait for the disk.

        All are checked first: if one is refused, none was added.

        >>> import trunkline
        >>> stream = trunkline.open().stream("clicks")
        >>> len(stream.put_batch([("user-1", "home"), ("user-2", "cart")]))
        2
        """
        return begun(self._core.begin_put_batch, as_list(records, "records"), durability)

    # --- reading ---------------------------------------------------------------------------------

    def read(
        self,
        shard: str | None = None,
        start: StreamStart = "earliest",
        max: int = 1_000,
        wait: Seconds = 0,
        *,
        after: str | None = None,
    ) -> RecordBatch:
        """Read up to `max` records; wait at most `wait` seconds for the first.

        Without `shard` all shards are read, in the order of the records' times. `start` is
        ``"earliest"``, ``"latest"`` (what is put from now on), a datetime with a time zone, or the
        sequence of the first record, which names its shard. `after` is the sequence behind which
        to go on. A read of many large records ends at 64 MiB.

        A record may be read before its put is acknowledged; a crash can then take it back.

        >>> import trunkline
        >>> stream = trunkline.open().stream("clicks")
        >>> put = stream.put_batch([("user-1", "home"), ("user-1", "cart"), ("user-1", "paid")])
        >>> [record.text() for record in stream.read(after=put[0].sequence, max=1)]
        ['cart']
        """
        checked = read_arguments(shard, start, max, after)
        return self._core.read(*checked, milliseconds(wait, "wait", 0, WAIT_MAX_MS))

    # --- tables ----------------------------------------------------------------------------------

    def write_arrow(self, table: object, *, key: str) -> int:
        """Put the rows of a table, in order; return how many there were.

        `table` is what pyarrow takes: a table, a data frame, anything with the Arrow C stream
        interface. The column `key` has the partition keys. A column ``data`` is put as it is;
        without one, all other columns are put as one JSON object. Needs ``trunkline[parquet]``.

        >>> import pyarrow
        >>> import trunkline
        >>> stream = trunkline.open().stream("clicks")
        >>> stream.write_arrow(pyarrow.table({"user": ["a", "b"], "page": [1, 2]}), key="user")
        2
        >>> [(record.key, record.json()) for record in stream.read()]
        [('a', {'page': 1}), ('b', {'page': 2})]
        """
        from trunkline.streams.tables import put_table

        return put_table(self, table, key)

    def to_parquet(
        self,
        path: str | Path,
        *,
        start: StreamStart = "earliest",
        end: datetime | None = None,
        progress: Callable[[int, int], object] | None = None,
    ) -> int:
        """Write the records from `start` up to before `end` into a file; return how many.

        The columns are those of a batch: sequence, timestamp, key, data and shard. Shards come
        one after the other, each in its order. `progress` is called with how many records are
        written and how many the stream has. Needs ``trunkline[parquet]``.

        >>> import tempfile
        >>> import trunkline
        >>> stream = trunkline.open().stream("clicks")
        >>> put = stream.put_batch([("user-1", "home"), ("user-2", "cart")])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     stream.to_parquet(f"{folder}/clicks.parquet")
        2
        """
        from trunkline.streams.tables import write_parquet

        return write_parquet(self, path, start, end, progress)

    # --- readers ---------------------------------------------------------------------------------

    def reader(self, name: str, start: StreamStart = "latest", *, lease: Seconds = 60) -> Reader:
        """Join the reader `name`, which is created if there is none, and then begins at `start`.

        A reader is a durable position in every shard. Each call adds a member; the members share
        the shards. A member that neither fetches nor commits for `lease` seconds loses its shards
        to the others, and its next commit raises LeaseLost. `start` is ``"earliest"``,
        ``"latest"`` or a datetime, and counts only when the reader is created.

        >>> import trunkline
        >>> stream = trunkline.open().stream("clicks")
        >>> reader = stream.reader("billing", start="earliest")
        >>> put = stream.put("home", key="user-1")
        >>> for batch in reader.batches(wait=0):
        ...     print([record.text() for record in batch])
        ...     reader.commit(batch)
        ['home']
        """
        arguments.name(name, "reader")
        span = milliseconds(lease, "lease", 1_000, LEASE_MAX_MS)
        return Reader(self._core.reader(name, arguments.start(start), span))

    def readers(self) -> list[str]:
        """The names of the readers, sorted.

        >>> import trunkline
        >>> stream = trunkline.open().stream("clicks")
        >>> reader = stream.reader("billing")
        >>> stream.readers()
        ['billing']
        """
        return self._core.readers()

    def remove_reader(self, name: str) -> None:
        """Remove a reader with its positions. Its members fail from then on.

        Raises ResourceNotFound if there is none of this name.

        >>> import trunkline
        >>> stream = trunkline.open().stream("clicks")
        >>> reader = stream.reader("billing")
        >>> stream.remove_reader("billing")
        >>> stream.readers()
        []
        """
        self._core.remove_reader(arguments.name(name, "reader"))

    # --- the stream itself -----------------------------------------------------------------------

    def shards(self) -> list[Shard]:
        """The shards that can be read, in the order of their ids.

        >>> import trunkline
        >>> [shard.open for shard in trunkline.open().stream("clicks", shards=2).shards()]
        [True, True]
        """
        return self._core.shards()

    def split(self, shard: str, at: int | None = None) -> tuple[str, str]:
        """Split a shard in its middle, or at the hash key `at`; return the two new shards.

        Readers read a shard to its end before they go on with what came of it.

        >>> import trunkline
        >>> trunkline.open().stream("clicks").split("shardId-000000000000")
        ('shardId-000000000001', 'shardId-000000000002')
        """
        first, second = self._core.split(shard, arguments.number(at, "at"))
        return first, second

    def merge(self, first: str, second: str) -> str:
        """Merge two shards whose hash keys are neighbours; return the new shard.

        >>> import trunkline
        >>> stream = trunkline.open().stream("clicks", shards=2)
        >>> stream.merge("shardId-000000000000", "shardId-000000000001")
        'shardId-000000000002'
        """
        (merged,) = self._core.merge(first, second)
        return merged

    def resize(self, shards: int) -> list[str]:
        """Split and merge until there are `shards` open shards of equal width; the new ones.

        >>> import trunkline
        >>> stream = trunkline.open().stream("clicks")
        >>> len(stream.resize(3)), stream.statistics().open_shards
        (3, 3)
        """
        validation.count(shards, "shards", 1, self._limits.stream_shards_max)
        return self._core.resize(shards)

    def configure(self, *, retention: Seconds) -> None:
        """Change how long records are kept.

        A shorter time drops old records at once, a longer one brings none back.

        >>> import trunkline
        >>> stream = trunkline.open().stream("clicks")
        >>> stream.configure(retention=7 * 86_400)
        >>> stream.retention
        604800.0
        """
        self._core.set_retention(retention_of(retention, self._limits))

    def statistics(self) -> StreamStatistics:
        """How the stream stands.

        >>> import trunkline
        >>> trunkline.open().stream("clicks").statistics()
        <StreamStatistics: 0 records, 1 open shards>
        """
        return self._core.statistics()

    def remove(self) -> None:
        """Remove the stream with its readers and everything in it.

        >>> import trunkline
        >>> stream = trunkline.open().stream("clicks")
        >>> stream.remove()
        >>> stream.put("late", key="user-1")
        Traceback (most recent call last):
        trunkline.errors.ResourceNotFound: Stream clicks under account 000000000000 not found.
        """
        self._core.remove()

    def __repr__(self) -> str:
        return f"<Stream {self.name!r}>"


def read_arguments(
    shard: str | None, start: StreamStart, max: int, after: str | None
) -> tuple[str | None, str | int, str | None, int]:
    """The arguments of a read, in the order of the core."""
    validation.count(max, "max", 1, validation.COUNT_MAX)
    for value, field in ((shard, "shard"), (after, "after")):
        if value is not None:
            validation.text(value, field)
    return shard, arguments.start(start), after, max


def retention_of(retention: Seconds, limits: Limits) -> int:
    """A retention in milliseconds."""
    low, high = limits.stream_retention_min, limits.stream_retention_max
    return milliseconds(retention, "retention", low, high)
