"""Progress of work that does not say how far it is: the time, and the bytes that it has written."""

from __future__ import annotations

import os
import sys
import threading
import time

from trunkline.cli.output import PATIENCE, PAUSE, Progress, age, size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Self


def size_of(folder: str | Path) -> int:
    """The bytes of the files in a data folder, which has none below it; 0 if there is none."""
    total = 0
    try:
        files = list(os.scandir(folder))
    except OSError:
        return 0
    for file in files:
        try:
            total += file.stat().st_size
        except OSError:
            # It was moved or removed since it was listed.
            continue
    return total


class Elapsed:
    """While its block runs, a line on a terminal tells for how long; it goes away at the end."""

    def __init__(self, label: str, written: Callable[[], int] | None = None) -> None:
        self._progress = Progress(label)
        self._written = written
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._show, name="trunkline-progress", daemon=True)

    def _show(self) -> None:
        started, pause = time.monotonic(), PATIENCE
        while not self._ended.wait(pause):
            pause = PAUSE
            done = f", {size(self._written())}" if self._written is not None else ""
            self._progress.show(f"{age(time.monotonic() - started)}{done}")

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._progress.end()
