"""The event loop in which sources are polled: one for the pipes and the event source mappings of an
engine, in a thread that lives while a poller works.

A poller that waits for its source takes no thread.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Lock, Thread

from trunkline._dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future
    from typing import Any

    from trunkline._core import Engine as CoreEngine

    Work = Callable[[], Coroutine[Any, Any, None]]

THREADS_MAX = 64
"""How many batches are sent at once at most by pollers that send in threads of the loop; a thread
starts when it is needed."""

_lock = Lock()
_loops: dict[int, _PollLoop] = {}
"""The loops with pollers, by the identity of the engine, which the loop keeps."""


@dataclass(frozen=True, slots=True)
class Poller:
    """A poller that was started."""

    future: Future[None]
    """Done when it has ended."""
    _loop: AbstractEventLoop

    def tell(self, function: Callable[[], object]) -> None:
        """Has `function` called in the loop of the poller, unless the loop has ended."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function)


class _PollLoop:
    """A loop, and how many pollers work in it; the lock of the table is for both."""

    def __init__(self, core: CoreEngine) -> None:
        self.core = core
        self.pollers = 0
        self.loop = asyncio.new_event_loop()
        self.loop.set_default_executor(ThreadPoolExecutor(THREADS_MAX, "trunkline-poll"))
        Thread(target=self._run, name="trunkline-pollers", daemon=True).start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
            # What ended last is not told to later batches; the threads of its batches end here.
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
        finally:
            self.loop.close()

    async def poll(self, work: Work) -> None:
        """Works, and ends the loop behind the last poller."""
        try:
            await work()
        finally:
            with _lock:
                self.pollers -= 1
                if not self.pollers:
                    del _loops[id(self.core)]
                    self.loop.call_soon(self.loop.stop)


def start(core: CoreEngine, work: Work) -> Poller:
    """Starts a poller of an engine: what `work` returns is awaited in the engine's loop."""
    with _lock:
        found = _loops.get(id(core))
        if found is None:
            found = _loops[id(core)] = _PollLoop(core)
        found.pollers += 1
        future = asyncio.run_coroutine_threadsafe(found.poll(work), found.loop)
    return Poller(future, found.loop)
