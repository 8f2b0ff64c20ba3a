"""A lost control file is made again, and what cannot be proved without it is said."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import trunkline
from trunkline.cli import main

BODY = "x" * 20_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of several segments whose owner was killed."""
    program = (
        "import os, signal, sys, trunkline\n"
        "queue = trunkline.open(sys.argv[1]).queue('q')\n"
        f"for _ in range(20): queue.send_batch(['{BODY}'] * 10)\n"
        "queue.receive(3)\n"
        "queue.send('last')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    data = tmp_path / "data"
    process = subprocess.run([sys.executable, "-c", program, str(data)], timeout=60, check=False)
    assert process.returncode == -signal.SIGKILL
    return data


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "LOCK"}


@pytest.mark.parametrize("is_lost", [True, False])
def test_a_repaired_folder_has_every_message_and_goes_on(folder: Path, is_lost: bool) -> None:
    control = folder / "control"
    if is_lost:
        control.unlink()
    else:
        control.write_bytes(bytes(4096))
    before = contents(folder)
    with pytest.raises(trunkline.CorruptJournal, match="trunkline repair"):
        trunkline.open(folder)
    report = trunkline.repair(folder)
    assert report.repaired
    assert any("behind" in unproven for unproven in report.unproven)
    assert [queue.messages for queue in report.folder.queues] == [201]
    after = contents(folder)
    assert {name: after[name] for name in before if name != "control"} == {
        name: data for name, data in before.items() if name != "control"
    }, "no other file is changed"
    assert ("control.damaged" in after) is not is_lost
    with trunkline.open(folder) as engine:
        statistics = engine.queue("q").statistics()
        assert (statistics.visible, statistics.in_flight) == (198, 3)
        engine.queue("q").send("more")
    with trunkline.open(folder) as engine:
        assert engine.queue("q").statistics().visible == 199


def test_a_receipt_of_before_stays_one_of_before(folder: Path) -> None:
    with trunkline.open(folder) as engine:
        old = engine.queue("q").receive()[0]
        receipt = old.receipt
    (folder / "control").unlink()
    trunkline.repair(folder)
    with trunkline.open(folder) as engine:
        new = engine.queue("q").receive()[0]
        assert new.receipt != receipt
        engine.queue("q").delete(receipt)
        assert engine.queue("q").statistics().in_flight == 4


def test_other_damage_is_an_error_and_nothing_is_changed(folder: Path) -> None:
    (folder / "control").unlink()
    first, second = sorted(folder.glob("segment-*"))[:2]
    whole = folder.parent / "whole"
    shutil.copytree(folder, whole)

    def refused(damaged: Path) -> str:
        before = contents(folder)
        with pytest.raises(trunkline.CorruptJournal, match=damaged.name) as caught:
            trunkline.repair(folder)
        assert contents(folder) == before
        shutil.rmtree(folder)
        shutil.copytree(whole, folder)
        return str(caught.value)

    second.unlink()
    assert "missing" in refused(second)
    data = bytearray(first.read_bytes())
    data[5_000] ^= 1
    first.write_bytes(data)
    assert "durable up to" in refused(first)
    (folder / "superblock").unlink()
    refused(folder / "superblock")


def test_a_lost_newest_segment_is_what_cannot_be_proved(folder: Path) -> None:
    written = [path for path in sorted(folder.glob("segment-*")) if path.read_bytes().strip(b"\0")]
    (folder / "control").unlink()
    for path in folder.glob("segment-*"):
        if path.name >= written[-1].name:
            path.unlink()
    report = trunkline.repair(folder)
    assert 0 < report.folder.queues[0].messages < 201
    assert any("lost or zeroed as a whole" in unproven for unproven in report.unproven)


def test_a_folder_in_use_or_without_an_engine_is_not_repaired(tmp_path: Path) -> None:
    with trunkline.open(tmp_path / "used"), pytest.raises(trunkline.DataFolderInUse):
        trunkline.repair(tmp_path / "used")
    empty = tmp_path / "empty"
    empty.mkdir()
    for folder in (empty, tmp_path / "absent"):
        with pytest.raises(trunkline.DataFolderUnusable):
            trunkline.repair(folder)
    assert not list(empty.iterdir())
    assert not (tmp_path / "absent").exists()


def test_the_command_says_what_it_made_and_what_is_not_proven(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["repair", str(folder)]) == 0
    assert capsys.readouterr().out.startswith("the control file is whole, nothing was changed")
    (folder / "control").unlink()
    assert main(["verify", str(folder)]) == 1
    assert "trunkline repair" in capsys.readouterr().err
    assert main(["repair", str(folder)]) == 0
    told = capsys.readouterr().out
    assert told.startswith("made a new control file")
    assert "- whether anything was written behind" in told
    assert "201" in told
    assert main(["verify", str(folder)]) == 0
