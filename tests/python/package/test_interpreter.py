"""Which interpreters the package runs in."""

from __future__ import annotations

import subprocess
import sys


def test_an_interpreter_without_its_lock_is_refused_by_name() -> None:
    # A free-threaded Python answers so when it was told to stay without the lock.
    program = "import sys; sys._is_gil_enabled = lambda: False; import trunkline; trunkline.open()"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.returncode != 0
    assert "ImportError: trunkline needs the GIL" in ended.stderr
