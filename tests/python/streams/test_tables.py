"""Streams and tables: rows that are put, and records that become a Parquet file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import trunkline
from trunkline.streams import as_table

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def clock():
    return trunkline.VirtualClock()


@pytest.fixture
def stream(clock):
    with trunkline.open(clock=clock) as engine:
        yield engine.stream("clicks", shards=2)


def test_rows_are_put_by_their_key_and_in_order(stream):
    rows = pyarrow.table({"user": [n % 3 for n in range(1_200)], "n": range(1_200)})
    assert stream.write_arrow(rows, key="user") == 1_200
    found = stream.read(max=2_000)
    for user in ("0", "1", "2"):
        numbers = [record.json()["n"] for record in found if record.key == user]
        assert numbers == list(range(int(user), 1_200, 3))


def test_a_column_of_data_is_put_as_it_is(stream):
    stream.write_arrow(pyarrow.table({"k": ["a"], "data": [b"\x00\xff"]}), key="k")
    assert [record.data for record in stream.read()] == [b"\x00\xff"]
    again = trunkline.open().stream("copy")
    assert again.write_arrow(stream.read(), key="key") == 1
    assert [record.data for record in again.read()] == [b"\x00\xff"]


def test_a_table_without_the_key_is_refused(stream):
    with pytest.raises(trunkline.InvalidParameterValue, match="it has n"):
        stream.write_arrow(pyarrow.table({"n": [1]}), key="user")


def test_a_file_has_the_records_of_a_time(stream, clock, tmp_path):
    middle = None
    for n in range(6):
        stream.put(str(n), key=str(n))
        clock.advance(60)
        if n == 2:
            middle = stream.read(max=10)[-1].timestamp + 60
    at = datetime.fromtimestamp(middle, UTC)
    file = tmp_path / "clicks.parquet"

    def data(**bounds):
        count = stream.to_parquet(file, **bounds)
        table = parquet.read_table(file)
        assert table.num_rows == count
        assert table.column_names == ["sequence", "timestamp", "key", "data", "shard"]
        return sorted(table.column("data").to_pylist())

    everything = [b"0", b"1", b"2", b"3", b"4", b"5"]
    assert data() == everything
    assert data(end=at) == everything[:3]
    assert data(start=at) == everything[3:]
    assert data(start=at, end=at + timedelta(seconds=60)) == [b"3"]
    assert [one.name for one in tmp_path.iterdir()] == ["clicks.parquet"]
    with pytest.raises(trunkline.InvalidParameterValue, match="time zone"):
        stream.to_parquet(file, end=at.replace(tzinfo=None))
    with pytest.raises(TypeError, match="end must be a datetime"):
        stream.to_parquet(file, end=middle)


def test_an_export_tells_how_far_it_is(tmp_path):
    with trunkline.open() as engine:
        stream = engine.stream("clicks", shards=2)
        stream.put_batch((str(n), "x") for n in range(25_000))
        told = []
        stream.to_parquet(tmp_path / "f", progress=lambda *so_far: told.append(so_far))
    assert len(told) >= 3
    assert told == sorted(told)
    assert told[-1] == (25_000, 25_000)


def test_json_becomes_typed_columns():
    stream = trunkline.open().stream("clicks")
    rows = ['{"n": 1, "s": "a"}', '{"n": 2,\n "at": {"x": 1.5}}']
    stream.put_batch([("k", row) for row in rows])
    table = as_table(stream.read(), decode="json")
    assert table.column_names == ["sequence", "timestamp", "key", "shard", "n", "s", "at"]
    assert table.column("n").type == pyarrow.int64()
    assert table.column("at").to_pylist() == [None, {"x": 1.5}]
    schema = pyarrow.schema([("n", pyarrow.float32())])
    typed = as_table(stream.read(), decode="json", schema=schema)
    assert typed.column_names[4:] == ["n"]
    assert typed.column("n").type == pyarrow.float32()
    empty = as_table(trunkline.open().stream("clicks").read(), decode="json", schema=schema)
    assert (empty.num_rows, empty.column_names[4:]) == (0, ["n"])


@pytest.mark.parametrize("data", [b"\xff", b"[1]", b"{}{}", b"", b'{"n":'])
def test_data_that_is_no_json_object_is_refused(data):
    stream = trunkline.open().stream("clicks")
    stream.put_batch([("k", '{"n": 1}'), ("k", data)])
    with pytest.raises(trunkline.InvalidParameterValue, match="JSON"):
        as_table(stream.read(), decode="json")
    with pytest.raises(trunkline.InvalidParameterValue, match="decode"):
        as_table(stream.read(), decode="xml")


def test_tables_are_put_and_written_from_an_event_loop(tmp_path):
    import asyncio

    async def main():
        async with trunkline.aio.open() as engine:
            stream = engine.stream("clicks")
            rows = pyarrow.table({"user": ["a", "b"], "n": [1, 2]})
            assert await stream.write_arrow(rows, key="user") == 2
            assert await stream.to_parquet(tmp_path / "clicks.parquet") == 2

    asyncio.run(main())
    assert parquet.read_table(tmp_path / "clicks.parquet").column("key").to_pylist() == ["a", "b"]
