"""Waiting for records on an event loop."""

from __future__ import annotations

from trunkline._core import NotAdmitted
from trunkline.aio.loop import admitted, waker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from trunkline._core import ReadCall, RecordBatch


async def records(begin: Callable[..., ReadCall], *arguments: object) -> RecordBatch:
    """What a read finds within its time; an empty batch if nothing comes."""
    try:
        call = begin(*arguments)
    except NotAdmitted as refusal:
        (held,) = refusal.args
        await admitted(held)
        call = begin(*arguments, admitted=held)
    loop, parked = waker()
    while True:
        found, waiting = call.poll(parked, loop)
        if waiting is None:
            return found
        token, completion, left = waiting
        timer = loop.call_later(left, completion.set_result, None)
        try:
            await completion
        except BaseException:
            call.cancel()
            raise
        finally:
            timer.cancel()
            parked.leave(token)
        # No await from here to the return: what was fetched is handed out.
