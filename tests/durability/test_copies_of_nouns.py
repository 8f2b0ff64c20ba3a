"""Topics, buses, schedules and streams in forks, snapshots, restored folders and reports."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import trunkline

EVENT = {"source": "shop", "detail-type": "Order", "detail": {}}


def fill(engine: trunkline.Engine) -> None:
    topic, bus, queue = engine.topic("topic"), engine.bus("bus"), engine.queue("q")
    topic.subscribe(queue)
    bus.rule("all", {"source": ["shop"]}, queue)
    bus.archive("archive")
    topic.publish("one")
    bus.put(EVENT)
    engine.stream("stream").put(b"record", key="k")
    engine.schedule("tick", "rate(1 hour)", engine.queue("ticks"))


def use(engine: trunkline.Engine) -> tuple[int, int, int, int]:
    """Uses each noun once; how many messages, archived events, records and ticks there are."""
    assert engine.topic("topic", create=False).publish("two").delivered == 1
    assert engine.bus("bus", create=False).put(EVENT).delivered == 1
    stream = engine.stream("stream", create=False)
    stream.put(b"another", key="k")
    assert engine.clock is not None
    engine.clock.advance(3_600)
    return (
        engine.queue("q", create=False).statistics().visible,
        engine.bus("bus").archive("archive").events,
        len(list(stream.read(wait=0))),
        engine.queue("ticks", create=False).statistics().visible,
    )


def opened(path: Path | None = None, now: float = 1_700_000_000) -> trunkline.Engine:
    return trunkline.open(path, clock=trunkline.VirtualClock(now))


@pytest.mark.parametrize("on_disk", [False, True], ids=["memory", "disk"])
def test_a_fork_and_a_snapshot_go_on_without_the_original(tmp_path: Path, on_disk: bool) -> None:
    with opened(tmp_path / "data" if on_disk else None) as engine:
        fill(engine)
        engine.snapshot(tmp_path / "copy")
        with engine.fork() as fork:
            used = use(fork)
            assert used[:3] == (4, 2, 2)
        with opened(tmp_path / "copy") as copy:
            assert use(copy) == used
        assert engine.queue("q").statistics().visible == 2, "the original is as it was"
        assert use(engine) == used


def test_a_folder_that_is_moved_is_restored_with_every_noun(tmp_path: Path) -> None:
    with opened(tmp_path / "data") as engine:
        fill(engine)
    (tmp_path / "data").rename(tmp_path / "moved")
    with opened(tmp_path / "moved") as engine:
        assert use(engine)[:3] == (4, 2, 2)


def test_inspect_names_every_noun(tmp_path: Path) -> None:
    with opened(tmp_path / "data") as engine:
        fill(engine)
    told = json.dumps(trunkline.inspect(tmp_path / "data").as_dict())
    for kind, name in [
        ("topic", "topic"),
        ("bus", "bus"),
        ("stream", "stream"),
        ("schedule", "default/tick"),
    ]:
        assert f'"{kind}"' in told, kind
        assert f'"{name}"' in told, name


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_process_is_refused_and_the_parent_goes_on(tmp_path: Path) -> None:
    with opened(tmp_path / "data") as engine:
        fill(engine)
        topic, bus, stream = engine.topic("topic"), engine.bus("bus"), engine.stream("stream")
        (schedule,) = engine.schedules()
        verbs = [
            lambda: topic.publish("x"),
            lambda: bus.put(EVENT),
            lambda: stream.put(b"x", key="k"),
            lambda: list(stream.read(wait=0)),
            lambda: schedule.pause(),
            lambda: engine.topic("new"),
        ]
        child = os.fork()
        if child == 0:
            refused = 0
            for verb in verbs:
                try:
                    verb()
                except trunkline.EngineForked:
                    refused += 1
                except BaseException:
                    break
            os._exit(refused)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == len(verbs)
        assert use(engine)[:3] == (4, 2, 2)


def test_a_snapshot_within_the_data_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (tmp_path / "link").symlink_to(folder)
    with trunkline.open(folder) as engine:
        engine.queue("q").send("a")
        before = sorted(path.name for path in folder.iterdir())
        for inside in (folder, folder / "copy", folder / "a" / "b", tmp_path / "link" / "copy"):
            with pytest.raises(trunkline.DataFolderUnusable, match="lies in the data folder"):
                engine.snapshot(inside)
        assert sorted(path.name for path in folder.iterdir()) == before
        engine.snapshot(tmp_path / "data-copy")
    with trunkline.open(tmp_path / "data-copy") as copy:
        assert copy.queue("q").statistics().visible == 1
