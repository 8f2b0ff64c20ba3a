"""kill -9 in the middle of a watched folder: each file is delivered once."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

import trunkline

FILES = 300
PROGRAM = """
import sys, trunkline
engine = trunkline.open(sys.argv[1])
target = {"queue": engine.queue, "bus": lambda _: engine.bus()}[sys.argv[3]]("files")
watch = engine.watch_folder(sys.argv[2], target, name="inbox", interval=0.001, settle=0)
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("kind", ["queue", "bus"])
def test_each_file_is_delivered_once_over_kills(tmp_path: Path, kind: str) -> None:
    folder, data = tmp_path / "inbox", tmp_path / "data"
    folder.mkdir()
    with trunkline.open(data) as engine:
        engine.bus().rule("files", {"source": ["trunkline.folder"]}, engine.queue("files"))
    for number in range(FILES):
        (folder / f"file-{number}").write_text(str(number))
    for round in range(6):
        command = [sys.executable, "-c", PROGRAM, str(data), str(folder), kind]
        program = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        with program:
            assert program.stdout is not None
            assert program.stdout.readline() == "ready\n"
            time.sleep(0.02 * round)
            program.kill()
    with trunkline.open(data) as engine:
        queue = engine.queue("files")
        target = queue if kind == "queue" else engine.bus()
        watch = engine.watch_folder(folder, target, name="inbox", interval=86_400, settle=0)
        watch.poll()
        seen: Counter[str] = Counter()
        while found := queue.receive(max=100):
            told = [message.json() for message in found]
            seen.update((one.get("detail") or one)["path"] for one in told)
            queue.delete_batch(found)
    assert seen == Counter(f"file-{number}" for number in range(FILES))
