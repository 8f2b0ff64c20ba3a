"""The rules of streams once more, slow and plain: lists of records in shards."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

HASH_KEYS = 2**128
FIRST_SHARD = 0


@dataclass
class Shard:
    number: int
    first: int
    last: int
    parents: tuple[int, ...] = ()
    closed_at: float | None = None
    # Time, key and data of every record that was ever put.
    records: list[tuple[float, str, bytes]] = field(default_factory=list)

    @property
    def id(self) -> str:
        return f"shardId-{self.number:012}"


class Model:
    """One stream."""

    def __init__(self, shards: int, retention: float) -> None:
        width = HASH_KEYS // shards
        edges = [index * width for index in range(shards)] + [HASH_KEYS]
        self.shards = [Shard(n, edges[n], edges[n + 1] - 1) for n in range(shards)]
        self.retention = retention
        self.floor = 0.0

    def open(self) -> list[Shard]:
        found = [shard for shard in self.shards if shard.closed_at is None]
        return sorted(found, key=lambda shard: shard.first)

    def put(self, now: float, key: str, data: bytes) -> Shard:
        number = int.from_bytes(hashlib.md5(key.encode()).digest(), "big")
        shard = next(one for one in self.open() if one.first <= number <= one.last)
        shard.records.append((now, key, data))
        return shard

    def split(self, now: float, shard: Shard, at: int) -> None:
        self._replace(now, [shard], [(shard.first, at - 1), (at, shard.last)])

    def merge(self, now: float, low: Shard, high: Shard) -> None:
        self._replace(now, [low, high], [(low.first, high.last)])

    def resize(self, now: float, count: int) -> None:
        """First a border wherever one is wanted, then none between."""
        width = HASH_KEYS // count
        wanted = [index * width for index in range(count)]
        for border in wanted:
            owner = next(one for one in self.open() if one.first <= border <= one.last)
            if owner.first != border:
                self.split(now, owner, border)
        for border, end in zip(wanted, [*wanted[1:], HASH_KEYS], strict=True):
            while True:
                low = next(one for one in self.open() if one.first == border)
                if low.last == end - 1:
                    break
                high = next(one for one in self.open() if one.first == low.last + 1)
                self.merge(now, low, high)

    def _replace(self, now: float, old: list[Shard], new: list[tuple[int, int]]) -> None:
        for shard in old:
            shard.closed_at = now
        parents = tuple(shard.number for shard in old)
        for first, last in new:
            self.shards.append(Shard(len(self.shards), first, last, parents))

    def horizon(self, now: float) -> float:
        return max(self.floor, now - self.retention)

    def configure(self, now: float, retention: float) -> None:
        self.floor = self.horizon(now)
        self.retention = retention

    def kept(self, now: float, shard: Shard) -> list[tuple[int, str, bytes]]:
        """Offset, key and data of the records that are not too old."""
        horizon = self.horizon(now)
        listed = enumerate(shard.records)
        return [(at, key, data) for at, (time, key, data) in listed if time >= horizon]
