"""The files of objects: one that is missing is told of, and one that is given up goes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import IncompleteReadError, ResponseStreamingError

import trunkline
from trunkline.cli import main
from trunkline.server import Server


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


def damage(file: Path, place: int) -> None:
    with file.open("r+b") as content:
        content.seek(place)
        byte = content.read(1)
        content.seek(place)
        content.write(bytes([byte[0] ^ 1]))


LARGE = bytes(range(256)) * 4_000  # four pieces of what a server sends at a time


def test_verify_finds_a_changed_byte_in_a_content_if_it_is_to_read_it(tmp_path: Path) -> None:
    with trunkline.open(tmp_path) as engine:
        bucket = engine.bucket("uploads")
        bucket.put("one", LARGE)
        bucket.put("two", b"two")
        bucket.copy("one", "three")
    trunkline.verify(tmp_path, contents=True)
    [large] = [file for file in files(tmp_path) if file.stat().st_size == len(LARGE)]
    for place in (0, 500_000, len(LARGE) - 1):
        damage(large, place)
        trunkline.verify(tmp_path)
        with pytest.raises(trunkline.CorruptJournal, match=large.name):
            trunkline.verify(tmp_path, contents=True)
        assert main(["verify", str(tmp_path)]) == 0
        assert main(["verify", str(tmp_path), "--contents"]) == 1
        damage(large, place)
    trunkline.verify(tmp_path, contents=True)


def test_a_whole_read_of_a_damaged_content_fails_and_its_last_piece_is_not_given(
    tmp_path: Path,
) -> None:
    with trunkline.open(tmp_path) as engine:
        engine.bucket("uploads").put("large", LARGE)
    for _ in range(2):
        with trunkline.open(tmp_path) as engine:
            assert engine.bucket("uploads").get("large").bytes() == LARGE
    damage(files(tmp_path)[0], 5)
    with trunkline.open(tmp_path) as engine:
        bucket = engine.bucket("uploads")
        with pytest.raises(trunkline.CorruptJournal, match="not as it was written"):
            bucket.get("large").bytes()
        with pytest.raises(trunkline.CorruptJournal, match="not as it was written"):
            list(bucket.get("large"))
        assert bucket.get("large", range=(10, 20)).bytes() == LARGE[10:20]
        with pytest.raises(trunkline.CorruptJournal, match="not as it was written"):
            engine.bucket("other").put("copy", bucket.get("large"))
        assert list(engine.bucket("other").list()) == []


def test_a_get_of_a_damaged_object_is_cut_short_and_logged(tmp_path: Path, capfd: Any) -> None:
    client = pytest.importorskip("boto3").client
    with trunkline.open(tmp_path) as engine:
        engine.bucket("uploads").put("large", LARGE)
    damage(files(tmp_path)[0], 5)
    with (
        trunkline.open(tmp_path) as engine,
        Server(engine, port=0, request_log="text") as server,
    ):
        s3 = client(
            "s3",
            endpoint_url=server.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        body = s3.get_object(Bucket="uploads", Key="large")["Body"]
        with pytest.raises((IncompleteReadError, ResponseStreamingError)):
            body.read()
    assert "the body of an answer is cut" in capfd.readouterr().out


GIVES_UP = """
import os, signal, sys, trunkline

engine = trunkline.open(sys.argv[1], durability=sys.argv[2])
bucket = engine.bucket("uploads")
for key in ("deleted", "replaced"):
    bucket.put(key, b"one" * 1_000)
engine.flush()
bucket.put("replaced", b"two")
bucket.delete("deleted")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("durability", ["memory", "os", "disk"])
def test_what_was_given_up_by_a_record_that_a_kill_took_is_still_there(
    tmp_path: Path, durability: str
) -> None:
    for turn in range(3):
        folder = tmp_path / str(turn)
        command = [sys.executable, "-c", GIVES_UP, str(folder), durability]
        assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
        trunkline.verify(folder)
        with trunkline.open(folder) as engine:
            bucket = engine.bucket("uploads")
            contents = {entry.key: bucket.get(entry.key).bytes() for entry in bucket.list()}
        lost = {"deleted": b"one" * 1_000} if "deleted" in contents else {}
        replaced = contents["replaced"]
        assert replaced in (b"one" * 1_000, b"two")
        assert contents == {"replaced": replaced} | lost
        if durability != "memory":
            assert contents == {"replaced": b"two"}
