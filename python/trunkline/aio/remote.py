"""The engine of another process for asyncio: :func:`trunkline.aio.connect`.

The calls are those of ``trunkline.remote``, on threads of a pool: a call waits for the network, and
the event loop does not. Each long poll takes a thread for as long as it waits.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial

from trunkline.remote.engine import RemoteEngine
from trunkline.remote.engine import connect as connect_sync

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from types import TracebackType
    from typing import Any, Self

    from trunkline.remote.messages import RemoteMessage as SyncMessage

THREADS = 64
"""Calls that may be on their way at once; more wait for one of them."""


class _Awaitable:
    """Every method of `sync` as a coroutine; its other attributes as they are."""

    def __init__(self, sync: Any, pool: ThreadPoolExecutor) -> None:
        self.sync = sync
        self._pool = pool

    async def _call(self, function: Callable[..., Any], *values: Any, **named: Any) -> Any:
        loop = asyncio.get_running_loop()
        call = partial(copy_context().run, function, *values, **named)
        return await loop.run_in_executor(self._pool, call)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.sync, name)
        if not callable(found):
            return found

        async def call(*values: Any, **named: Any) -> Any:
            given = [one.sync if isinstance(one, _Awaitable) else one for one in values]
            return await self._call(found, *given, **named)

        return call

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

    async def messages(self, wait: float = 20) -> AsyncIterator[RemoteMessage]:
        """Receive one message after the other, until none comes for `wait` seconds."""
        while found := await self.receive(10, wait):
            for one in found:
                yield one


class RemoteMachine(_Awaitable):
    """A state machine of a server, whose verbs are coroutines."""

    async def start(self, input: Any = None, *, name: str | None = None) -> RemoteExecution:
        """Start an execution, which is durable when this returns."""
        started = await self._call(self.sync.start, input, name=name)
        return await RemoteExecution(started, self._pool).refresh()

    async def execution(self, name: str) -> RemoteExecution:
        """The execution of this name; raises ResourceNotFound if there is none."""
        return RemoteExecution(await self._call(self.sync.execution, name), self._pool)

    async def executions(self, status: str | None = None) -> list[RemoteExecution]:
        """The executions, or those with a status, the newest first."""
        found = await self._call(self.sync.executions, status)
        return [RemoteExecution(one, self._pool) for one in found]


class RemoteExecution(_Awaitable):
    """An execution on a server, as it told last: after a start, a wait, a stop or a refresh."""

    def _last(self, name: str) -> Any:
        # A look must not wait for the network. A row of a list has no more than the status.
        return self.sync.told.get(name)

    @property
    def status(self) -> Any:
        """``RUNNING``, ``SUCCEEDED``, ``FAILED``, ``TIMED_OUT`` or ``ABORTED``."""
        return self._last("status")

    @property
    def input(self) -> Any:
        """The input."""
        return self._last("input")

    @property
    def output(self) -> Any:
        """The output of an execution that ended well; None of any other."""
        return self._last("output")

    @property
    def error(self) -> Any:
        """The name of the error of an execution that failed."""
        return self._last("error")

    @property
    def cause(self) -> Any:
        """What happened, if the execution failed."""
        return self._last("cause")

    async def refresh(self) -> RemoteExecution:
        """Ask the server again; return the execution."""
        await self._call(self.sync.refresh)
        return self

    async def wait(self, timeout: float | None = None) -> RemoteExecution:
        """Wait until the execution has ended, up to `timeout` seconds; return it."""
        await self._call(self.sync.wait, timeout)
        return await self.refresh()


class Remote(_Awaitable):
    """The engine of another process, for one event loop; :func:`connect` makes it."""

    async def queue(self, name: str, **options: Any) -> RemoteQueue:
        """Get the queue `name`, or create it."""
        return RemoteQueue(await self._call(self.sync.queue, name, **options), self._pool)

    async def topic(self, name: str, **options: Any) -> Any:
        """Get the topic `name`, or create it."""
        return _Awaitable(await self._call(self.sync.topic, name, **options), self._pool)

    async def bus(self, name: str = "default", **options: Any) -> Any:
        """Get the event bus `name`, or create it."""
        return _Awaitable(await self._call(self.sync.bus, name, **options), self._pool)

    async def stream(self, name: str, **options: Any) -> Any:
        """Get the stream `name`, or create it."""
        return _Awaitable(await self._call(self.sync.stream, name, **options), self._pool)

    async def machine(self, name: str, definition: Any = None) -> RemoteMachine:
        """Get the state machine `name`, or create it."""
        found = await self._call(self.sync.machine, name, definition)
        return RemoteMachine(found, self._pool)

    async def queues(self, prefix: str = "") -> list[RemoteQueue]:
        """The queues whose name starts with `prefix`."""
        found = await self._call(self.sync.queues, prefix)
        return [RemoteQueue(one, self._pool) for one in found]

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
        sync: RemoteEngine = await loop.run_in_executor(pool, partial(connect_sync, url, **given))
    except BaseException:
        pool.shutdown(wait=False)
        raise
    return Remote(sync, pool)
