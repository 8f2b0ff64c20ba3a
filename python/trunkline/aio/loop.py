"""Waiting on an event loop: one waker a loop, and what a begun verb still waits for.

The engine's threads write to the waker, a file descriptor, without the interpreter's lock. A burst
costs one write and one callback of the loop, which steps every task that it is about.
"""

from __future__ import annotations

import asyncio
from asyncio import get_running_loop
from weakref import WeakKeyDictionary, ref

from trunkline._core import Waker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable

    from trunkline._core import HeldCall, PendingWrite


_of_loop: WeakKeyDictionary[AbstractEventLoop, Waker] = WeakKeyDictionary()
_latest: tuple[Callable[[], AbstractEventLoop | None], Waker | None] = (lambda: None, None)


def waker() -> tuple[AbstractEventLoop, Waker]:
    """The running loop and its waker, which is made at first use."""
    global _latest
    loop = get_running_loop()
    latest, found = _latest
    if latest() is loop and found is not None:
        return loop, found
    found = _of_loop.get(loop)
    if found is None:
        # The reader keeps the waker alive as long as the loop; nothing here keeps the loop.
        found = _of_loop[loop] = Waker(loop)
        loop.add_reader(found.fileno(), found.run)
    _latest = ref(loop), found
    return loop, found


async def admitted(held: HeldCall) -> None:
    """Return when a call that faults or back-pressure hold up may start."""
    while (pending := held.waits_for()) is not None:
        await pending


async def after_pause(pending: PendingWrite) -> None:
    """Await `pending` after the pause that a fault injected; it comes here by itself."""
    await asyncio.sleep(pending.pause)
    await pending
