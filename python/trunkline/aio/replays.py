"""What replays of event buses and of topics share, for asyncio."""

from __future__ import annotations

import asyncio

from trunkline._core import milliseconds
from trunkline._replays import LOOK_SECONDS, RUNNING
from trunkline.limits import WAIT_MAX_MS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from trunkline._replays import ReplayState
    from trunkline._types import Seconds


async def wait(status: Callable[[], str], timeout: Seconds | None) -> str:
    """The status of a replay once it has ended; raises TimeoutError after `timeout` seconds."""
    span = None if timeout is None else milliseconds(timeout, "timeout", 0, WAIT_MAX_MS) / 1_000
    async with asyncio.timeout(span):
        while (now := status()) == RUNNING:
            await asyncio.sleep(LOOK_SECONDS)
    return now


class ReplayTwin:
    """What a replay tells of itself: `sync` is the same replay for threads."""

    __slots__ = ()

    sync: ReplayState

    @property
    def status(self) -> str:
        """``RUNNING``, ``COMPLETED``, ``FAILED`` or, of an event bus, ``CANCELLED``."""
        return self.sync.status

    @property
    def replayed(self) -> int:
        """How many events or messages were replayed so far."""
        return self.sync.replayed

    @property
    def failure(self) -> str | None:
        """Why the replay failed; None if it did not."""
        return self.sync.failure

    async def wait(self, timeout: Seconds | None = None) -> str:
        """Return the status when it has ended; raise TimeoutError after `timeout` seconds."""
        return await wait(lambda: self.status, timeout)

    def __repr__(self) -> str:
        return f"<aio {self.sync!r}>"
