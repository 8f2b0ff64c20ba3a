"""Awaiting the answer to a request: the event loop goes on while it waits."""

from __future__ import annotations

import asyncio

from trunkline.aio.loop import waker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import Completion, WireDispatcher

    Request = tuple[str, str, list[tuple[str, str]], bytes, str]
    Response = tuple[int, list[tuple[str, str]], bytes]


async def answer(dispatcher: WireDispatcher, request: Request) -> Response:
    """The answer of an engine; a long poll that is cancelled swallows no message."""
    loop, parked = waker()
    pending = dispatcher.start(request)
    while True:
        token, future = parked.park(loop)
        try:
            what, answer, seconds = pending.poll(parked, token)
            if answer is not None:
                return answer
            if what == "wait":
                await _until(future, seconds)
        except BaseException:
            # Also when cancelled: a wake that was not used goes to the next who waits.
            pending.cancel()
            raise
        finally:
            parked.leave(token)
        if what == "blocks":
            return await loop.run_in_executor(None, pending.run)
        if what == "again":
            pending = dispatcher.start(request, pending)


async def _until(future: Completion, seconds: float | None) -> None:
    if seconds is None:
        await future
        return
    # Cheaper than `asyncio.wait_for`, and it does not raise.
    timer = asyncio.get_running_loop().call_later(seconds, _wake, future)
    try:
        await future
    finally:
        timer.cancel()


def _wake(future: Completion) -> None:
    if not future.done():
        future.set_result(None)
