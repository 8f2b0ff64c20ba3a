"""Waiting for receives that wait, instead of sleeping until they probably do."""

from __future__ import annotations

import asyncio
import time

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
