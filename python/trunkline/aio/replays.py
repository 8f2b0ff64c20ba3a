"""The wait for the end of a replay, for asyncio."""

from __future__ import annotations

import asyncio

from trunkline._core import milliseconds
from trunkline._replays import LOOK_SECONDS, RUNNING
from trunkline.limits import WAIT_MAX_MS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from trunkline._types import Seconds


async def wait(status: Callable[[], str], timeout: Seconds | None) -> str:
    """The status of a replay once it has ended; raises TimeoutError after `timeout` seconds."""
    span = None if timeout is None else milliseconds(timeout, "timeout", 0, WAIT_MAX_MS) / 1_000
    async with asyncio.timeout(span):
        while (now := status()) == RUNNING:
            await asyncio.sleep(LOOK_SECONDS)
    return now
