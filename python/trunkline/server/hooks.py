"""Programs that set things up once the server answers: the files of a folder, in order of name."""

from __future__ import annotations

import os
import subprocess
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from trunkline.server.log import Log

_DEFAULTS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
}


def run_hooks(folder: Path, url: str, log: Log) -> None:
    """Runs each ``.py`` and ``.sh`` file of `folder` with ``AWS_ENDPOINT_URL`` set to `url`.

    A file that fails is reported; the ones after it still run.
    """
    environment = _DEFAULTS | dict(os.environ) | {"AWS_ENDPOINT_URL": url}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        program = {".py": sys.executable, ".sh": "/bin/sh"}.get(path.suffix)
        if program is None:
            continue
        done = subprocess.run([program, str(path)], env=environment, check=False)
        log.say(
            f"ran {path.name}: status {done.returncode}", hook=path.name, status=done.returncode
        )
