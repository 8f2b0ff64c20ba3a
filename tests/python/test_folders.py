"""Watched folders: each file becomes one message, event or object, whatever happens meanwhile."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

import trunkline
import trunkline.aio
from trunkline.aio.engine import Engine as AsyncEngine
from trunkline.folders.watch import FolderWatch


@pytest.fixture
def clock() -> trunkline.VirtualClock:
    return trunkline.VirtualClock()


@pytest.fixture
def engine(clock: trunkline.VirtualClock) -> Any:
    with trunkline.open(clock=clock) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "inbox"
    made.mkdir()
    return made


def write(folder: Path, name: str, text: str = "1,2", at: float = 1_000.0) -> Path:
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    os.utime(file, (at, at))
    return file


def watched(engine: trunkline.Engine, folder: Path, target: Any, **options: Any) -> Any:
    # The thread of the watch does nothing: the test looks itself, when it wants to.
    with patch.object(FolderWatch, "_run", lambda self: None):
        return engine.watch_folder(folder, target, **{"settle": 0} | options)


def paths(queue: trunkline.Queue) -> list[str]:
    found = queue.receive(max=10)
    queue.delete_batch(found)
    return [message.json()["path"] for message in found]


def test_each_file_is_delivered_once_and_the_oldest_first(
    engine: trunkline.Engine, folder: Path
) -> None:
    queue = engine.queue("files")
    write(folder, "b", at=2_000)
    write(folder, "c", at=1_000)
    watch = watched(engine, folder, queue)
    watch.poll()
    write(folder, "a", "more", at=500)
    watch.poll()
    watch.poll()
    assert paths(queue) == ["c", "b", "a"]
    assert paths(queue) == []


def test_a_message_says_where_the_file_is(engine: trunkline.Engine, folder: Path) -> None:
    queue = engine.queue("files")
    file = write(folder, "a.csv")
    watched(engine, folder, queue, name="orders").poll()
    assert queue.receive()[0].json() == {
        "folder": "orders",
        "path": "a.csv",
        "file": str(file),
        "size": 3,
        "modified": "1970-01-01T00:16:40.000Z",
    }


def test_a_file_waits_until_it_is_written(
    engine: trunkline.Engine, folder: Path, clock: trunkline.VirtualClock
) -> None:
    queue = engine.queue("files")
    watch = watched(engine, folder, queue, settle=5)
    write(folder, "a", "1")
    watch.poll()
    clock.advance(4)
    write(folder, "a", "12", at=1_001)
    watch.poll()
    clock.advance(4)
    assert watch.poll() == 0
    clock.advance(1)
    assert (watch.poll(), paths(queue)) == (1, ["a"])


def test_names_of_files_that_are_still_written_are_left_alone(
    engine: trunkline.Engine, folder: Path
) -> None:
    queue = engine.queue("files")
    watch = watched(engine, folder, queue, pattern="*.csv")
    for name in (".a.csv", "a.csv.part", "a.csv.tmp", "a.csv~", "a.txt"):
        write(folder, name)
    (folder / "link.csv").symlink_to(folder / "a.txt")
    (folder / "sub.csv").mkdir()
    assert watch.poll() == 0
    (folder / "a.csv.part").rename(folder / "a.csv")
    assert (watch.poll(), paths(queue)) == (1, ["a.csv"])


def test_a_rename_is_no_new_file_and_a_write_is_one(engine: trunkline.Engine, folder: Path) -> None:
    queue = engine.queue("files")
    watch = watched(engine, folder, queue)
    write(folder, "a")
    watch.poll()
    (folder / "a").rename(folder / "b")
    assert watch.poll() == 0
    write(folder, "b", "3,4", at=1_001)
    assert watch.poll() == 1
    (folder / "b").unlink()
    watch.poll()
    write(folder, "b", "3,4", at=1_002)
    assert watch.poll() == 1
    assert paths(queue) == ["a", "b", "b"]


def test_folders_below_are_watched_if_wanted(engine: trunkline.Engine, folder: Path) -> None:
    queue = engine.queue("files")
    write(folder, "sub/a")
    assert watched(engine, folder, queue, name="flat").poll() == 0
    watched(engine, folder, queue, name="deep", recursive=True).poll()
    assert paths(queue) == ["sub/a"]


def test_a_folder_that_is_away_for_a_while_is_not_delivered_again(
    engine: trunkline.Engine, folder: Path
) -> None:
    queue = engine.queue("files")
    write(folder, "a")
    watch = watched(engine, folder, queue)
    watch.poll()
    folder.rename(folder.parent / "away")
    assert watch.poll() == 0
    (folder.parent / "away").rename(folder)
    assert watch.poll() == 0
    assert paths(queue) == ["a"]


def test_a_bus_gets_events_and_a_bucket_the_contents(
    engine: trunkline.Engine, folder: Path
) -> None:
    queue, bucket = engine.queue("told"), engine.bucket("inbox")
    engine.bus().rule("files", {"source": ["trunkline.folder"]}, queue)
    write(folder, "a.csv")
    watched(engine, folder, engine.bus(), name="events").poll()
    objects = watched(engine, folder, bucket, name="objects", prefix="in/")
    objects.poll()
    event = queue.receive()[0].json()
    assert (event["detail-type"], event["detail"]["path"]) == ("File Created", "a.csv")
    assert bucket.get("in/a.csv").bytes() == b"1,2"
    write(folder, "a.csv", "3,4", at=1_001)
    assert objects.poll() == 1
    assert bucket.get("in/a.csv").text() == "3,4"


@pytest.mark.parametrize("kind", ["fifo", "topic", "stream", "function"])
def test_every_other_target_takes_files(engine: trunkline.Engine, folder: Path, kind: str) -> None:
    write(folder, "a")
    queue = engine.queue("told")
    if kind == "function":
        target: Any = engine.function(
            "tell", lambda event, context: queue.send(event["path"]) and 1
        )
    elif kind == "topic":
        target = engine.topic("news")
        target.subscribe(queue, raw=True)
    elif kind == "stream":
        target = engine.stream("clicks", shards=1)
    else:
        target = engine.queue("files.fifo")
    assert watched(engine, folder, target).poll() <= 1
    if kind == "stream":
        [record] = target.read(wait=20)
        assert b'"path": "a"' in record.data
    else:
        source = target if kind == "fifo" else queue
        [message] = source.receive(wait=20)
        assert "a" in (message.text() if kind == "function" else message.json()["path"])


def test_what_was_delivered_is_known_after_a_restart(tmp_path: Path, folder: Path) -> None:
    for turn in range(3):
        with trunkline.open(tmp_path / "data") as engine:
            queue = engine.queue("files")
            write(folder, f"file-{turn}", at=1_000 + turn)
            watched(engine, folder, queue, name="inbox").poll()
            assert paths(queue) == [f"file-{turn}"]
    with trunkline.open(tmp_path / "data") as engine:
        watch = watched(engine, folder, engine.queue("files"), name="inbox")
        watch.remove()
        watched(engine, folder, engine.queue("files"), name="inbox").poll()
        assert len(paths(engine.queue("files"))) == 3


def test_a_second_watch_of_a_name_takes_the_place_of_the_first(
    engine: trunkline.Engine, folder: Path
) -> None:
    queue = engine.queue("files")
    first = watched(engine, folder, queue)
    second = watched(engine, folder, queue)
    write(folder, "a")
    assert (first.poll(), second.poll()) == (0, 1)


def test_a_thread_looks_by_the_clock_of_the_engine(
    engine: trunkline.Engine, folder: Path, clock: trunkline.VirtualClock
) -> None:
    queue = engine.queue("files")
    write(folder, "a")
    engine.watch_folder(folder, queue, interval=60, settle=30)
    until = time.monotonic() + 60
    while not queue.receive():
        assert time.monotonic() < until, "nothing was delivered"
        clock.advance(60)
        time.sleep(0.01)


@pytest.mark.parametrize("name", [b"a\xff.csv", b"long.csv"])
def test_a_file_that_can_be_no_object_lets_those_behind_it_pass(
    engine: trunkline.Engine, folder: Path, name: bytes
) -> None:
    bucket = engine.bucket("inbox")
    first = Path(os.fsdecode(os.path.join(os.fsencode(folder), name)))
    first.write_text("1")
    os.utime(first, (1.0, 1.0))
    write(folder, "b.csv", "2")
    prefix = "p" * 1_018 if name == b"long.csv" else ""
    watch = watched(engine, folder, bucket, prefix=prefix)
    assert (watch.poll(), watch.poll()) == (1, 0)
    assert [entry.key for entry in bucket.list()] == [f"{prefix}b.csv"]
    # Under another name it is delivered.
    first.rename(folder / "c.csv")
    assert watch.poll() == 1


def test_a_target_that_is_gone_is_told_once(
    engine: trunkline.Engine, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    queue = engine.queue("files")
    watch = watched(engine, folder, queue)
    queue.remove()
    write(folder, "a.csv")
    assert (watch.poll(), watch.poll()) == (0, 0)
    [record] = [one for one in caplog.records if one.name == "trunkline"]
    assert "a.csv was not delivered: " in record.getMessage()
    assert record.exc_info is None


def test_what_cannot_be_is_refused(engine: trunkline.Engine, folder: Path) -> None:
    with pytest.raises(TypeError, match="target must be a Queue"):
        engine.watch_folder(folder, "files")  # type: ignore[arg-type]
    with trunkline.open() as other, pytest.raises(trunkline.InvalidParameterValue):
        engine.watch_folder(folder, other.queue("files"))
    with trunkline.open() as other, pytest.raises(trunkline.InvalidParameterValue):
        engine.watch_folder(folder, other.bucket("files"))
    with pytest.raises(trunkline.InvalidParameterValue, match="path is invalid"):
        engine.watch_folder("in\0box", engine.queue("files"))
    with pytest.raises(trunkline.InvalidParameterValue):
        engine.watch_folder(folder, engine.queue("files"), interval=0)


def test_the_same_from_an_engine_for_asyncio(engine: trunkline.Engine, folder: Path) -> None:
    twin = AsyncEngine(engine)
    write(folder, "a")
    with twin.watch_folder(folder, twin.queue("files"), interval=86_400, settle=0) as watch:
        watch.poll()
    assert paths(engine.queue("files")) == ["a"]
