"""Streams for data people: tables of Arrow beside a copy, SQL over windows beside SQL at rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import trunkline
from trunkline.bench.contest import OURS, Contest, NotInstalled, Run
from trunkline.bench.peers import scratch

RECORDS = 1_000_000
PUT = 500
READ = 10_000
EVENTS_A_SECOND = 200
COUNT = """
    SELECT window_start, count(*) AS n
    FROM TUMBLE(TABLE bench, DESCRIPTOR(at), INTERVAL '1' MINUTE) GROUP BY ALL
"""
COUNT_AT_REST = """
    SELECT time_bucket(INTERVAL '1' MINUTE, to_timestamp("at")) AS window_start, count(*) AS n
    FROM read_json('{}', format = 'newline_delimited') GROUP BY ALL
"""


def _events() -> Iterator[str]:
    """Events as a program writes them, in the order of their times."""
    for number in range(RECORDS):
        yield json.dumps(
            {
                "at": number // EVENTS_A_SECOND,
                "card": f"card-{number % 1_000}",
                "amount": number % 97,
                "page": "/products/list",
            }
        )


@contextmanager
def _stream(data: Iterator[Any]) -> Iterator[tuple[trunkline.Engine, trunkline.Stream]]:
    with trunkline.open() as engine:
        stream = engine.stream("bench", shards=1)
        records = [("user-1", one) for one in data]
        for start in range(0, len(records), PUT):
            stream.put_batch(records[start : start + PUT])
        del records
        yield engine, stream


@contextmanager
def windows() -> Iterator[Run]:
    """A continuous query that counts a minute at a time."""
    _modules("duckdb", "pyarrow")
    from trunkline import analytics

    with _stream(_events()) as (engine, _):

        def run() -> float:
            query = analytics.query(engine, COUNT, name="bench")
            started = perf_counter()
            query.process()
            seconds = (perf_counter() - started) / RECORDS
            # The last window is open until a later event comes.
            minute = EVENTS_A_SECOND * 60
            assert sum(row["n"] for row in query.results()) == RECORDS // minute * minute
            query.remove()
            return seconds

        yield run


@contextmanager
def at_rest(base: Path) -> Iterator[Run]:
    """The same count by DuckDB with all cores, over the same events in a file of lines."""
    (duckdb,) = _modules("duckdb")
    with scratch(base) as folder, duckdb.connect(":memory:") as connection:
        path = folder / "events.jsonl"
        path.write_text("\n".join(_events()) + "\n", encoding="utf-8")
        sql = COUNT_AT_REST.format(path.resolve())

        def run() -> float:
            started = perf_counter()
            rows = connection.execute(sql).fetchall()
            seconds = (perf_counter() - started) / RECORDS
            assert sum(row[1] for row in rows) == RECORDS
            return seconds

        yield run


@contextmanager
def tables() -> Iterator[Run]:
    """Batches of 10,000 records as tables, with all columns."""
    (pyarrow,) = _modules("pyarrow")
    with _stream(b"x" * 100 for _ in range(RECORDS)) as (_, stream):
        batches = []
        batch = stream.read(max=READ)
        while len(batch):
            batches.append(batch)
            batch = stream.read(max=READ, after=batch[-1].sequence)

        def run() -> float:
            started = perf_counter()
            rows = sum(pyarrow.table(batch).num_rows for batch in batches)
            seconds = perf_counter() - started
            assert rows == RECORDS
            return seconds / RECORDS

        yield run


@contextmanager
def memcpy() -> Iterator[Run]:
    """The data alone, copied batch by batch."""
    source = [bytearray(100 * READ) for _ in range(RECORDS // READ)]

    def run() -> float:
        started = perf_counter()
        copies = [bytes(one) for one in source]
        seconds = perf_counter() - started
        assert len(copies) == len(source)
        return seconds / RECORDS

    yield run


def _modules(*names: str) -> list[Any]:
    from importlib import import_module

    try:
        return [import_module(name) for name in names]
    except ImportError as error:
        raise NotInstalled(f"the package {error.name}") from None


def contests(base: Path) -> list[Contest]:
    """The rows of this file."""
    return [
        Contest(
            "data/arrow",
            f"{RECORDS:,} records as tables of Arrow",
            "100 B",
            "memory",
            {OURS: tables, "memcpy": memcpy},
            {"memcpy": 1 / 5},
        ),
        Contest(
            "data/sql",
            f"{RECORDS:,} events counted a minute at a time, SQL",
            "80 B",
            "memory",
            {OURS: windows, "DuckDB at rest": partial(at_rest, base)},
            {"DuckDB at rest": 0.5},
        ),
    ]
