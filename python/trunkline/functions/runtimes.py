"""How functions of this program run: plain ones in threads, coroutine functions on a loop."""

from __future__ import annotations

import asyncio
import inspect
from concurrent.futures import Future
from contextvars import copy_context
from threading import Lock, Thread

from trunkline.functions.context import FunctionContext
from trunkline.functions.invocation import (
    Invocation,
    Outcome,
    event_of,
    failure,
    of_exception,
    of_result,
)
from trunkline.functions.logs import capture
from trunkline.functions.names import LATEST
from trunkline.functions.threads import Threads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Awaitable, Callable
    from typing import Any, Protocol

    Handler = Callable[[Any, Any], object]

    class Runtime(Protocol):
        """What runs the invocations of one function."""

        grace: float
        """Seconds that an invocation may take beyond its time-out, to begin and to be ended."""

        is_kept: bool
        """Whether the code is kept by the engine, and goes with what the engine forgets."""

        def version_of(self, qualifier: str | None) -> str | None:
            """The version that a call by a version or an alias runs; None if there is none."""

        def start(self, invocation: Invocation) -> Future[Outcome]:
            """Begins one; the future has its outcome, and never an exception of the function."""

        def abandon(self, invocation: Invocation, future: Future[Outcome]) -> None:
            """Ends one that took too long, as far as that can be done."""

        def close(self) -> None:
            """Begins nothing any more; what runs goes on."""

        def kill(self) -> None:
            """Ends what runs, as far as that can be done: the engine is closed."""


class ThreadRuntime:
    """Runs a plain function in threads. One that takes too long goes on, and its result is dropped:
    a thread cannot be ended."""

    grace: float = 0.0
    is_kept = False

    def __init__(self, handler: Handler, threads: Threads) -> None:
        self.handler = handler
        self._threads = threads

    def version_of(self, qualifier: str | None) -> str | None:
        """The code of a program has one version, whatever it is called by."""
        return LATEST

    def start(self, invocation: Invocation) -> Future[Outcome]:
        """Begins an invocation."""
        future: Future[Outcome] = Future()
        context = copy_context()

        def task() -> None:
            try:
                outcome = context.run(self._call, invocation)
            except BaseException as error:
                # Even what the failure is told with may fail: it is code of the function, too.
                outcome = failure(type(error).__name__, "The failure cannot be shown.")
            future.set_result(outcome)

        self._threads.run(task)
        return future

    def _call(self, invocation: Invocation) -> Outcome:
        capture(invocation.lines)
        try:
            event = event_of(invocation.payload)
            result = self.handler(event, FunctionContext(invocation))
            return of_result(invocation, result)
        except BaseException as error:
            # SystemExit too: a function that exits has failed, and the program goes on.
            return of_exception(invocation, error, 1)

    def abandon(self, invocation: Invocation, future: Future[Outcome]) -> None:
        """Nothing can be done."""

    def close(self) -> None:
        """The threads end by themselves."""

    def kill(self) -> None:
        """A thread cannot be ended."""


class LoopRuntime:
    """Runs a coroutine function on an event loop; one that takes too long is cancelled."""

    grace: float = 0.0
    is_kept = False

    def __init__(
        self, handler: Callable[[Any, Any], Awaitable[object]], loop: AbstractEventLoop
    ) -> None:
        self.handler = handler
        self._loop = loop

    def version_of(self, qualifier: str | None) -> str | None:
        """The code of a program has one version, whatever it is called by."""
        return LATEST

    def start(self, invocation: Invocation) -> Future[Outcome]:
        """Begins an invocation."""
        return asyncio.run_coroutine_threadsafe(self._call(invocation), self._loop)

    async def _call(self, invocation: Invocation) -> Outcome:
        capture(invocation.lines)
        try:
            event = event_of(invocation.payload)
            return of_result(invocation, await self.handler(event, FunctionContext(invocation)))
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            return of_exception(invocation, error, 1)

    def abandon(self, invocation: Invocation, future: Future[Outcome]) -> None:
        """Cancels the coroutine."""
        future.cancel()

    def close(self) -> None:
        """The loop belongs to the program, or to all coroutine functions of the engine."""

    def kill(self) -> None:
        """The loop cancels its tasks when it is closed."""


class OwnLoop:
    """An event loop in a thread of its own, for coroutine functions of an engine for threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._loop: AbstractEventLoop | None = None

    def get(self) -> AbstractEventLoop:
        """The loop; its thread starts at the first need."""
        with self._lock:
            if self._loop is None:
                self._loop = loop = asyncio.new_event_loop()
                Thread(target=_run, args=(loop,), name="trunkline-functions", daemon=True).start()
            return self._loop

    def close(self) -> None:
        """Ends the thread."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None:
            loop.call_soon_threadsafe(loop.stop)


def _run(loop: AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()


def is_coroutine_function(handler: object) -> bool:
    """Whether calling `handler` gives something to await."""
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(
        getattr(handler, "__call__", None)  # noqa: B004 - an object may be called as a coroutine
    )


class OnLoop:
    """A coroutine function, and the event loop that it runs on."""

    def __init__(
        self, handler: Callable[[Any, Any], Awaitable[object]], loop: AbstractEventLoop
    ) -> None:
        self.handler = handler
        self.loop = loop


def runtime_of(handler: object, threads: Threads, loop: OwnLoop) -> Runtime:
    """What runs a handler; raises TypeError for what cannot be called."""
    if isinstance(handler, OnLoop):
        return LoopRuntime(handler.handler, handler.loop)
    if not callable(handler):
        raise TypeError(f"handler must be a function, not {type(handler).__name__}")
    if is_coroutine_function(handler):
        return LoopRuntime(handler, loop.get())
    return ThreadRuntime(handler, threads)
