"""Delivery streams in the process, for threads and for asyncio."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import time

import pytest

import trunkline
import trunkline.aio


@pytest.fixture
def engine():
    with trunkline.open() as engine:
        yield engine


@pytest.fixture
def lake(engine):
    return engine.bucket("lake")


def contents(bucket, prefix=""):
    return [bucket.get(entry.key).bytes() for entry in bucket.list(prefix)]


def test_records_are_put_flushed_and_counted(engine, lake):
    clicks = engine.delivery_stream("clicks", lake, newline=True)
    clicks.put("a")
    clicks.put_batch([b"b", bytearray(b"c")])
    assert clicks.statistics() == {"waiting": 3}
    clicks.flush()
    assert clicks.statistics() == {"waiting": 0}
    assert contents(lake) == [b"a\nb\nc\n"]
    clicks.flush()
    assert len(contents(lake)) == 1


def test_a_delivery_stream_is_found_again_listed_and_removed(engine, lake):
    clicks = engine.delivery_stream("clicks", lake)
    assert engine.delivery_stream("clicks").arn == clicks.arn
    engine.delivery_stream("other", lake, region="eu-west-1")
    assert [one.name for one in engine.delivery_streams()] == ["clicks"]
    assert [one.name for one in engine.delivery_streams("o", region="eu-west-1")] == ["other"]
    clicks.remove()
    for verb in (clicks.remove, clicks.flush, lambda: clicks.put("a")):
        with pytest.raises(trunkline.ResourceNotFound):
            verb()
    with pytest.raises(trunkline.ResourceNotFound):
        engine.delivery_stream("clicks")


def test_naming_one_again_changes_it_and_only_then(engine, lake):
    engine.delivery_stream("clicks", lake, prefix="a/", compression="gzip")
    clicks = engine.delivery_stream("clicks", lake, prefix="a/", compression="gzip")
    clicks.put("1")
    clicks.flush()
    [first] = lake.list()
    assert "/clicks-1-" in first.key
    assert gzip.decompress(lake.get(first.key).bytes()) == b"1"
    clicks = engine.delivery_stream("clicks", lake, prefix="b/")
    clicks.put("2")
    clicks.flush()
    [second] = lake.list("b/")
    assert "/clicks-2-" in second.key
    assert lake.get(second.key).bytes() == b"2"
    with pytest.raises(trunkline.InvalidParameterValue, match="cannot be changed"):
        engine.delivery_stream("clicks", lake, source=engine.stream("s"))


def test_a_folder_and_a_backup(engine, lake, tmp_path):
    clicks = engine.delivery_stream("clicks", tmp_path / "clicks", backup=lake)
    clicks.put("a")
    clicks.flush()
    [file] = (path for path in (tmp_path / "clicks").rglob("*") if path.is_file())
    assert file.read_bytes() == b"a"
    assert contents(lake) == [b"a"]
    engine.delivery_stream("more", f"file://{tmp_path}/more").put("b")
    engine.delivery_stream("more").flush()
    assert len([path for path in (tmp_path / "more").rglob("*") if path.is_file()]) == 1


def test_records_are_transformed_partitioned_and_converted(engine, lake):
    pytest.importorskip("jq")
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    def double(event, context):
        records = []
        for record in event["records"]:
            told = json.loads(base64.b64decode(record["data"]))
            told["n"] *= 2
            data = base64.b64encode(json.dumps(told).encode()).decode()
            records.append({"recordId": record["recordId"], "result": "Ok", "data": data})
        return {"records": records}

    orders = engine.delivery_stream(
        "orders",
        lake,
        transform=engine.function("double", double),
        partition_by={"shop": ".shop"},
        prefix="shop=!{partitionKeyFromQuery:shop}/!{timestamp:yyyy}/",
        error_prefix="errors/!{firehose:error-output-type}/",
        schema=pyarrow.schema([("shop", pyarrow.string()), ("n", pyarrow.int64())]),
    )
    orders.put_batch(json.dumps({"shop": shop, "n": n}) for n, shop in enumerate("aab"))
    orders.flush()
    found = {
        entry.key[:7]: parquet.read_table(
            pyarrow.BufferReader(lake.get(entry.key).bytes())
        ).to_pylist()
        for entry in lake.list("shop=")
    }
    assert found == {
        "shop=a/": [{"shop": "a", "n": 0}, {"shop": "a", "n": 2}],
        "shop=b/": [{"shop": "b", "n": 4}],
    }


def test_the_records_of_a_stream_are_delivered(engine, lake):
    source = engine.stream("source", shards=2)
    clicks = engine.delivery_stream("clicks", lake, source=source)
    source.put_batch([(str(number), f"{number};") for number in range(10)])
    clicks.flush()
    assert sorted(b"".join(contents(lake)).split(b";"))[1:] == [b"%d" % n for n in range(10)]
    # Every shard was committed, whatever batches its records came in.
    assert clicks.statistics() == {"waiting": 0}
    with pytest.raises(trunkline.UnsupportedOperation):
        clicks.put("a")
    clicks.remove()
    assert source.statistics().readers == {}


def test_a_stream_that_is_resharded_is_delivered_whole(engine, lake):
    source = engine.stream("source", shards=2)
    clicks = engine.delivery_stream("clicks", lake, source=source)
    for round in range(4):
        source.put_batch([(str(number), f"{round}-{number};") for number in range(300)])
        source.resize(round + 1)
    clicks.flush()
    stored = b"".join(contents(lake)).decode().split(";")
    wanted = {f"{round}-{number}" for round in range(4) for number in range(300)}
    assert wanted | {""} == set(stored)
    assert clicks.statistics() == {"waiting": 0}


def test_rules_and_topics_deliver_to_it(engine, lake):
    clicks = engine.delivery_stream("clicks", lake)
    engine.bus().rule("all", {"source": ["shop"]}, clicks)
    engine.topic("news").subscribe(clicks)
    engine.bus().put({"source": "shop", "detail-type": "t", "detail": {"n": 1}})
    engine.topic("news").publish("hello")
    clicks.flush()
    [whole] = contents(lake)
    assert b'"n":1' in whole
    assert whole.endswith(b"hello\n")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"compression": "lzma"}, "compression"),
        ({"prefix": "!{x"}, "!{"),
        ({"time_zone": "Mars/Base"}, "time zone"),
        ({"schema": "clicks"}, "Glue"),
        ({"format": "csv", "schema": "struct<a:int>"}, "format"),
        ({"buffer_size": 500}, "buffer_size"),
        ({"buffer_interval": -1}, "buffer_interval"),
    ],
)
def test_options_that_cannot_work_are_refused(engine, lake, options, told):
    with pytest.raises(trunkline.InvalidParameterValue, match=told):
        engine.delivery_stream("clicks", lake, **options)


def test_arguments_of_another_type_are_refused(engine, lake):
    for options in ({"transform": "f"}, {"source": lake}, {"backup": 1}, {"partition_by": 3}):
        with pytest.raises(TypeError):
            engine.delivery_stream("clicks", lake, **options)
    with pytest.raises(TypeError):
        engine.delivery_stream("clicks", 1)
    with pytest.raises(trunkline.InvalidParameterValue, match="name"):
        engine.delivery_stream("a b", lake)
    with pytest.raises(trunkline.InvalidParameterValue, match="backup"):
        engine.delivery_stream("clicks", "https://example.com")
    with pytest.raises(trunkline.InvalidParameterValue, match="1024000 bytes"):
        engine.delivery_stream("clicks", lake).put(b"x" * 1_024_001)
    with trunkline.open() as other, pytest.raises(trunkline.InvalidParameterValue):
        engine.delivery_stream("clicks", other.bucket("lake"))
    with trunkline.open() as other:
        foreign = {"transform": other.function("f", print), "source": other.stream("s")}
        for name, given in foreign.items():
            with pytest.raises(trunkline.InvalidParameterValue, match="another engine"):
                engine.delivery_stream("others", lake, **{name: given})
    for options in ({"compression": []}, {"schema": "struct<a:int>", "format": []}):
        with pytest.raises(trunkline.InvalidParameterValue):
            engine.delivery_stream("others", lake, **options)
    with pytest.raises(trunkline.InvalidParameterValue, match="NUL"):
        engine.delivery_stream("others", "file:///lake\0")
    with pytest.raises(TypeError, match="prefix"):
        engine.delivery_stream("others", "https://example.com", backup=lake, prefix=3)


def test_a_flush_that_cannot_be_done_in_time_says_so(engine):
    lake = engine.bucket("lake")
    clicks = engine.delivery_stream("clicks", lake)
    lake.remove()
    clicks.put("a")
    with pytest.raises(TimeoutError, match="clicks"):
        clicks.flush(timeout=0.2)
    engine.bucket("lake")
    clicks.flush()
    assert contents(engine.bucket("lake")) == [b"a"]


def test_many_records_go_over_a_restart(tmp_path):
    for round in range(3):
        with trunkline.open(tmp_path) as engine:
            clicks = engine.delivery_stream("clicks", engine.bucket("lake"), buffer_interval=0)
            clicks.put_batch(f"{round}-{number};" for number in range(5_000))
    with trunkline.open(tmp_path) as engine:
        engine.delivery_stream("clicks").flush()
        stored = b"".join(contents(engine.bucket("lake"))).decode().split(";")
    wanted = {f"{round}-{number}" for round in range(3) for number in range(5_000)}
    assert wanted <= set(stored)


def test_what_was_delivered_gives_its_disk_space_back(tmp_path):
    def retained():
        return sum(path.stat().st_size for path in tmp_path.glob("retained-*"))

    with trunkline.open(tmp_path, durability="os") as engine:
        clicks = engine.delivery_stream("clicks", engine.bucket("lake"), compression="gzip")
        end = time.monotonic() + 240
        put = 0
        # Files are made and removed in the background: in the end there are few, whatever was put.
        while put < 60_000_000 or retained() > 20_000_000:
            assert time.monotonic() < end, f"{retained()} bytes are kept of {put}"
            clicks.put_batch([b"x" * 500_000] * 2)
            put += 1_000_000
            clicks.flush()


def test_delivery_streams_for_asyncio_say_what_those_for_threads_say():
    async def main():
        async with trunkline.aio.open() as engine:
            lake = engine.bucket("lake")
            clicks = engine.delivery_stream("clicks", lake, newline=True)
            await clicks.put("a")
            await clicks.put_batch(["b", "c"])
            await clicks.flush()
            assert [stored.size async for stored in lake.list()] == [6]
            assert clicks.statistics() == {"waiting": 0}
            assert clicks.settings()["CompressionFormat"] == "UNCOMPRESSED"
            assert [one.name for one in engine.delivery_streams()] == [clicks.name]
            assert clicks.arn.endswith("/clicks")
            await clicks.remove()
            assert engine.delivery_streams() == []

    asyncio.run(main())
