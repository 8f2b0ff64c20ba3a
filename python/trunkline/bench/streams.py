"""Streams: against queue sends, Redis, the disk, a copy in memory, and themselves when deep."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter

import trunkline
from trunkline.bench import peers, servers
from trunkline.bench.contest import OURS, Candidate, Contest, Run
from trunkline.bench.peers import bytes_written, fill_journal, scratch

SMALL = b"x" * 100
KIB = b"x" * 1_024
RECORDS = 20_000
BATCH = 500
DISK_BATCHES = 20
TAIL = 2_000
WINDOW = 16_000
SHALLOW = 1_000
OPEN_MORE_SECONDS = 0.3
WRITTEN_KIB_MAX = 1 << 18


@contextmanager
def put() -> Iterator[Run]:
    """One record a call into one shard."""
    with trunkline.open() as engine:
        stream = engine.stream("bench", shards=1)

        def run() -> float:
            started = perf_counter()
            for _ in range(RECORDS):
                stream.put(SMALL, key="user-1")
            return (perf_counter() - started) / RECORDS

        yield run


@contextmanager
def send() -> Iterator[Run]:
    """One message a call into a queue, which grows as the stream does."""
    with trunkline.open() as engine:
        queue = engine.queue("bench")

        def run() -> float:
            started = perf_counter()
            for _ in range(RECORDS):
                queue.send(SMALL)
            return (perf_counter() - started) / RECORDS

        yield run


@contextmanager
def put_batches() -> Iterator[Run]:
    """500 records a call, a result for each."""
    with trunkline.open() as engine:
        stream = engine.stream("bench", shards=1)
        records = [("user-1", SMALL)] * BATCH

        def run() -> float:
            started = perf_counter()
            for _ in range(RECORDS // BATCH):
                stream.put_batch(records)
            return (perf_counter() - started) / RECORDS

        yield run


@contextmanager
def put_on_disk(base: Path) -> Iterator[Run]:
    """500 records of 1 KiB a call, each call synced; sealing goes on beside it."""
    with scratch(base) as folder, trunkline.open(folder / "data") as engine:
        stream = engine.stream("bench", shards=1)
        records = [("user-1", KIB)] * BATCH
        fill_journal(engine)

        def run() -> float:
            started = perf_counter()
            for _ in range(DISK_BATCHES):
                stream.put_batch(records)
            return (perf_counter() - started) / (DISK_BATCHES * BATCH)

        yield run


@contextmanager
def written_bytes(base: Path, kibibytes: int) -> Iterator[Run]:
    """Bytes written for each byte of keys and data, once the journal uses its segments again."""
    written = bytes_written()
    with scratch(base) as folder, trunkline.open(folder / "data") as engine:
        stream = engine.stream("bench", shards=1)
        records = [("user-1", KIB)] * BATCH
        per_batch = BATCH * (len(KIB) + len("user-1"))
        fill_journal(engine)

        def run() -> float:
            before = written()
            batches = max(kibibytes // BATCH, 1)
            for _ in range(batches):
                stream.put_batch(records)
            engine.flush()
            return (written() - before) / (batches * per_batch)

        yield run


@contextmanager
def once() -> Iterator[Run]:
    """Every byte written once."""
    yield lambda: 1.0


@contextmanager
def read_tail(base: Path) -> Iterator[Run]:
    """The newest 2,000 records of 1 KiB of a stream on disk, in one batch."""
    with scratch(base) as folder, trunkline.open(folder / "data") as engine:
        stream = engine.stream("bench", shards=1)
        for _ in range(20):
            results = stream.put_batch([("user-1", KIB)] * BATCH)
        for _ in range(TAIL // BATCH):
            stream.put_batch([("user-1", KIB)] * BATCH)
        after = results[-1].sequence

        def run() -> float:
            started = perf_counter()
            batch = stream.read(after=after, max=TAIL)
            seconds = perf_counter() - started
            assert len(batch) == TAIL
            return seconds / TAIL

        yield run


@contextmanager
def memcpy() -> Iterator[Run]:
    """The same bytes, copied one record after the other into one buffer."""
    source = [bytes(KIB) for _ in range(TAIL)]

    def run() -> float:
        started = perf_counter()
        copied = b"".join(source)
        seconds = perf_counter() - started
        assert len(copied) == TAIL * len(KIB)
        return seconds / TAIL

    yield run


@contextmanager
def sealed(base: Path, kibibytes: int) -> Iterator[Path]:
    """A folder of an engine whose stream has so many records of 1 KiB, sealed."""
    with scratch(base) as folder:
        with trunkline.open(folder / "data", durability="os") as engine:
            stream = engine.stream("bench", shards=1)
            for _ in range(max(kibibytes // BATCH, 2)):
                stream.put_batch([("user-1", KIB)] * BATCH)
        yield folder / "data"


def _drop_from_memory(folder: Path) -> None:
    """What lies that far behind is on the disk alone; which of two files the system still keeps
    would decide the row."""
    if not hasattr(os, "posix_fadvise"):
        return
    for path in folder.iterdir():
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


@contextmanager
def read_behind(base: Path, kibibytes: int) -> Iterator[Run]:
    """Windows of 16,000 records from the oldest on, one after the other; none is in memory."""
    with sealed(base, kibibytes) as folder, trunkline.open(folder) as engine:
        stream = engine.stream("bench")
        after: str | None = None

        def run() -> float:
            nonlocal after
            count = 0
            _drop_from_memory(folder)
            started = perf_counter()
            while count < WINDOW:
                batch = (
                    stream.read(max=TAIL) if after is None else stream.read(after=after, max=TAIL)
                )
                count += len(batch)
                after = batch[-1].sequence if len(batch) == TAIL else None
            return (perf_counter() - started) / count

        yield run


@contextmanager
def read_file(base: Path, kibibytes: int) -> Iterator[Run]:
    """A file of as many bytes, read on in the same windows, which are not in memory."""
    with scratch(base) as folder:
        path = folder / "raw"
        with path.open("wb") as file:
            for _ in range(max(kibibytes // BATCH, 2)):
                file.write(KIB * BATCH)
        descriptor = os.open(path, os.O_RDONLY)
        offset = 0

        def run() -> float:
            nonlocal offset
            count = 0
            _drop_from_memory(folder)
            started = perf_counter()
            while count < WINDOW:
                read = os.pread(descriptor, TAIL * len(KIB), offset)
                count += len(read) // len(KIB)
                offset = offset + len(read) if len(read) == TAIL * len(KIB) else 0
            return (perf_counter() - started) / count

        yield run
        os.close(descriptor)


@contextmanager
def open_sealed(base: Path, kibibytes: int) -> Iterator[Run]:
    """Open an engine whose stream has so much sealed data."""
    with sealed(base, kibibytes) as folder:

        def run() -> float:
            started = perf_counter()
            engine = trunkline.open(folder)
            seconds = perf_counter() - started
            engine.close()
            return seconds

        yield run


@contextmanager
def open_empty(base: Path) -> Iterator[Run]:
    """Open an engine without a record; what the goal allows beside it is added."""
    with scratch(base) as folder:
        trunkline.open(folder / "data").close()

        def run() -> float:
            started = perf_counter()
            engine = trunkline.open(folder / "data")
            seconds = perf_counter() - started
            engine.close()
            return seconds + OPEN_MORE_SECONDS

        yield run


@contextmanager
def at_depth(base: Path, depth: int) -> Iterator[Run]:
    """Batches of 500 put and read again at the end of a stream on disk that is so deep."""
    with scratch(base) as folder, trunkline.open(folder / "data", durability="os") as engine:
        stream = engine.stream("bench", shards=1)
        records = [("user-1", SMALL)] * BATCH
        for _ in range(depth // BATCH):
            results = stream.put_batch(records)

        def run() -> float:
            nonlocal results
            started = perf_counter()
            for _ in range(RECORDS // BATCH):
                after = results[-1].sequence
                results = stream.put_batch(records)
                assert len(stream.read(after=after, max=BATCH)) == BATCH
            return (perf_counter() - started) / RECORDS

        yield run


def contests(base: Path, depth: int) -> list[Contest]:
    """The rows of this file. `depth` is how deep the deep stream is, and how many KiB of sealed
    records lie behind: 10,000,000 is the 10 GiB of the goals.
    """
    gib = f"{depth / 2**20:.2g} GiB"
    write = partial(written_bytes, base, min(depth // 4, WRITTEN_KIB_MAX))
    raw: Candidate = partial(peers.raw, base, KIB, BATCH, DISK_BATCHES)
    records = DISK_BATCHES * BATCH
    synced: dict[str, Candidate] = {
        "Redis XADD, fsync always": partial(servers.redis, KIB, records, base),
        "NATS JetStream, sync always": partial(servers.nats, KIB, records, base),
    }
    deep, shallow = partial(at_depth, base, depth), partial(at_depth, base, SHALLOW)
    itself, opened = f"itself at {SHALLOW:,}", f"an empty folder, and {OPEN_MORE_SECONDS} s"
    rows: list[tuple[str, str, str, str, dict[str, Candidate], dict[str, float]]] = [
        ("put", "stream put, one shard", "100 B", "memory",
         {OURS: put, "queue send": send}, {"queue send": 1.0}),
        ("batches-of-500", "stream put, batches of 500", "100 B", "memory",
         {OURS: put_batches, "Redis XADD pipelined": partial(servers.redis, SMALL, RECORDS)},
         {"Redis XADD pipelined": 5.0}),
        ("disk", "stream put, batches of 500", "1 KiB", "disk",
         {OURS: partial(put_on_disk, base), "write+fdatasync": raw, **synced},
         {"write+fdatasync": 0.7, **dict.fromkeys(synced, 3.0)}),
        ("amplification", "bytes written for a byte of a record", "1 KiB", "disk",
         {OURS: write, "each byte once": once},
         {"each byte once": 1 / 2.1}),
        ("tail", "stream read from the tail", "1 KiB", "disk",
         {OURS: partial(read_tail, base), "memcpy": memcpy}, {"memcpy": 0.3}),
        ("behind", f"stream read from {gib} behind", "1 KiB", "disk",
         {OURS: partial(read_behind, base, depth), "file read": partial(read_file, base, depth)},
         {"file read": 0.5}),
        ("open", f"open with {gib} of sealed records", "1 KiB", "disk",
         {OURS: partial(open_sealed, base, depth), opened: partial(open_empty, base)},
         {opened: 1.0}),
        ("depth", f"put and read at the end of {depth:,} records", "100 B", "os",
         {OURS: deep, itself: shallow}, {itself: 1 / 1.3}),
    ]  # fmt: skip
    return [
        Contest(
            f"stream/{name}",
            title,
            payload,
            durability,
            candidates,
            goals,
            unit="B" if name == "amplification" else "ns",
        )
        for name, title, payload, durability, candidates, goals in rows
    ]
