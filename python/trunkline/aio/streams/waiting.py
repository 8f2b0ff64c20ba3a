"""Waiting for records on an event loop."""

from __future__ import annotations

from trunkline.aio.loop import completions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import PendingPut, ReadCall, RecordBatch


async def durable(pending: PendingPut) -> None:
    """Return when the disk has it; raise when it never will."""
    loop, parked = completions()
    while (waiting := pending.park(parked.waker, loop)) is not None:
        token, completion = waiting
        try:
            await completion
        except BaseException:
            parked.leave(token)
            raise


async def records(call: ReadCall, span: int) -> RecordBatch:
    """What `call` finds within `span` milliseconds; an empty batch if nothing comes."""
    found = call.attempt()
    if found is None and span:
        found = await _wait(call, span)
    return call.nothing() if found is None else found


async def _wait(call: ReadCall, span: int) -> RecordBatch | None:
    loop, parked = completions()
    end = loop.time() + span / 1_000
    virtual_end = call.deadline(span)
    while True:
        token, completion = parked.park(loop)
        subscription = call.wait_with(parked.waker, token, virtual_end)
        expired = True
        timer = None
        try:
            # Something may have come between the attempt before and the subscription.
            found = call.attempt()
            if found is not None:
                return found
            timer = loop.call_at(end, completion.set_result, None)
            await completion
        finally:
            if timer is not None:
                timer.cancel()
            parked.leave(token)
            expired = subscription.end()
        # No await from here to the return: what was fetched is handed out.
        found = call.attempt()
        if found is not None or expired or loop.time() >= end:
            return found
