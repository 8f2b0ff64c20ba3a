"""What users pick today when a queue must survive its process, each at its durable setting."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from trunkline import Engine
from trunkline.bench.contest import NotInstalled, Run

FILLED_ROUNDS = 32
FILLED_MESSAGES = 4_000
SPARE_RUNS = 64  # how many rounds fit into the file that the raw loop writes


@contextmanager
def scratch(base: Path) -> Iterator[Path]:
    """A folder of its own, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=".trunkline-bench-", dir=base) as folder:
        yield Path(folder)


def bytes_written() -> Callable[[], int]:
    """Counts the bytes that this process has given to writes."""
    counter = Path("/proc/self/io")
    if not counter.exists():
        raise NotInstalled("/proc/self/io, which counts written bytes,")

    def written() -> int:
        (line,) = (one for one in counter.read_text().splitlines() if one.startswith("wchar"))
        return int(line.split()[1])

    return written


def fill_journal(engine: Engine) -> None:
    """From here on the journal uses its segments again, as that of a program does which runs for
    long; the file of the raw loop is filled before, too.
    """
    queue = engine.queue("filler")
    for _ in range(FILLED_ROUNDS):
        queue.send_batch([bytes(1_024)] * FILLED_MESSAGES)
        queue.purge()
    engine.flush()


@contextmanager
def raw(base: Path, body: bytes, batch: int, batches: int) -> Iterator[Run]:
    """The disk itself: write and fdatasync the same bytes into a file filled with zeros before."""
    chunk = body * batch
    with scratch(base) as folder, open(folder / "raw", "w+b", buffering=0) as file:
        file.writelines(bytes(len(chunk) * batches) for _ in range(SPARE_RUNS))
        os.fsync(file.fileno())
        size, position = SPARE_RUNS * len(chunk) * batches, 0
        descriptor = file.fileno()

        def run() -> float:
            nonlocal position
            started = perf_counter()
            for _ in range(batches):
                os.pwrite(descriptor, chunk, position % size)
                position += len(chunk)
                os.fdatasync(descriptor)
            return (perf_counter() - started) / (batch * batches)

        yield run


@contextmanager
def sqlite(base: Path, body: bytes, batch: int, batches: int) -> Iterator[Run]:
    """SQLite with a write-ahead log and synchronous=FULL, `batch` inserts a commit."""
    with scratch(base) as folder:
        connection = sqlite3.connect(folder / "queue.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE messages (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")

        def run() -> float:
            started = perf_counter()
            for _ in range(batches):
                connection.execute("BEGIN IMMEDIATE")
                for _ in range(batch):
                    connection.execute("INSERT INTO messages (body) VALUES (?)", (body,))
                connection.execute("COMMIT")
            seconds = (perf_counter() - started) / (batch * batches)
            connection.execute("DELETE FROM messages")
            return seconds

        yield run
        connection.close()


@contextmanager
def persist_queue(base: Path, body: bytes, messages: int) -> Iterator[Run]:
    """persist-queue's queue with acknowledgements."""
    try:
        import persistqueue
    except ImportError:
        raise NotInstalled("persist-queue") from None
    with scratch(base) as folder:
        q = persistqueue.SQLiteAckQueue(str(folder), auto_commit=True)

        def run() -> float:
            started = perf_counter()
            for _ in range(messages):
                q.put(body)
                q.ack(q.get())
            return (perf_counter() - started) / messages

        yield run
        q.close()


@contextmanager
def lite_queue(base: Path, body: bytes, messages: int) -> Iterator[Run]:
    """litequeue with synchronous=FULL; by default it does not sync each message."""
    try:
        import litequeue
    except ImportError:
        raise NotInstalled("litequeue") from None
    with scratch(base) as folder:
        q = litequeue.LiteQueue(str(folder / "queue.db"), sqlite_cache_size_bytes=256_000)
        q.conn.execute("PRAGMA synchronous=FULL")
        text = body.decode()

        def run() -> float:
            started = perf_counter()
            for _ in range(messages):
                q.put(text)
                q.done(q.pop().message_id)
            return (perf_counter() - started) / messages

        yield run
        q.close()
