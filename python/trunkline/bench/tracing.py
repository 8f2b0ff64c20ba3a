"""What the trace costs: the cycle of a queue with the trace off, against itself with it on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import trunkline
from trunkline.bench.contest import OURS, Contest, Run
from trunkline.bench.memory import cycle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._types import TraceMode

PART = 0.01


@contextmanager
def traced(trace: TraceMode) -> Iterator[Run]:
    """Send, receive, delete: three calls a message, each noted where the trace is on."""
    with trunkline.open(trace=trace) as engine:
        yield partial(cycle, engine.queue("bench"))


def contests() -> list[Contest]:
    """The rows of this file."""
    return [
        Contest(
            name="trace/off",
            title="send + receive + delete, trace off",
            payload="100 B",
            durability="memory",
            candidates={
                OURS: partial(traced, "off"),
                f"itself, trace {PART}": partial(traced, PART),
                "itself, trace on": partial(traced, "on"),
            },
        ),
    ]
