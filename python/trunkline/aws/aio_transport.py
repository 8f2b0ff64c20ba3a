"""What `transport` is, for aiobotocore: the event loop goes on while a request waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiobotocore.awsrequest import AioAWSResponse

from trunkline.aws.aio_answer import answer
from trunkline.aws.transport import Headers, as_plain

if TYPE_CHECKING:
    from typing import Any, Self

    from trunkline._core import WireDispatcher


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
        status, headers, content = await answer(self._dispatcher, as_plain(request))
        return AioAWSResponse(request.url, status, Headers(headers), _Raw(headers, content))


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
