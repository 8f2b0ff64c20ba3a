"""The engine of another process for asyncio: :func:`trunkline.aio.connect`.

The calls are those of ``trunkline.remote``, on threads of a pool: a call waits for the network, and
the event loop does not. Each long poll takes a thread for as long as it waits.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial

from trunkline import remote as sync
from trunkline.remote.engine import connect as connect_sync
from trunkline.remote.noun import Fact
from trunkline.remote.noun import Remote as Noun

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from types import TracebackType
    from typing import Any, Self

    from trunkline.remote import RemoteBatch
    from trunkline.remote import RemoteMessage as SyncMessage

THREADS = 64
"""Calls that may be on their way at once; more wait for one of them."""


class _Awaitable:
    """Every method of `sync` as a coroutine; its properties as the server told them last."""

    def __init__(self, sync: Any, pool: ThreadPoolExecutor) -> None:
        self.sync = sync
        self._pool = pool

    async def _call(self, function: Callable[..., Any], *values: Any, **named: Any) -> Any:
        loop = asyncio.get_running_loop()
        call = partial(copy_context().run, function, *values, **named)
        return await loop.run_in_executor(self._pool, call)

    def __getattr__(self, name: str) -> Any:
        fact = getattr(type(self.sync), name, None)
        if isinstance(fact, Fact):
            # A look must not wait for the network.
            return self._awaitable(fact.last(self.sync))
        found = getattr(self.sync, name)
        if not callable(found):
            return self._awaitable(found)

        async def call(*values: Any, **named: Any) -> Any:
            return self._awaitable(await self._call(found, *values, **named))

        return call

    def _awaitable(self, value: Any) -> Any:
        """What a call answered, with the resources in it as their twins."""
        if isinstance(value, Noun):
            return _TWINS.get(type(value), _Awaitable)(value, self._pool)
        if type(value) is list:
            return [self._awaitable(one) for one in value]
        return value

    async def refresh(self) -> Self:
        """Ask the server for all properties again; return this."""
        await self._call(self.sync.refresh)
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Awaitable) and bool(self.sync == other.sync)

    def __hash__(self) -> int:
        return hash(self.sync)

    def __repr__(self) -> str:
        return f"<aio {self.sync!r}>"


class RemoteMessage(_Awaitable):
    """A message from a server: ``async with`` deletes it, or gives it back if the block fails."""

    def text(self) -> str:
        """The body as text."""
        return str(self.sync.text())

    def json(self) -> Any:
        """The body, read as JSON."""
        return self.sync.json()

    def as_dict(self) -> dict[str, Any]:
        """The values by name, to be logged or written as JSON."""
        return dict(self.sync.as_dict())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._call(self.sync.delete if kind is None else self.sync.release)


class RemoteQueue(_Awaitable):
    """A queue of a server, whose verbs are coroutines."""

    def _message(self, one: SyncMessage) -> RemoteMessage:
        return RemoteMessage(one, self._pool)

    async def receive(self, *values: Any, **named: Any) -> list[RemoteMessage]:
        """Lease messages, as :meth:`trunkline.remote.RemoteQueue.receive` does."""
        found = await self._call(self.sync.receive, *values, **named)
        return [self._message(one) for one in found]

    async def messages(self, wait: float = 0, *, max: int = 10) -> AsyncIterator[RemoteMessage]:
        """Receive one message after the other, until none comes for `wait` seconds."""
        while found := await self.receive(max, wait):
            for one in found:
                yield one


class RemoteExecution(_Awaitable):
    """An execution on a server, as it told last: after a start, a wait, a stop or a refresh."""

    async def wait(self, timeout: float | None = None) -> RemoteExecution:
        """Wait until the execution has ended, up to `timeout` seconds; return it."""
        await self._call(self.sync.wait, timeout)
        return await self.refresh()

    async def stop(self, error: str | None = None, cause: str | None = None) -> None:
        """End the execution now; one that has ended stays as it is."""
        await self._call(self.sync.stop, error, cause)
        await self.refresh()


class RemoteReader(_Awaitable):
    """A member of a reader of a server: it leaves at the end of ``async with``."""

    async def batches(self, max: int = 500, wait: float = 1) -> AsyncIterator[RemoteBatch]:
        """Batches of up to `max` records, until none comes for `wait` seconds."""
        while batch := await self._call(self.sync.fetch, max, wait):
            yield batch

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._call(self.sync.close)


class RemoteBucket(_Awaitable):
    """A bucket of a server, whose verbs are coroutines."""

    async def get(self, key: str, **options: Any) -> ObjectReader:
        """Open an object to be read, as :meth:`trunkline.remote.RemoteBucket.get` does."""
        return ObjectReader(await self._call(self.sync.get, key, **options), self._pool)

    async def list(self, prefix: str = "", delimiter: str | None = None) -> AsyncIterator[Any]:
        """The objects whose key starts with `prefix`, and common prefixes, a page at a time."""
        entries = self.sync.list(prefix, delimiter)
        while (one := await self._call(next, entries, None)) is not None:
            yield one


class ObjectReader(_Awaitable):
    """An object that is being read; ``async with`` closes it."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = iter(self.sync)
        while piece := await self._call(next, pieces, b""):
            yield piece

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.sync.close()


_TWINS: dict[type, type[_Awaitable]] = {
    sync.RemoteQueue: RemoteQueue,
    sync.RemoteExecution: RemoteExecution,
    sync.RemoteReader: RemoteReader,
    sync.RemoteBucket: RemoteBucket,
}


class Remote(_Awaitable):
    """The engine of another process, for one event loop; :func:`connect` makes it."""

    async def close(self) -> None:
        """Close the connections and end the threads, once what is on its way has ended."""
        await asyncio.to_thread(self._pool.shutdown)
        self.sync.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def connect(
    url: str,
    *,
    token: str | None = None,
    account: str = "000000000000",
    region: str = "us-east-1",
) -> Remote:
    """The engine of another process, as :func:`trunkline.connect` gives it, for asyncio.

    >>> import asyncio, trunkline, trunkline.aio, trunkline.server
    >>> async def main():
    ...     engine = trunkline.open()
    ...     with trunkline.server.Server(engine, port=0) as server:
    ...         async with await trunkline.aio.connect(server.url) as remote:
    ...             queue = await remote.queue("orders")
    ...             await queue.send("one coffee")
    ...             async for message in queue.messages(wait=0):
    ...                 async with message:
    ...                     return message.text()
    >>> asyncio.run(main())
    'one coffee'
    """
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="trunkline-remote")
    given: dict[str, Any] = {"token": token, "account": account, "region": region}
    loop = asyncio.get_running_loop()
    try:
        found = await loop.run_in_executor(pool, partial(connect_sync, url, **given))
    except BaseException:
        pool.shutdown(wait=False)
        raise
    return Remote(found, pool)
