"""Waiting for receives that wait, instead of sleeping until they probably do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import trunkline

PATIENCE_SECONDS = 60.0


def until_waiting(queue: trunkline.Queue, count: int = 1) -> None:
    """Return once `count` receives wait on the queue."""
    end = time.monotonic() + PATIENCE_SECONDS
    while queue._core.waiting != count:
        assert time.monotonic() < end, f"{queue._core.waiting} receives wait, not {count}"
        time.sleep(0.001)


async def tasks_waiting(queue: trunkline.Queue, count: int = 1) -> None:
    """Return once `count` receives wait on the queue; tasks run meanwhile."""
    await tasks_until(lambda: queue._core.waiting == count)


async def tasks_until(condition: Callable[[], object]) -> None:
    """Return once the condition holds; tasks run meanwhile."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, "the condition does not hold"
        await asyncio.sleep(0.001)


async def turns_during(call: Coroutine[Any, Any, object]) -> int:
    """How often the event loop turns until the call has ended."""
    task, turns = asyncio.ensure_future(call), 0
    while not task.done():
        await asyncio.sleep(0.001)
        turns += 1
    await task
    return turns


def until(condition: Callable[[], object]) -> None:
    """Return once the condition holds."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, "the condition does not hold"
        time.sleep(0.005)
