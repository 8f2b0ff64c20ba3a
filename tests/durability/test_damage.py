"""Damage to a data folder as a whole is an error by name, and the folder is left as it was."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import trunkline

MESSAGES = 400
BODY = "x" * 20_000


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of several segments, closed in an orderly way."""
    folder = tmp_path_factory.mktemp("whole") / "data"
    with trunkline.open(folder) as engine:
        queue = engine.queue("q")
        for _ in range(MESSAGES // 10):
            queue.send_batch([BODY] * 10)
    assert len(segments(folder)) >= 3
    return folder


def segments(folder: Path) -> list[Path]:
    """The segments that hold data, oldest first."""
    return [path for path in sorted(folder.glob("segment-*")) if path.read_bytes().strip(b"\0")]


def swap(folder: Path) -> None:
    first, second = segments(folder)[:2]
    first.rename(folder / "spare")
    second.rename(first)
    (folder / "spare").rename(second)


def copy_older(folder: Path) -> None:
    *_, older, newest = segments(folder)
    shutil.copy(older, newest)


def copy_newer(folder: Path) -> None:
    first, second = segments(folder)[:2]
    shutil.copy(second, first)


def lose_newest(folder: Path) -> None:
    newest = segments(folder)[-1]
    for path in folder.glob("segment-*"):
        if path.name >= newest.name:
            path.unlink()


def zero_newest(folder: Path) -> None:
    newest = segments(folder)[-1]
    newest.write_bytes(bytes(newest.stat().st_size))


def insert_byte(folder: Path) -> None:
    segment = segments(folder)[1]
    data = segment.read_bytes()
    at = len(data) // 2
    segment.write_bytes(data[:at] + b"\xa5" + data[at:])


def shift_by_a_byte(folder: Path) -> None:
    segment = segments(folder)[-1]
    data = segment.read_bytes()
    segment.write_bytes(data[:1_000] + b"\xa5" + data[1_000:-1])


def lose_control(folder: Path) -> None:
    (folder / "control").unlink()


@pytest.mark.parametrize(
    "damage",
    [
        swap,
        copy_older,
        copy_newer,
        lose_newest,
        zero_newest,
        insert_byte,
        shift_by_a_byte,
        lose_control,
    ],
)
def test_damage_is_named_and_nothing_is_written_over(
    written: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(written, folder)
    damage(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "LOCK"}
    for look in (trunkline.verify, trunkline.open):
        with pytest.raises(trunkline.CorruptJournal) as caught:
            look(folder)
        assert "segment-" in str(caught.value) or "control" in str(caught.value)
    after = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "LOCK"}
    assert after == before


def test_a_whole_folder_is_said_to_be_sound(written: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(written, folder)
    assert trunkline.verify(folder).queues[0].messages == MESSAGES


def test_a_sealed_file_that_is_missing_is_damage(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    oldest = folder / "segment-00000001"
    with trunkline.open(folder, durability="os") as engine:
        stream, queue = engine.stream("s"), engine.queue("q")
        stream.put_batch([("key", "record")] * 100)
        for _ in range(2_000):
            # Compaction seals what is in its way. Only then the first segment goes.
            queue.send_batch([BODY * 5] * 10)
            queue.delete_batch(queue.receive(10))
            if not oldest.exists():
                break
    trunkline.verify(folder)
    sealed = folder / "retained-0000000000000001-0000000000000001"
    sealed.unlink()
    for look in (trunkline.verify, trunkline.open):
        with pytest.raises(trunkline.CorruptJournal, match=f"{sealed.name} is missing"):
            look(folder)
