"""A stream whose waiting verbs are coroutines. Names and validation are those of `sync`."""

from __future__ import annotations

import asyncio

from trunkline import validation
from trunkline._core import milliseconds
from trunkline.aio.loop import begun
from trunkline.aio.streams.waiting import records
from trunkline.limits import WAIT_MAX_MS
from trunkline.queues.messages import as_list
from trunkline.streams import arguments
from trunkline.streams.stream import read_arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from datetime import datetime
    from pathlib import Path

    from trunkline._core import PutResult, RecordBatch, Shard, StreamStatistics
    from trunkline._types import Body, Durability, Seconds, StreamStart
    from trunkline.streams.reader import Reader as SyncReader
    from trunkline.streams.stream import Stream as SyncStream


class Stream:
    """A stream for asyncio; :meth:`trunkline.aio.Engine.stream` makes it. The twin is `sync`.

    >>> import asyncio, trunkline
    >>> async def main():
    ...     stream = trunkline.aio.open().stream("clicks")
    ...     await stream.put("home", key="user-1")
    ...     return [record.text() for record in await stream.read(wait=20)]
    >>> asyncio.run(main())
    ['home']
    """

    __slots__ = {"_core": "", "sync": "The same stream for threads."}

    def __init__(self, stream: SyncStream) -> None:
        self.sync: SyncStream = stream
        self._core = stream._core

    @property
    def name(self) -> str:
        """The stream's name."""
        return self._core.name

    @property
    def retention(self) -> float:
        """Seconds that records are kept."""
        return self.sync.retention

    async def put(
        self,
        data: Body,
        *,
        key: str,
        hash_key: int | None = None,
        durability: Durability | None = None,
    ) -> PutResult:
        """Add a record; return once it is as durable as the engine promises.

        Cancelling it does not take the record back. See :meth:`trunkline.Stream.put`.
        """
        arguments.key(key, self.sync._limits)
        digits = arguments.number(hash_key, "hash_key")
        return await begun(self._core.begin_put, data, key, digits, durability)

    async def put_batch(
        self, records: Iterable[tuple[str, Body]], *, durability: Durability | None = None
    ) -> list[PutResult]:
        """Add pairs of key and data with one wait for the disk.

        See :meth:`trunkline.Stream.put_batch`.
        """
        return await begun(self._core.begin_put_batch, as_list(records, "records"), durability)

    async def write_arrow(self, table: object, *, key: str) -> int:
        """Put the rows of a table, in order; return how many there were. A thread does it.

        See :meth:`trunkline.Stream.write_arrow`.
        """
        return await asyncio.to_thread(self.sync.write_arrow, table, key=key)

    async def to_parquet(
        self,
        path: str | Path,
        *,
        start: StreamStart = "earliest",
        end: datetime | None = None,
        progress: Callable[[int, int], object] | None = None,
    ) -> int:
        """Write records to a Parquet file; return how many there were. A thread does it.

        See :meth:`trunkline.Stream.to_parquet`.
        """
        write = self.sync.to_parquet
        return await asyncio.to_thread(write, path, start=start, end=end, progress=progress)

    async def read(
        self,
        shard: str | None = None,
        start: StreamStart = "earliest",
        max: int = 1_000,
        wait: Seconds = 0,
        *,
        after: str | None = None,
    ) -> RecordBatch:
        """Read up to `max` records; wait at most `wait` seconds for the first.

        See :meth:`trunkline.Stream.read`.
        """
        checked = read_arguments(shard, start, max, after)
        span = milliseconds(wait, "wait", 0, WAIT_MAX_MS)
        return await records(self._core.begin_read, *checked, span)

    async def reader(
        self, name: str, start: StreamStart = "latest", *, lease: Seconds = 60
    ) -> Reader:
        """Join the reader `name`, which is created if there is none.

        See :meth:`trunkline.Stream.reader`.
        """
        return Reader(await asyncio.to_thread(self.sync.reader, name, start, lease=lease))

    def readers(self) -> list[str]:
        """The names of the readers, sorted."""
        return self._core.readers()

    async def remove_reader(self, name: str) -> None:
        """Remove a reader with its positions. Its members fail from then on."""
        await asyncio.to_thread(self.sync.remove_reader, name)

    def shards(self) -> list[Shard]:
        """The shards that can be read, in the order of their ids."""
        return self._core.shards()

    async def split(self, shard: str, at: int | None = None) -> tuple[str, str]:
        """Split a shard in its middle, or at the hash key `at`; return the two new shards."""
        return await asyncio.to_thread(self.sync.split, shard, at)

    async def merge(self, first: str, second: str) -> str:
        """Merge two shards whose hash keys are neighbours; return the new shard."""
        return await asyncio.to_thread(self.sync.merge, first, second)

    async def resize(self, shards: int) -> list[str]:
        """Split and merge until there are `shards` open shards of equal width; the new ones."""
        return await asyncio.to_thread(self.sync.resize, shards)

    async def configure(self, *, retention: Seconds) -> None:
        """Change how long records are kept."""
        await asyncio.to_thread(self.sync.configure, retention=retention)

    def statistics(self) -> StreamStatistics:
        """How the stream stands."""
        return self._core.statistics()

    async def remove(self) -> None:
        """Remove the stream with its readers and everything in it."""
        await asyncio.to_thread(self.sync.remove)

    def __repr__(self) -> str:
        return f"<aio {self.sync!r}>"


class Reader:
    """A member of a reader for asyncio; :meth:`trunkline.aio.Stream.reader` makes it.

    >>> import asyncio, trunkline
    >>> async def main():
    ...     stream = trunkline.aio.open().stream("clicks")
    ...     await stream.put("home", key="user-1")
    ...     async with await stream.reader("billing", start="earliest") as reader:
    ...         async for batch in reader.batches(wait=0):
    ...             await reader.commit(batch)
    ...     return stream.statistics().readers
    >>> asyncio.run(main())
    {'billing': 0}
    """

    __slots__ = {"_core": "", "sync": "The same member for threads."}

    def __init__(self, reader: SyncReader) -> None:
        self.sync: SyncReader = reader
        self._core = reader._core

    @property
    def name(self) -> str:
        """The name of the reader, which its members share."""
        return self._core.name

    async def fetch(self, max: int = 500, wait: Seconds = 0) -> RecordBatch:
        """The next records of the shards that this member holds; an empty batch if none comes."""
        validation.count(max, "max", 1, validation.COUNT_MAX)
        span = milliseconds(wait, "wait", 0, WAIT_MAX_MS)
        return await records(self._core.begin_fetch, max, span)

    async def batches(self, max: int = 500, wait: Seconds = 1) -> AsyncIterator[RecordBatch]:
        """Batches of up to `max` records, until none comes for `wait` seconds."""
        while len(batch := await self.fetch(max, wait)):
            yield batch

    async def commit(self, batch: RecordBatch) -> None:
        """Make durable that everything up to the end of `batch` was worked off.

        See :meth:`trunkline.Reader.commit`.
        """
        pending = self._core.begin_commit(batch)
        if pending is not None:
            await pending

    def close(self) -> None:
        """Leave the reader: other members take the shards at once."""
        self._core.leave()

    async def __aenter__(self) -> Reader:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<aio {self.sync!r}>"
