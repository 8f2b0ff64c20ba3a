"""What the trace costs: the cycle of a queue with the trace off, against itself with it on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from time import perf_counter

import trunkline
from trunkline.bench.contest import OURS, Contest, Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._types import TraceMode

BODY = b"x" * 100
MESSAGES = 50_000
PART = 0.01


@contextmanager
def cycle(trace: TraceMode) -> Iterator[Run]:
    """Send, receive, delete: three calls a message, each noted where the trace is on."""
    with trunkline.open(trace=trace) as engine:
        queue = engine.queue("bench")

        def run() -> float:
            started = perf_counter()
            for _ in range(MESSAGES):
                queue.send(BODY)
                for message in queue.receive():
                    message.delete()
            return (perf_counter() - started) / MESSAGES

        yield run


def contests() -> list[Contest]:
    """The rows of this file."""
    return [
        Contest(
            name="trace/off",
            title="send + receive + delete, trace off",
            payload="100 B",
            durability="memory",
            candidates={
                OURS: partial(cycle, "off"),
                f"itself, trace {PART}": partial(cycle, PART),
                "itself, trace on": partial(cycle, "on"),
            },
        ),
    ]
