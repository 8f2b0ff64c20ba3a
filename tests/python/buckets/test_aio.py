"""Buckets for asyncio say what those for threads say."""

from __future__ import annotations

import asyncio
import io

import pytest

import trunkline
import trunkline.aio


def run(main):
    async def with_engine():
        async with trunkline.aio.open() as engine:
            return await main(engine)

    return asyncio.run(with_engine())


def test_objects_are_put_read_copied_and_deleted():
    async def main(engine):
        uploads = engine.bucket("uploads")
        put = await uploads.put("a", io.BytesIO(b"x" * 600_000), metadata={"by": "ann"})
        async with await uploads.get("a") as reader:
            pieces = [piece async for piece in reader]
        assert [len(piece) for piece in pieces] == [262_144, 262_144, 75_712]
        assert (reader.size, reader.etag, reader.metadata) == (600_000, put.etag, {"by": "ann"})
        with pytest.raises(trunkline.UnsupportedOperation):
            await reader.read()
        archive = engine.bucket("archive")
        copied = await uploads.copy("a", "b", to=archive)
        assert (await archive.head("b")).etag == copied.etag == put.etag
        with pytest.raises(TypeError, match=r"to must be a Bucket of trunkline\.aio, not str"):
            await uploads.copy("a", "b", to="archive")
        await uploads.delete("a")
        with pytest.raises(trunkline.NoSuchKey):
            await uploads.get("a")
        with pytest.raises(trunkline.BucketNotEmpty):
            await archive.remove()
        await uploads.remove()
        assert [bucket.name for bucket in engine.buckets()] == ["archive"]

    run(main)


def test_a_list_goes_over_its_pages(monkeypatch):
    monkeypatch.setattr("trunkline.buckets.bucket.PAGE_ENTRIES", 3)
    monkeypatch.setattr("trunkline.aio.buckets.bucket.PAGE_ENTRIES", 4)

    async def main(engine):
        uploads = engine.bucket("uploads")
        keys = [f"{number:02}" for number in range(11)]
        for key in keys:
            await uploads.put(key, key)
        assert [entry.key async for entry in uploads.list()] == keys
        assert [entry async for entry in uploads.list("1", "0")] == ["10"]
        assert [entry async for entry in uploads.list("x")] == []
        with pytest.raises(trunkline.InvalidParameterValue, match="delimiter"):
            uploads.list(delimiter="")

    run(main)


def test_versions_are_named():
    async def main(engine):
        uploads = engine.bucket("uploads")
        await uploads.configure(versioned=True)
        first = await uploads.put("a", "one")
        await uploads.put("a", "two")
        assert await (await uploads.get("a", version=first.version_id)).text() == "one"
        await uploads.delete("a", version=first.version_id)
        assert uploads.statistics()["objects"] == 1

    run(main)
