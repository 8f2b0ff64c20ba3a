"""Waiting for receives that wait, instead of sleeping until they probably do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import trunkline

PATIENCE_SECONDS = 30.0


def until_waiting(queue: trunkline.Queue, count: int = 1) -> None:
    """Return once `count` receives wait on the queue."""
    end = time.monotonic() + PATIENCE_SECONDS
    while queue._core.waiting != count:
        assert time.monotonic() < end, f"{queue._core.waiting} receives wait, not {count}"
        time.sleep(0.001)


async def tasks_waiting(queue: trunkline.Queue, count: int = 1) -> None:
    """Return once `count` receives wait on the queue; tasks run meanwhile."""
    end = time.monotonic() + PATIENCE_SECONDS
    while queue._core.waiting != count:
        assert time.monotonic() < end, f"{queue._core.waiting} receives wait, not {count}"
        await asyncio.sleep(0.001)


def until(condition: Callable[[], object]) -> None:
    """Return once the condition holds."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, "the condition does not hold"
        time.sleep(0.005)
