"""Streams as a program uses them: put, read, readers, waiting, refusals."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import trunkline
from tests.waiting import until_waiting

NOW = 1_700_000_000.0


@pytest.fixture
def engine() -> trunkline.Engine:
    return trunkline.open(clock=trunkline.VirtualClock(NOW), seed=1)


def texts(batch: trunkline.RecordBatch) -> list[str]:
    return [record.text() for record in batch]


def test_a_stream_is_got_or_created_and_options_are_compared(engine: trunkline.Engine) -> None:
    stream = engine.stream("clicks", shards=2, retention=2 * 86_400)
    assert engine.stream("clicks").name == stream.name == "clicks"
    assert engine.stream("clicks", shards=2, retention=timedelta(days=2)).retention == 172_800
    with pytest.raises(trunkline.ResourceInUse, match="shards"):
        engine.stream("clicks", shards=3)
    with pytest.raises(trunkline.ResourceInUse, match="retention"):
        engine.stream("clicks", retention=86_400)
    with pytest.raises(trunkline.ResourceNotFound, match="other"):
        engine.stream("other", create=False)
    engine.stream("carts")
    assert [one.name for one in engine.streams()] == ["carts", "clicks"]
    assert [one.name for one in engine.streams("cl")] == ["clicks"]
    assert engine.stream("clicks", account="111122223333").shards()[1:] == []


def test_records_are_read_from_every_kind_of_start(engine: trunkline.Engine) -> None:
    stream = engine.stream("clicks")
    assert engine.clock is not None
    put = []
    for number in range(5):
        put.append(stream.put(str(number), key="k"))
        engine.clock.advance(10)
    assert texts(stream.read()) == ["0", "1", "2", "3", "4"]
    assert texts(stream.read(max=2)) == ["0", "1"]
    assert texts(stream.read(start=put[3].sequence)) == ["3", "4"]
    assert texts(stream.read(after=put[3].sequence)) == ["4"]
    assert texts(stream.read("shardId-0", start=datetime.fromtimestamp(NOW + 11, UTC))) == list(
        "234"
    )
    assert len(stream.read(start="latest")) == 0
    record = stream.read(max=1)[0]
    assert (record.timestamp, record.key, record.shard) == (NOW, "k", "shardId-000000000000")
    assert (record.sequence, record.data) == (put[0].sequence, b"0")


def test_a_batch_is_a_sequence(engine: trunkline.Engine) -> None:
    stream = engine.stream("clicks")
    stream.put_batch([("k", str(number)) for number in range(5)])
    batch = stream.read()
    assert len(batch) == 5
    assert batch[-1].text() == "4"
    assert [record.text() for record in batch[1:4:2]] == ["1", "3"]
    assert [record.text() for record in batch[::-1]] == list("43210")
    for index in (5, -6):
        with pytest.raises(IndexError):
            batch[index]
    with pytest.raises(TypeError):
        batch["0"]  # type: ignore[call-overload]
    assert not engine.stream("empty").read()


def test_what_a_stream_does_not_take_is_refused_by_name(engine: trunkline.Engine) -> None:
    stream = engine.stream("clicks", shards=2)
    for call, error, words in (
        (lambda: stream.put(5, key="k"), TypeError, "data must be bytes"),
        (lambda: stream.put("x", key=5), TypeError, "key must be a str"),
        (lambda: stream.put("x", key=""), ValueError, "parameter key"),
        (lambda: stream.put("x", key="k" * 257), ValueError, "parameter key"),
        (lambda: stream.put("x", key="k", hash_key=2**128), ValueError, "parameter hash_key"),
        (lambda: stream.put(b"x" * 2**20, key="k"), ValueError, "too large"),
        (lambda: stream.put_batch([("k", "x"), ("", "x")]), ValueError, r"records\[1\]"),
        (lambda: stream.put_batch(["kx"]), TypeError, r"records\[0\]"),
        (lambda: stream.put_batch([("k", "x"), ("k",)]), TypeError, r"records\[1\] must be a pair"),
        (
            lambda: stream.put_batch([(5, "x")]),
            TypeError,
            r"records\[0\]: key must be a str, not int",
        ),
        (lambda: stream.put_batch([("k", 5)]), TypeError, "data must be bytes"),
        (lambda: stream.put_batch("kx"), TypeError, "records must be a list"),
        (lambda: stream.read(start="soon"), ValueError, "parameter start"),
        (lambda: stream.read(start=datetime(2026, 1, 1)), ValueError, "time zone"),
        (lambda: stream.read(after="1"), ValueError, "parameter after"),
        (lambda: stream.read("x"), ValueError, "parameter shard"),
        (lambda: stream.read("shardId-7"), LookupError, "shardId-000000000007"),
        (lambda: stream.read(max=0), ValueError, "parameter max"),
        (lambda: stream.reader("no spaces"), ValueError, "parameter name"),
        (lambda: stream.reader("r", lease=0), ValueError, "parameter lease"),
        (lambda: stream.remove_reader("r"), LookupError, "Reader r"),
        (lambda: stream.merge("0", "0"), ValueError, "does not begin where"),
        (lambda: stream.split("0", at=0), ValueError, "does not split"),
        (lambda: engine.stream("no spaces"), ValueError, "parameter name"),
        (lambda: engine.stream("x", shards=0), ValueError, "parameter shards"),
        (lambda: engine.stream("x", retention=5), ValueError, "parameter retention"),
    ):
        with pytest.raises(error, match=words):
            call()
    assert len(stream.read()) == 0
    other = engine.stream("other").put("x", key="k")
    assert engine.clock is not None
    engine.clock.advance(5)
    with pytest.raises(trunkline.InvalidArgument, match="did not come from this stream"):
        engine.stream("later").read(after=other.sequence)


def test_a_reader_goes_on_where_it_committed_after_a_restart(tmp_path: Path) -> None:
    with trunkline.open(tmp_path) as engine:
        stream = engine.stream("clicks", shards=4)
        stream.put_batch([(f"user-{number}", str(number)) for number in range(10)])
        reader = stream.reader("billing", start="earliest")
        batch = reader.fetch(max=6)
        reader.commit(batch)
        assert len(reader.fetch(max=2)) == 2
        assert stream.statistics().readers == {"billing": 4}
        done = texts(batch)
    with trunkline.open(tmp_path) as engine:
        stream = engine.stream("clicks")
        rest = [text for batch in stream.reader("billing").batches(wait=0) for text in texts(batch)]
        assert sorted([*done, *rest]) == [str(number) for number in range(10)]


def test_a_member_that_lost_its_shards_cannot_commit(engine: trunkline.Engine) -> None:
    stream = engine.stream("clicks")
    first, second = (stream.reader("billing", start="earliest", lease=30) for _ in range(2))
    stream.put("one", key="k")
    batch = first.fetch()
    assert texts(batch) == ["one"]
    assert texts(second.fetch()) == []
    assert engine.clock is not None
    engine.clock.advance(30)
    again = second.fetch()
    assert texts(again) == ["one"]
    with pytest.raises(trunkline.LeaseLost, match="shardId-000000000000"):
        first.commit(batch)
    with pytest.raises(trunkline.InvalidArgument, match="not fetched by this member"):
        second.commit(batch)
    second.commit(again)
    second.close()
    with pytest.raises(trunkline.UnsupportedOperation, match="left"):
        second.fetch()


def test_a_read_waits_for_the_next_record() -> None:
    engine = trunkline.open()
    stream = engine.stream("clicks", shards=2)
    reader = stream.reader("billing")
    found: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda: found.append(texts(stream.read(start="latest", wait=30)))),
        threading.Thread(target=lambda: found.append(texts(reader.fetch(wait=30)))),
    ]
    for thread in threads:
        thread.start()
    until_waiting(stream, 2)  # type: ignore[arg-type]
    stream.put("one", key="k")
    for thread in threads:
        thread.join(30)
    assert found == [["one"], ["one"]]
    assert len(stream.read(start="latest", wait=0.01)) == 0


def test_a_wait_ends_with_its_time_on_a_virtual_clock(engine: trunkline.Engine) -> None:
    stream = engine.stream("clicks")
    found: list[int] = []
    read = lambda: found.append(len(stream.read(start="latest", wait=60)))  # noqa: E731
    thread = threading.Thread(target=read)
    thread.start()
    until_waiting(stream)  # type: ignore[arg-type]
    assert engine.clock is not None
    engine.clock.advance(60)
    thread.join(30)
    assert found == [0]


def test_arrow_reads_a_batch_as_a_table(engine: trunkline.Engine) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    stream = engine.stream("clicks", shards=2)
    stream.put_batch([("user-1", b"\x00\xff"), ("käse", b""), ("user-2", "two")])
    batch = stream.read()
    table = pyarrow.table(batch)
    assert table.column_names == ["sequence", "timestamp", "key", "data", "shard"]
    rows = [(one.sequence, one.timestamp, one.key, one.data, one.shard) for one in batch]
    del batch
    assert [
        (row["sequence"], row["timestamp"].timestamp(), row["key"], row["data"], row["shard"])
        for row in table.to_pylist()
    ] == rows
    assert pyarrow.table(stream.read(start="latest")).num_rows == 0


def test_polars_reads_a_batch_as_a_frame(engine: trunkline.Engine) -> None:
    polars = pytest.importorskip("polars", reason="polars is not installed")
    stream = engine.stream("clicks", shards=2)
    stream.put_batch([("user-1", b"\x00\xff"), ("käse", b""), ("user-2", "two")])
    batch = stream.read()
    frame = polars.DataFrame(batch)
    assert frame.columns == ["sequence", "timestamp", "key", "data", "shard"]
    rows = [(one.sequence, one.key, one.data, one.shard) for one in batch]
    del batch
    assert frame.select("sequence", "key", "data", "shard").rows() == rows
    assert polars.DataFrame(stream.read(start="latest")).height == 0


def test_duckdb_queries_a_batch(engine: trunkline.Engine) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    stream = engine.stream("clicks", shards=2)
    stream.put_batch([("user-1", b"\x00\xff"), ("käse", b""), ("user-1", "two")])
    batch = stream.read()
    with duckdb.connect() as connection:
        connection.register("clicks", batch)
        counted = connection.sql(
            "SELECT key, count(*), sum(octet_length(data)) FROM clicks GROUP BY key ORDER BY key"
        ).fetchall()
    assert counted == [("käse", 1, 0), ("user-1", 2, 5)]


def test_a_copy_has_the_stream_and_its_readers(engine: trunkline.Engine, tmp_path: Path) -> None:
    stream = engine.stream("clicks", shards=2)
    stream.put_batch([(str(number), str(number)) for number in range(10)])
    with stream.reader("billing", start="earliest") as reader:
        reader.commit(reader.fetch(max=4))
    engine.snapshot(tmp_path / "copy")
    clock = trunkline.VirtualClock(NOW)
    for copy in (engine.fork(), trunkline.open(tmp_path / "copy", clock=clock)):
        there = copy.stream("clicks", create=False)
        assert texts(there.read()) == texts(stream.read())
        assert there.statistics().readers == {"billing": 6}
        copy.close()
