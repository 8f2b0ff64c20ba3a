"""What `transport` is, for aiobotocore: the event loop goes on while a request waits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiobotocore.awsrequest import AioAWSResponse

from trunkline.aio.loop import waker
from trunkline.aws.transport import Headers, as_plain

if TYPE_CHECKING:
    from typing import Any, Self

    from trunkline._core import Completion, WireDispatcher

    Request = tuple[str, str, list[tuple[str, str]], bytes, str]
    Response = tuple[int, list[tuple[str, str]], bytes]


class AioLocalSession:
    """What an aiobotocore endpoint sends with."""

    def __init__(self, dispatcher: WireDispatcher) -> None:
        self._dispatcher = dispatcher

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is held open."""

    async def close(self) -> None:
        """Nothing is held open."""

    async def send(self, request: Any) -> AioAWSResponse:
        """Answers a prepared request. Thousands may wait at once; none takes a thread.

        A long poll that is cancelled swallows no message.
        """
        status, headers, content = await _answer(self._dispatcher, as_plain(request))
        return AioAWSResponse(request.url, status, Headers(headers), _Raw(headers, content))


async def _answer(dispatcher: WireDispatcher, request: Request) -> Response:
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


class _Raw:
    """A body that is there already, read as aiobotocore reads one from a socket."""

    def __init__(self, headers: list[tuple[str, str]], content: bytes) -> None:
        # Older versions read the headers from here.
        self.raw_headers = [(name.encode(), value.encode()) for name, value in headers]
        self._content = content

    async def read(self, amount: int | None = None) -> bytes:
        """The rest of the body, or `amount` bytes of it."""
        amount = len(self._content) if amount is None else amount
        head, self._content = self._content[:amount], self._content[amount:]
        return head
