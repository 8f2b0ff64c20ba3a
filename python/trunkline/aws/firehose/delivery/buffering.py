"""A buffer at work: gathers records of a stream until it is full or due, has them delivered, and
commits them.

Nothing is committed before it is delivered: a crash in between delivers it once more.
"""

from __future__ import annotations

import asyncio
import logging
import math
from abc import ABC, abstractmethod
from contextlib import suppress

from trunkline.aio.streams.waiting import records as read
from trunkline.aws.firehose.delivery.items import Item
from trunkline.aws.firehose.delivery.objects import NotWritten, write_object
from trunkline.errors import EngineUnavailable, TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from trunkline._core import Member, Record, RecordBatch, Stream
    from trunkline.aws.firehose.delivery.objects import PreparedObject
    from trunkline.aws.store import Store

    Document = dict[str, Any]

LEASE_MS = 86_400_000
"""How long the buffer is held by a worker that neither fetches nor commits."""

WAIT_SECONDS = 60.0
"""How long one wait for records takes at most."""

PAUSE_SECONDS = 0.2
"""The first pause when nothing can be written; it doubles."""
PAUSE_SECONDS_MAX = 15.0

_RECORDS_MAX = 10_000
_log = logging.getLogger("trunkline")


class BufferWorker(ABC):
    """Delivers what comes to one resource, until that is removed. What it is lies in a document,
    whose `number` tells it from an earlier one of its name."""

    def __init__(self, store: Store, key: str, document: Document, reader: str, label: str) -> None:
        self._store = store
        self.key: str = key
        self.number: str = document["number"]
        self._reader = reader
        self._label = label
        self._member: Member | None = None
        self._stopped = False
        self._nudge = asyncio.Event()
        self._flushes: list[asyncio.Event] = []
        self._average = 1_024.0

    # --- told by the runner, in the event loop ---------------------------------------------------

    def stop(self) -> None:
        """Has the worker end; what it holds stays in the buffer."""
        self._stopped = True
        self._nudge.set()

    def nudge(self) -> None:
        """Has the worker look at its document again."""
        self._nudge.set()

    async def flush(self) -> None:
        """Returns when what was put until now is delivered."""
        done = asyncio.Event()
        self._flushes.append(done)
        self._nudge.set()
        await done.wait()

    # --- working ---------------------------------------------------------------------------------

    async def run(self) -> None:
        """Works until it is stopped, or the delivery stream is gone."""
        try:
            while not self._stopped:
                document = self._document()
                if document is None:
                    break
                try:
                    await self._turn(document)
                except EngineUnavailable:
                    raise
                except TrunklineError as error:
                    self._store.core.check_open()
                    if self._document() is None:
                        break
                    # The source is gone, or the disk is full.
                    _log.warning("%s: %s", self._label, error)
                    self._leave()
                    await self._pause(PAUSE_SECONDS_MAX)
                except Exception:
                    self._store.core.check_open()
                    _log.exception("%s: a batch failed", self._label)
                    self._leave()
                    await self._pause(PAUSE_SECONDS_MAX)
        except EngineUnavailable:
            # The engine was closed. What was not committed is there when it opens.
            pass
        finally:
            self._leave()
            for done in self._flushes:
                done.set()

    def _document(self) -> Document | None:
        found = self._store.get(self.key)
        return found if found is not None and found["number"] == self.number else None

    def _leave(self) -> None:
        member, self._member = self._member, None
        if member is not None:
            try:
                member.leave()
            except TrunklineError:
                return

    @abstractmethod
    def _source(self, document: Document) -> Stream | None:
        """The stream that the records lie in."""

    @abstractmethod
    def _start(self, document: Document) -> str | int:
        """Where in it the reader begins, if there is none yet."""

    @abstractmethod
    def _bounds(self, document: Document) -> tuple[int, float]:
        """After how many bytes, and after how many seconds, a buffer is delivered."""

    @abstractmethod
    async def _deliver(self, document: Document, items: list[Item]) -> bool:
        """Whether all records of a buffer are where they belong."""

    @abstractmethod
    def _data(self, record: Record) -> bytes:
        """What was put."""

    @abstractmethod
    async def _delivered(self, source: Stream, document: Document, items: Sequence[Item]) -> None:
        """Does what there is to do once a buffer is committed."""

    async def _turn(self, document: Document) -> None:
        """One buffer; none if nothing came for a while."""
        source = self._source(document)
        if source is None:
            await self._pause(PAUSE_SECONDS_MAX)
            return
        if self._member is None:
            self._member = source.reader(self._reader, self._start(document), LEASE_MS)
        # Those that come while the buffer is delivered may mean records that are not in it.
        waiting = list(self._flushes)
        batches, items, is_all = await self._gather(document, is_flush=bool(waiting))
        if batches and not self._stopped:
            # As it is now: it may have been changed while the buffer was filled.
            document = self._document() or document
            if not await self._deliver(document, items):
                return
            await self._commit(batches)
            await self._delivered(source, document, items)
        # What follows a shard that was split is there once all of that shard is committed.
        if is_all and not batches:
            for done in waiting:
                self._flushes.remove(done)
                done.set()

    async def _gather(
        self, document: Document, *, is_flush: bool
    ) -> tuple[list[RecordBatch], list[Item], bool]:
        """The records of one buffer: those that are there, and more until it is full or due.

        The first value is the batches they came in, the third whether nothing more is there.
        """
        size, interval = self._bounds(document)
        batches: list[RecordBatch] = []
        items: list[Item] = []
        held, due = 0, math.inf
        while held < size and not self._stopped:
            left = due - self._store.now()
            wait = 0.0 if is_flush or left <= 0 else min(left, WAIT_SECONDS)
            batch = await self._fetch(size - held, wait)
            for record in batch or ():
                items.append(Item(self._data(record), record))
                held += len(items[-1].data)
            if batch:
                batches.append(batch)
                self._average = max(1.0, held / len(items))
                due = min(due, items[0].arrived + interval)
            elif wait == 0.0:
                return batches, items, True
            if not batch and self._nudge.is_set():
                self._nudge.clear()
                if not items or self._flushes:
                    break
                size, interval = self._bounds(self._document() or document)
                due = items[0].arrived + interval
        return batches, items, False

    async def _fetch(self, free: float, wait: float) -> RecordBatch | None:
        """Records that fit into so many bytes; none if none came, or the worker was nudged."""
        member = self._member
        assert member is not None
        most = int(min(_RECORDS_MAX, max(1.0, free / self._average)))
        if wait == 0.0:
            return await read(member.begin_fetch, most, 0)
        fetching = asyncio.ensure_future(
            read(member.begin_fetch, most, max(1, math.ceil(wait * 1_000)))
        )
        nudged = asyncio.ensure_future(self._nudge.wait())
        try:
            await asyncio.wait({fetching, nudged}, return_when=asyncio.FIRST_COMPLETED)
            if fetching.done():
                return fetching.result()
            fetching.cancel()
            try:
                return await fetching
            except asyncio.CancelledError:
                return None
        finally:
            nudged.cancel()

    async def _commit(self, batches: Sequence[RecordBatch]) -> None:
        assert self._member is not None
        # The commit of a batch commits those before it of the same shards only.
        begun = [self._member.begin_commit(batch) for batch in batches]
        for pending in begun:
            if pending is not None:
                await pending

    async def _write(self, made: Sequence[PreparedObject]) -> bool:
        """Writes objects, each as often as it takes; False if the worker was stopped before."""
        for one in made:
            pause = PAUSE_SECONDS
            while True:
                try:
                    await asyncio.to_thread(write_object, self._store.core, one)
                    break
                except NotWritten as why:
                    _log.warning("%s: %s", self._label, why)
                    await self._not_written(str(why))
                if not await self._pause(pause):
                    return False
                pause = min(2 * pause, PAUSE_SECONDS_MAX)
        return True

    async def _not_written(self, why: str) -> None:  # noqa: B027
        """Tells of an object that could not be written now, where there is one to be told."""

    async def _pause(self, seconds: float) -> bool:
        """Lets real time pass, less if the worker is nudged; whether it goes on."""
        self._nudge.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._nudge.wait(), seconds)
        self._store.core.check_open()
        return not self._stopped and self._document() is not None

    async def _wait(self, document: Document, seconds: float) -> bool:
        """Lets the engine's time pass; whether the worker goes on."""
        stream = self._source(document)
        until = self._store.now() + seconds
        while not self._stopped and stream is not None:
            left = until - self._store.now()
            if left <= 0:
                break
            # A read of what nothing puts waits on the engine's clock.
            span = max(1, math.ceil(min(left, WAIT_SECONDS) * 1_000))
            await read(stream.begin_read, None, "latest", None, 1, span)
        return not self._stopped and self._document() is not None
