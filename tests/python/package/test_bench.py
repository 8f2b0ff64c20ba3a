"""The rows of `trunkline bench` run, and each has a goal or a peer to be judged by."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trunkline import bench

ROWS = {
    "topic/": {"one-queue", "fan-out", "fan-out-disk", "fan-out-bytes", "filtered"},
    "bus/": {"one-rule", "some-rules", "many-rules"},
    "stream/": {
        "put",
        "batches-of-500",
        "disk",
        "amplification",
        "tail",
        "behind",
        "open",
        "depth",
    },
}


def test_every_row_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--list"]) == 0
    listed = set(capsys.readouterr().out.split())
    for start, names in ROWS.items():
        assert {name for name in listed if name.startswith(start)} == {
            start + name for name in names
        }


def test_a_row_that_is_run_quickly_says_what_it_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = tmp_path / "figures.json"
    rows = ["--only", "stream/tail", "--only", "topic/fan-out-bytes", "--only", "stream/batches"]
    assert bench.main(["--quick", "--folder", str(tmp_path), "--json", str(record), *rows]) == 0
    figures = {figure["contest"]: figure for figure in json.loads(record.read_text())["figures"]}
    assert figures["stream/tail"]["peer"] == "memcpy"
    assert all(figure["ours"] > 0 and figure["ratio"] > 0 for figure in figures.values())
    assert figures["topic/fan-out-bytes"]["at_least"] == 5.0
    # The peer of the third row is a server that a machine may lack: it is measured or named.
    out = capsys.readouterr().out
    assert "stream/batches-of-500" in figures or "left out: Redis XADD pipelined: " in out


def test_a_row_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--only", "nothing"]) == 2
    assert "no row starts with nothing" in capsys.readouterr().err
