"""One completion queue a loop: parked futures, and the bell that wakes them in bursts."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from trunkline._core import Bell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future

    from trunkline._core import Pending


class Completions:
    """The futures that are parked on one loop, by token. Used on that loop's thread only.

    The engine's threads ring the bell, which is a file descriptor: they need no interpreter, and a
    burst of wakes costs the loop one look.
    """

    __slots__ = ("_next", "_parked", "bell")

    def __init__(self, loop: AbstractEventLoop) -> None:
        self.bell = Bell()
        self._parked: dict[int, Future[None]] = {}
        self._next = 0
        # The reader keeps this object alive as long as the loop; nothing here refers to the loop.
        loop.add_reader(self.bell.fileno(), self._answer)

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
        for token in self.bell.drain():
            future = parked.pop(token, None)
            # A task that was cancelled in the meantime has ended its future itself.
            if future is not None and not future.done():
                future.set_result(None)


_of_loop: WeakKeyDictionary[AbstractEventLoop, Completions] = WeakKeyDictionary()


def completions() -> tuple[AbstractEventLoop, Completions]:
    """The running loop and its completion queue, which is made at first use."""
    loop = asyncio.get_running_loop()
    found = _of_loop.get(loop)
    if found is None:
        found = _of_loop[loop] = Completions(loop)
    return loop, found


async def strike(seconds: float) -> None:
    """Wait for an injected delay, without the loop's standing still."""
    if seconds:
        await asyncio.sleep(seconds)


async def durable(pending: Pending) -> None:
    """Return when the disk has it; raise when it never will."""
    if pending.faulty:
        await strike(pending.ask())
    if pending.done():
        return
    loop, parked = completions()
    while not pending.done():
        token, future = parked.park(loop)
        pending.ring(parked.bell, token)
        try:
            await future
        finally:
            parked.leave(token)
