"""Move tasks for event loops: waiting and cancelling are coroutines."""

from __future__ import annotations

import asyncio

from trunkline.aio import replays

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._types import Seconds
    from trunkline.queues.redrive import RedriveTask as SyncRedriveTask


class RedriveTask:
    """A move of messages that :meth:`trunkline.aio.Queue.start_redrive` has started.

    >>> import asyncio, trunkline
    >>> async def main():
    ...     async with trunkline.aio.open() as engine:
    ...         dead = engine.queue("dead")
    ...         orders = engine.queue("orders", dead_letter="dead", max_receive_count=1)
    ...         return await (await dead.start_redrive()).wait(timeout=10)
    >>> asyncio.run(main())
    'COMPLETED'
    """

    __slots__ = {"sync": "The same task for threads."}

    def __init__(self, task: SyncRedriveTask) -> None:
        self.sync: SyncRedriveTask = task

    @property
    def status(self) -> str:
        """``RUNNING``, ``COMPLETED``, ``CANCELLED`` or ``FAILED``."""
        return self.sync.status

    @property
    def moved(self) -> int:
        """How many messages were moved so far."""
        return self.sync.moved

    @property
    def total(self) -> int:
        """How many messages there were at the start."""
        return self.sync.total

    @property
    def failure(self) -> str | None:
        """Why the task failed; None if it did not."""
        return self.sync.failure

    def as_dict(self) -> dict[str, Any]:
        """How the task stands as plain data, for JSON."""
        return self.sync.as_dict()

    async def cancel(self) -> int:
        """Stop moving; return how many messages were moved. They stay where they are."""
        return await asyncio.to_thread(self.sync.cancel)

    async def wait(self, timeout: Seconds | None = None) -> str:
        """Return the status when the task has ended; raise TimeoutError after `timeout` seconds."""
        return await replays.wait(lambda: self.status, timeout)

    def __repr__(self) -> str:
        return f"<aio {self.sync!r}>"
