"""The files of objects: one that is missing is told of, and one that is given up goes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import trunkline


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.body"))


def test_an_object_whose_file_is_missing_says_so_until_it_is_back(tmp_path: Path) -> None:
    with trunkline.open(tmp_path) as engine:
        bucket = engine.bucket("uploads")
        bucket.put("lost", b"one")
        bucket.put("kept", b"two")
    [lost] = [file for file in files(tmp_path) if file.read_bytes() == b"one"]
    lost.rename(tmp_path.parent / "away")
    for _ in range(2):
        with trunkline.open(tmp_path) as engine:
            bucket = engine.bucket("uploads")
            assert [entry.key for entry in bucket.list()] == ["kept", "lost"]
            with pytest.raises(trunkline.CorruptJournal, match=lost.name):
                bucket.get("lost")
            assert bucket.get("kept").bytes() == b"two"
    (tmp_path.parent / "away").rename(lost)
    with trunkline.open(tmp_path) as engine:
        bucket = engine.bucket("uploads")
        assert bucket.get("lost").bytes() == b"one"
        lost.unlink()
        bucket.delete("lost")
        assert [entry.key for entry in bucket.list()] == ["kept"]


def test_the_space_of_the_last_deleted_object_is_freed(tmp_path: Path) -> None:
    with trunkline.open(tmp_path) as engine:
        bucket = engine.bucket("uploads")
        bucket.put("a", b"content")
        assert len(files(tmp_path)) == 1
        bucket.delete("a")
        until = time.monotonic() + 60
        while files(tmp_path):
            assert time.monotonic() < until, "the file is still there"
            time.sleep(0.005)
