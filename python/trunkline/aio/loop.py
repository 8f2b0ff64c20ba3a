"""The completion queue of an event loop: parked futures, and the waker that completes them."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from trunkline._core import Waker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future

    from trunkline._core import PendingWrite


class Completions:
    """The futures that are parked on one loop, by token. Used on that loop's thread only.

    The engine's threads write to the waker, a file descriptor, without the interpreter's lock; a
    burst of wakes costs one write and one callback.
    """

    __slots__ = ("_next", "_parked", "waker")

    def __init__(self, loop: AbstractEventLoop) -> None:
        self.waker = Waker()
        self._parked: dict[int, Future[None]] = {}
        self._next = 0
        # The reader keeps this object alive as long as the loop; nothing here refers to the loop.
        loop.add_reader(self.waker.fileno(), self._answer)

    def park(self, loop: AbstractEventLoop) -> tuple[int, Future[None]]:
        """A token and the future that its ring completes."""
        token = self._next
        self._next = token + 1
        future: Future[None] = loop.create_future()
        self._parked[token] = future
        return token, future

    def leave(self, token: int) -> None:
        """Forget a token; its ring is no longer awaited."""
        self._parked.pop(token, None)

    def _answer(self) -> None:
        parked = self._parked
        for token in self.waker.drain():
            future = parked.pop(token, None)
            if future is not None:
                complete(future)


_of_loop: WeakKeyDictionary[AbstractEventLoop, Completions] = WeakKeyDictionary()


def completions() -> tuple[AbstractEventLoop, Completions]:
    """The running loop and its completion queue, which is made at first use."""
    loop = asyncio.get_running_loop()
    found = _of_loop.get(loop)
    if found is None:
        found = _of_loop[loop] = Completions(loop)
    return loop, found


def complete(future: Future[None]) -> None:
    """Complete a future, unless its task was cancelled in the meantime and has ended it."""
    if not future.done():
        future.set_result(None)


async def apply_delay(seconds: float) -> None:
    """Wait for an injected delay, without the loop's standing still."""
    if seconds:
        await asyncio.sleep(seconds)


async def durable(pending: PendingWrite) -> None:
    """Return when the disk has it; raise when it never will."""
    if pending.has_faults:
        await apply_delay(pending.check_faults())
    if pending.done():
        return
    loop, parked = completions()
    while not pending.done():
        token, future = parked.park(loop)
        pending.notify(parked.waker, token)
        try:
            await future
        finally:
            parked.leave(token)
