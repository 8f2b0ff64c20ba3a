"""Waiting for records on an event loop."""

from __future__ import annotations

from trunkline.aio.loop import waker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import ReadCall, RecordBatch


async def records(call: ReadCall) -> RecordBatch:
    """What `call` finds within its time; an empty batch if nothing comes."""
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
