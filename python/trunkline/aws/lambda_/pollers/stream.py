"""A stream as an event source: its shards are read apart, those of a resharding behind others."""

from __future__ import annotations

import asyncio

from trunkline.aws.lambda_.pollers.shard import ShardPoller
from trunkline.errors import TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Stream
    from trunkline.aws.arns import Resource
    from trunkline.aws.lambda_.pollers.invoker import Invoker
    from trunkline.aws.store import Store

LOOK_SECONDS = 1.0
"""How often is looked for new shards."""


class StreamPoller:
    """Hands the records of one stream to a function, and keeps how far each shard was read."""

    def __init__(
        self, store: Store, stream: Resource, document: dict[str, Any], role: str, invoker: Invoker
    ) -> None:
        self.store = store
        self.resource = stream
        self.settings: dict[str, Any] = document["settings"]
        self.role = role
        self.invoker = invoker
        self.begin: str | int = _begin(document)
        self.uuid: str = document["uuid"]
        self._key = positions_key(self.uuid)
        self.positions: dict[str, Any] = store.get(self._key) or {}

    @property
    def stream(self) -> Stream | None:
        """The stream, if it is there."""
        place = (self.resource.account, self.resource.region, self.resource.name)
        return self.store.core.find_stream(place)

    def keep(self, shard: str, position: dict[str, Any]) -> None:
        """Notes how far a shard was read."""
        self.positions[shard] = position
        self.store.put(self._key, self.positions)

    async def run(self, stop: asyncio.Event) -> None:
        """Works until it is stopped."""
        tasks: dict[str, asyncio.Task[None]] = {}
        try:
            while not stop.is_set():
                self.store.core.check_open()
                for shard, is_first in self._ready():
                    if shard not in tasks or tasks[shard].done():
                        poller = ShardPoller(self, shard, self.begin if is_first else "earliest")
                        tasks[shard] = asyncio.ensure_future(poller.run(stop))
                stopped = asyncio.ensure_future(stop.wait())
                await asyncio.wait(
                    {stopped, *tasks.values()},
                    timeout=LOOK_SECONDS,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                stopped.cancel()
        finally:
            if tasks:
                await asyncio.wait(set(tasks.values()))

    def _ready(self) -> list[tuple[str, bool]]:
        """Shards that are to be read: those whose parents were read to their ends."""
        try:
            stream = self.stream
            shards = [] if stream is None else stream.shards()
        except TrunklineError:
            return []
        there = {shard.id for shard in shards}
        return [
            (shard.id, not any(parent in there for parent in shard.parents))
            for shard in shards
            if not self.positions.get(shard.id, {}).get("done")
            and all(
                self.positions.get(parent, {}).get("done")
                for parent in shard.parents
                if parent in there
            )
        ]


def positions_key(uuid: str) -> str:
    """The key of what is kept of a mapping's shards."""
    return f"lambda/positions/{uuid}"


def _begin(document: dict[str, Any]) -> str | int:
    """Where shards are read from that were there at first."""
    position = document["settings"]["StartingPosition"]
    if position == "TRIM_HORIZON":
        return "earliest"
    if position == "LATEST":
        # A time, so that a restart before the first batch loses nothing.
        return int(document["created"] * 1_000)
    return int(document["settings"].get("StartingPositionTimestamp", 0) * 1_000)
