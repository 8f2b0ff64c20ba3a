"""A stream and its readers against the model, in memory and across restarts."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import trunkline

from .model import Model, Shard

START = 1_700_000_000.0
DAY = 86_400.0
KEYS = [f"user-{number}" for number in range(9)]


class StreamMachine(RuleBasedStateMachine):
    on_disk = False

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory() if self.on_disk else None
        self.number = 0
        self.now = START
        # The offset of the next record to commit, by reader and shard.
        self.committed: dict[str, dict[int, int]] = {}
        self.expired: set[int] = set()
        self.open()
        self.stream = self.engine.stream("clicks", shards=2, retention=DAY)
        self.model = Model(2, DAY)

    def open(self) -> None:
        path = self.folder.name if self.folder else None
        self.clock = trunkline.VirtualClock(self.now)
        self.engine = trunkline.open(path, clock=self.clock, seed=1)

    def teardown(self) -> None:
        self.engine.close()
        if self.folder:
            self.folder.cleanup()

    def data(self) -> bytes:
        self.number += 1
        return f"{self.number:06}".encode()

    def shard(self, number: int) -> Shard:
        return self.model.shards[number]

    @rule(key=st.sampled_from(KEYS))
    def put(self, key: str) -> None:
        data = self.data()
        result = self.stream.put(data, key=key)
        assert result.shard == self.model.put(self.now, key, data).id

    @rule(keys=st.lists(st.sampled_from(KEYS), max_size=6))
    def put_batch(self, keys: list[str]) -> None:
        records = [(key, self.data()) for key in keys]
        results = self.stream.put_batch(records)
        expected = [self.model.put(self.now, key, data).id for key, data in records]
        assert [result.shard for result in results] == expected

    @rule(at=st.integers(0, 7), share=st.floats(0.1, 0.9))
    def split(self, at: int, share: float) -> None:
        shards = self.model.open()
        shard = shards[at % len(shards)]
        border = shard.first + int((shard.last - shard.first) * share)
        self.stream.split(shard.id, at=border)
        self.model.split(self.now, shard, border)

    @rule(at=st.integers(0, 7), swapped=st.booleans())
    def merge(self, at: int, swapped: bool) -> None:
        shards = self.model.open()
        if len(shards) == 1:
            return
        low, high = shards[at % (len(shards) - 1) :][:2]
        pair = (high.id, low.id) if swapped else (low.id, high.id)
        self.stream.merge(*pair)
        self.model.merge(self.now, low, high)

    @rule(count=st.integers(1, 4))
    def resize(self, count: int) -> None:
        self.stream.resize(count)
        self.model.resize(self.now, count)

    @rule(seconds=st.sampled_from([1.0, 3_600.0, DAY / 2, DAY + 1]))
    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.now += seconds

    @rule(days=st.integers(1, 3))
    def configure(self, days: int) -> None:
        self.stream.configure(retention=days * DAY)
        self.model.configure(self.now, days * DAY)

    @rule(
        name=st.sampled_from(["billing", "audit"]),
        start=st.sampled_from(["earliest", "latest"]),
        size=st.integers(1, 9),
        commits=st.booleans(),
    )
    def fetch(self, name: str, start: str, size: int, commits: bool) -> None:
        if name not in self.committed:
            numbers = [shard.number for shard in self.model.shards]
            ends = {n: len(self.shard(n).records) for n in numbers}
            self.committed[name] = ends if start == "latest" else dict.fromkeys(numbers, 0)
        positions = self.committed[name]
        with self.stream.reader(name, start=start) as reader:
            batch = reader.fetch(max=size)
            found = self.check_batch(positions, batch)
            expected = sum(len(self.pending(positions, shard)) for shard in self.readable(name))
            assert len(batch) == min(size, expected)
            if commits and len(batch):
                reader.commit(batch)
                for number, offset in found.items():
                    positions[number] = offset

    def check_batch(self, positions: dict[int, int], batch: Any) -> dict[int, int]:
        by_shard: dict[int, list[tuple[str, bytes]]] = defaultdict(list)
        for record in batch:
            by_shard[int(record.shard.rpartition("-")[2])].append((record.key, record.data))
        ends = {}
        for number, records in by_shard.items():
            assert self.is_readable(positions, self.shard(number)), "before its parents"
            expected = self.pending(positions, self.shard(number))[: len(records)]
            assert [(key, data) for _, key, data in expected] == records
            ends[number] = expected[-1][0] + 1
        return ends

    def pending(self, positions: dict[int, int], shard: Shard) -> list[tuple[int, str, bytes]]:
        kept = self.model.kept(self.now, shard)
        return [record for record in kept if record[0] >= positions.get(shard.number, 0)]

    def is_done(self, positions: dict[int, int], shard: Shard) -> bool:
        if shard.closed_at is None:
            return False
        is_empty = not self.pending(positions, shard)
        return is_empty and self.is_readable(positions, shard)

    def is_readable(self, positions: dict[int, int], shard: Shard) -> bool:
        return all(self.is_done(positions, self.shard(number)) for number in shard.parents)

    def readable(self, name: str) -> list[Shard]:
        positions = self.committed[name]
        return [shard for shard in self.model.shards if self.is_readable(positions, shard)]

    @precondition(lambda self: self.on_disk)
    @rule()
    def restart(self) -> None:
        self.engine.close()
        self.open()
        self.stream = self.engine.stream("clicks", create=False)

    @invariant()
    def every_shard_holds_what_was_put(self) -> None:
        there = {shard.id: shard for shard in self.stream.shards()}
        for shard in self.model.shards:
            kept = self.model.kept(self.now, shard)
            if shard.id not in there:
                # It was closed before the retention, so nothing of it is left.
                assert shard.closed_at is not None
                assert not kept
                continue
            assert there[shard.id].open == (shard.closed_at is None)
            assert there[shard.id].hash_keys == (shard.first, shard.last)
            batch = self.stream.read(shard.id, max=10_000)
            assert [(record.key, record.data) for record in batch] == [one[1:] for one in kept]

    @invariant()
    def what_is_behind_is_counted(self) -> None:
        assert self.stream.readers() == sorted(self.committed)


class InMemory(StreamMachine):
    """No path: nothing to restart."""


class OnDisk(StreamMachine):
    """A folder: a restart is one of the verbs."""

    on_disk = True


TestStreamInMemory = InMemory.TestCase
TestStreamOnDisk = OnDisk.TestCase
TestStreamInMemory.settings = settings(settings.default, stateful_step_count=30)
TestStreamOnDisk.settings = settings(settings.default, stateful_step_count=30)
