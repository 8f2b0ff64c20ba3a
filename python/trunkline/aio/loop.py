"""Waiting on an event loop: one waker a loop, and what a begun verb still waits for."""

from __future__ import annotations

import asyncio
from asyncio import get_running_loop
from weakref import WeakKeyDictionary, ref

from trunkline._core import Waker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from trunkline._core import Completion, PendingWrite


class Completions:
    """What is awaited on one loop, by token. Used on that loop's thread only.

    The engine's threads write to the waker, a file descriptor, without the interpreter's lock. A
    burst costs one write and one callback of the loop, which steps every task that it is about.
    """

    __slots__ = ("__weakref__", "loop", "waker")

    def __init__(self, loop: AbstractEventLoop) -> None:
        self.waker = Waker()
        # The reader keeps the waker alive as long as the loop; nothing here keeps the loop.
        self.loop = ref(loop)
        loop.add_reader(self.waker.fileno(), self.waker.run)

    def park(self, loop: AbstractEventLoop) -> tuple[int, Completion]:
        """A token, and what its signal completes."""
        return self.waker.park(loop)

    def leave(self, token: int) -> None:
        """Forget a token; its signal is no longer awaited."""
        self.waker.leave(token)


_of_loop: WeakKeyDictionary[AbstractEventLoop, Completions] = WeakKeyDictionary()
_latest: Completions | None = None


def completions() -> tuple[AbstractEventLoop, Completions]:
    """The running loop and its completion queue, which is made at first use."""
    global _latest
    loop = get_running_loop()
    latest = _latest
    if latest is not None and latest.loop() is loop:
        return loop, latest
    found = _of_loop.get(loop)
    if found is None:
        found = _of_loop[loop] = Completions(loop)
    _latest = found
    return loop, found


async def apply_delay(seconds: float) -> None:
    """Wait for an injected delay without holding the loop up."""
    if seconds:
        await asyncio.sleep(seconds)


async def durable(pending: PendingWrite) -> None:
    """Return when the disk has it; raise when it never will."""
    if pending.has_faults:
        await apply_delay(pending.check_faults())
    loop, parked = completions()
    while (waiting := pending.park(parked.waker, loop)) is not None:
        token, completion = waiting
        try:
            await completion
        except BaseException:
            parked.leave(token)
            raise
