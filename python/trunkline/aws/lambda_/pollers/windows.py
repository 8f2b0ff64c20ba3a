"""Tumbling windows: a function hands a state from batch to batch until a span of time is over."""

from __future__ import annotations

import json

from trunkline.aws.lambda_.pollers.invoker import parts_of
from trunkline.functions.results import iso

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.lambda_.pollers.batches import StreamBatches
    from trunkline.aws.lambda_.pollers.stream import StreamPoller

    Record = dict[str, Any]


class Windows:
    """The open windows of one shard, one for each lane; they are kept with its position."""

    def __init__(
        self, owner: StreamPoller, shard: str, batches: StreamBatches, kept: dict[str, Any]
    ) -> None:
        self._owner = owner
        self._shard = shard
        self._batches = batches
        self._open: dict[int, dict[str, Any]] = {int(lane): one for lane, one in kept.items()}
        self._span: int = owner.settings["TumblingWindowInSeconds"]
        self.changed: bool = False
        """Whether a window ended since they were kept."""

    def kept(self) -> dict[str, Any]:
        """The windows as they are kept."""
        self.changed = False
        return {str(lane): one for lane, one in self._open.items()}

    def left(self) -> float | None:
        """The seconds until a window is over; None without an open one."""
        ends = [one["start"] + self._span for one in self._open.values()]
        return min(ends) - self._owner.store.now() if ends else None

    async def deliver(self, lane: int, records: list[Record]) -> None:
        """Hands records to the function, each in the window that it arrived in."""
        size = self._owner.settings["BatchSize"]
        while records:
            start = self._start(records[0])
            own = [record for record in records[:size] if self._start(record) == start]
            records = records[len(own) :]
            window = self._open.get(lane)
            if window is not None and window["start"] != start:
                await self._end(lane)
            window = self._open.setdefault(lane, {"start": start, "state": {}})
            for part in parts_of(own):
                answer = await self._batches.deliver(part, self._members(window, is_final=False))
                window["state"] = _state(answer)

    def _start(self, record: Record) -> int:
        at = int(record["kinesis"]["approximateArrivalTimestamp"])
        return at - at % self._span

    async def end_what_is_over(self) -> None:
        """Ends the windows whose time has passed."""
        now = self._owner.store.now()
        over = [lane for lane, one in self._open.items() if one["start"] + self._span <= now]
        for lane in over:
            await self._end(lane)

    async def close(self, position: dict[str, Any]) -> None:
        """Ends all windows: the shard has ended."""
        for lane in list(self._open):
            await self._end(lane)
        position["windows"] = self.kept()

    async def _end(self, lane: int) -> None:
        await self._batches.finish(self._members(self._open[lane], is_final=True))
        del self._open[lane]
        self.changed = True

    def _members(self, window: dict[str, Any], *, is_final: bool) -> dict[str, Any]:
        start = window["start"]
        return {
            "window": {"start": iso(start), "end": iso(start + self._span)},
            "state": window["state"],
            "shardId": self._shard,
            "eventSourceARN": self._owner.resource.arn,
            "isFinalInvokeForWindow": is_final,
            "isWindowTerminatedEarly": False,
        }


def _state(payload: bytes) -> dict[str, Any]:
    """The state that a function returns for the next batch of its window."""
    try:
        told = json.loads(payload or b"null")
    except ValueError:
        return {}
    state = told.get("state") if isinstance(told, dict) else None
    return state if isinstance(state, dict) else {}
