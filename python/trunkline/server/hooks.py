"""Programs that set things up once the server answers: the files of a folder, in order of name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from trunkline.server.log import Log
    from trunkline.server.stopping import Stopping

_DEFAULTS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
}

_PROGRAMS = {".py": sys.executable, ".sh": "/bin/sh"}

LOOK_SECONDS = 0.05
"""How soon a stop is noticed while a file runs."""

GRACE_SECONDS = 2.0
"""What a file that still runs at a stop gets to end by itself."""


def run_hooks(folder: Path, url: str, log: Log, stopping: Stopping) -> None:
    """Runs each ``.py`` and ``.sh`` file of `folder` with ``AWS_ENDPOINT_URL`` set to `url`.

    A file that fails is reported; the ones after it still run. When `stopping` is set, the one that
    runs is ended, and the rest are left out.
    """
    environment = _DEFAULTS | dict(os.environ) | {"AWS_ENDPOINT_URL": url}
    for path in sorted(folder.iterdir()):
        program = _PROGRAMS.get(path.suffix)
        if program is None or stopping.is_set():
            continue
        status = _run([program, str(path)], environment, stopping)
        log.say(f"ran {path.name}: status {status}", hook=path.name, status=status)


def _run(command: list[str], environment: dict[str, str], stopping: Stopping) -> int:
    # In a session of its own, so that what a script has started ends with it.
    with subprocess.Popen(command, env=environment, start_new_session=True) as process:
        while process.poll() is None:
            if stopping.wait(LOOK_SECONDS):
                _end(process)
        return process.returncode


def _end(process: subprocess.Popen[bytes]) -> None:
    for how, patience in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, None)):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            return
