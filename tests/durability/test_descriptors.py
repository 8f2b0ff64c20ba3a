"""A moment without free file descriptors passes; the engine is not poisoned by it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import trunkline

TIMEOUT = 120

# Takes every descriptor that is left, sends over several segments, and gives them back.
PROGRAM = """
import os, resource, sys, threading, time, trunkline
engine = trunkline.open(sys.argv[1])
queue = engine.queue("q")
queue.send(b"before")
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
taken = []
try:
    while True:
        taken.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass

def give_back():
    time.sleep(1.0)
    for descriptor in taken:
        os.close(descriptor)

threading.Thread(target=give_back).start()
sent, refused = 1, 0
body = b"x" * 100_000
deadline = time.monotonic() + 60
while sent < 121 and time.monotonic() < deadline:
    try:
        queue.send(body)
        sent += 1
    except trunkline.TrunklineError as error:
        assert error.code == "StorageFailure", error
        assert "open files" in str(error), error
        refused += 1
        time.sleep(0.05)
engine.close()
print(sent, refused)
"""


def test_a_moment_without_descriptors_is_back_pressure(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder)],
        stdout=subprocess.PIPE,
        timeout=TIMEOUT,
        check=True,
    )
    sent, _refused = map(int, process.stdout.split())
    assert sent == 121
    with trunkline.open(folder) as engine:
        assert engine.queue("q").statistics().visible == sent
