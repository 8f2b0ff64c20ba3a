"""One shard of a stream: batches in order, and how far it was read."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math

from trunkline.aio.streams.waiting import records as read
from trunkline.aws.lambda_.pollers.batches import Interrupted, StreamBatches
from trunkline.aws.lambda_.pollers.invoker import LOOK_SECONDS, parts_of
from trunkline.aws.lambda_.pollers.windows import Windows
from trunkline.aws.pipes.filters import Filters
from trunkline.aws.stream_records import content_of, envelope_of
from trunkline.errors import EngineUnavailable, TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Record as StreamRecord
    from trunkline.aws.lambda_.pollers.stream import StreamPoller

    Record = dict[str, Any]

WAIT_SECONDS = 2.0
"""How long a read waits before it is looked whether the shard was closed."""


class ShardPoller:
    """Reads one shard of a mapping."""

    def __init__(self, owner: StreamPoller, shard: str, begin: str | int) -> None:
        self._owner = owner
        self._shard = shard
        self._begin = begin
        self._settings = owner.settings
        self._position: dict[str, Any] = owner.positions.get(shard, {"after": None})
        self._filters = Filters(owner.settings.get("FilterCriteria", {}))

    async def run(self, stop: asyncio.Event) -> None:
        """Works until the shard ends or the mapping is stopped."""
        batches = StreamBatches(self._owner, self._shard, stop)
        windows = Windows(self._owner, self._shard, batches, self._position.get("windows", {}))
        try:
            while not stop.is_set() and not self._position.get("done"):
                await self._turn(batches, windows, stop)
        except (Interrupted, EngineUnavailable):
            return
        except TrunklineError:
            # The stream was removed, or the disk is full: the mapping begins the shard again.
            await asyncio.sleep(LOOK_SECONDS)
        except Exception:
            logging.getLogger("trunkline").exception("the shard %s of a mapping", self._shard)
            await asyncio.sleep(LOOK_SECONDS)

    async def _turn(self, batches: StreamBatches, windows: Windows, stop: asyncio.Event) -> None:
        if await self._owner.invoker.wait_for_function(stop) is None:
            return
        found = await self._gather(windows.left())
        if stop.is_set():
            return
        if not self._owner.invoker.is_current():
            stop.set()
            return
        if not found:
            if self._is_at_end():
                await windows.close(self._position)
                self._owner.keep(self._shard, {**self._position, "done": True})
                self._position["done"] = True
                return
            await windows.end_what_is_over()
        lanes: dict[int, list[Record]] = {}
        factor = self._settings["ParallelizationFactor"]
        for record in found:
            told = self._record(record)
            if self._filters(_flat(told)):
                digest = hashlib.md5(record.key.encode(), usedforsecurity=False).digest()
                lanes.setdefault(digest[0] % factor, []).append(told)
        await asyncio.gather(*(self._lane(*lane, batches, windows) for lane in lanes.items()))
        if found:
            self._position["after"] = found[-1].sequence
        if found or windows.changed:
            self._position["windows"] = windows.kept()
            self._owner.keep(self._shard, self._position)

    async def _lane(
        self, lane: int, records: list[Record], batches: StreamBatches, windows: Windows
    ) -> None:
        """Records of some partition keys, one batch after the other."""
        if self._settings["TumblingWindowInSeconds"]:
            await windows.deliver(lane, records)
            return
        size = self._settings["BatchSize"]
        for start in range(0, len(records), size):
            for part in parts_of(records[start : start + size]):
                await batches.deliver(part)

    async def _gather(self, left: float | None) -> list[StreamRecord]:
        """The records of a batch for each lane; none if no record came for a while."""
        stream = self._owner.stream
        if stream is None:
            await asyncio.sleep(LOOK_SECONDS)
            return []
        size = self._settings["BatchSize"] * self._settings["ParallelizationFactor"]
        wait = WAIT_SECONDS if left is None else max(0.0, min(left, WAIT_SECONDS))
        after = self._position["after"]
        found = list(await self._read(stream, after, size, wait))
        until = self._owner.store.now() + self._settings["MaximumBatchingWindowInSeconds"]
        while found and len(found) < size and (rest := until - self._owner.store.now()) > 0:
            more = await self._read(stream, found[-1].sequence, size - len(found), rest)
            if not len(more):
                break
            found += more
        return found

    async def _read(self, stream: Any, after: str | None, size: int, wait: float) -> Any:
        span = max(0, math.ceil(wait * 1_000))
        return await read(stream.begin_read, self._shard, self._begin, after, size, span)

    def _is_at_end(self) -> bool:
        stream = self._owner.stream
        if stream is None:
            return False
        shard = next((one for one in stream.shards() if one.id == self._shard), None)
        if shard is None or shard.open:
            return False
        # Nothing is added any more: what is there now is all.
        return not len(stream.read(self._shard, self._begin, self._position["after"], 1, 0))

    def _record(self, record: StreamRecord) -> Record:
        envelope = envelope_of(record, self._owner.resource, self._owner.role)
        return {"kinesis": content_of(record), **envelope}


def _flat(record: Record) -> Record:
    """A record as filters see it: its data is a member beside the others."""
    return {**record, **record["kinesis"]}
