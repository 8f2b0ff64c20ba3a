"""Waiting on an event loop: one waker a loop, and what a begun verb still waits for.

The engine's threads write to the waker, a file descriptor, without the interpreter's lock. A burst
costs one write and one callback of the loop, which steps every task that it is about.
"""

from __future__ import annotations

import asyncio
from asyncio import get_running_loop
from weakref import WeakKeyDictionary, ref

from trunkline._core import NotAdmitted, Waker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable
    from typing import Any, TypeVar

    from trunkline._core import HeldCall, PendingWrite

    Result = TypeVar("Result")


class _NoLoop:
    """Stands for the loop of a future that nothing will ever await."""

    def get_debug(self) -> bool:
        return False


ENDED: asyncio.Future[None] = asyncio.Future(loop=_NoLoop())  # type: ignore[arg-type]
"""A future of asyncio's own that has ended: with it the core wakes tasks whose wait ended well."""
ENDED.set_result(None)

# Nothing here keeps a waker: one that keeps writes which are awaited for ever, because their loop
# was closed, keeps that loop by their tasks.
_of_loop: WeakKeyDictionary[AbstractEventLoop, Callable[[], Waker | None]] = WeakKeyDictionary()
_latest: tuple[Callable[[], AbstractEventLoop | None], Callable[[], Waker | None]]
_latest = lambda: None, lambda: None


def waker() -> tuple[AbstractEventLoop, Waker]:
    """The running loop and its waker, which is made at first use."""
    global _latest
    loop = get_running_loop()
    latest, find = _latest
    if latest() is loop and (found := find()) is not None:
        return loop, found
    find = _of_loop.get(loop, lambda: None)
    found = find()
    if found is None:
        found = Waker(loop)
        find = _of_loop[loop] = ref(found)
        # The reader keeps the waker until the loop is closed.
        loop.add_reader(found.fileno(), found.run)
    _latest = ref(loop), find
    return loop, found


async def admitted(held: HeldCall) -> None:
    """Return when a call that faults or back-pressure hold up may start."""
    while (pending := held.waits_for()) is not None:
        await pending


async def begun(begin: Callable[..., tuple[Result, Any]], *arguments: Any) -> Result:
    """Begin a verb and await that it is durable.

    It is begun in one go, without suspending: a cancelled coroutine has done all of it or nothing.
    """
    try:
        result, pending = begin(*arguments)
    except NotAdmitted as refusal:
        return await resumed(refusal, begin, *arguments)
    if pending is not None:
        await pending
    return result


async def resumed(
    refusal: NotAdmitted, begin: Callable[..., tuple[Result, Any]], *arguments: Any
) -> Result:
    """Begin a verb that was refused once it is admitted, and await that it is durable."""
    (held,) = refusal.args
    await admitted(held)
    result, pending = begin(*arguments, admitted=held)
    if pending is not None:
        await pending
    return result


async def settled(pending: PendingWrite, value: Result) -> Result:
    """Await `pending`, and return `value`."""
    await pending
    return value


async def after_pause(pending: PendingWrite) -> None:
    """Await `pending` after the pause that a fault injected; it comes here by itself."""
    await asyncio.sleep(pending.pause)
    await pending
