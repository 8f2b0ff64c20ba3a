"""What `import trunkline` adds to the start of an interpreter."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from time import perf_counter

from trunkline.bench.contest import OURS, Contest, Run

STARTS = 5


@contextmanager
def start(program: str) -> Iterator[Run]:
    """Start an interpreter that runs `program` and ends."""

    def run() -> float:
        started = perf_counter()
        for _ in range(STARTS):
            subprocess.run([sys.executable, "-c", program], check=True)
        return (perf_counter() - started) / STARTS

    yield run


def contests() -> list[Contest]:
    """The row of this file."""
    return [
        Contest(
            name="import/bare-interpreter",
            title="start an interpreter and import",
            payload="-",
            durability="-",
            candidates={
                OURS: partial(start, "import trunkline"),
                "bare interpreter": partial(start, "pass"),
            },
        )
    ]
