"""Functions for event loops: calling one is a coroutine."""

from __future__ import annotations

import asyncio

from trunkline.functions.function import EVENT_BYTES_MAX, result_of, write
from trunkline.functions.runtimes import OnLoop, is_coroutine_function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.functions.function import Function as SyncFunction


def on_this_loop(handler: Any) -> Any:
    """A coroutine function with the running loop, on which it runs; anything else as it is."""
    if not is_coroutine_function(handler):
        return handler
    return OnLoop(handler, asyncio.get_running_loop())


class Function:
    """A function of an engine; :meth:`trunkline.aio.Engine.function` makes it.

    >>> import asyncio, trunkline
    >>> async def main():
    ...     async with trunkline.aio.open() as engine:
    ...         function = engine.function("sum", lambda event, context: sum(event))
    ...         return await function.invoke([1, 2, 3])
    >>> asyncio.run(main())
    6
    """

    __slots__ = {"sync": "The same function for threads."}

    def __init__(self, function: SyncFunction) -> None:
        self.sync: SyncFunction = function

    @property
    def name(self) -> str:
        """The name, unique in its account and region."""
        return self.sync.name

    @property
    def arn(self) -> str:
        """The ARN, by which targets and state machines name the function."""
        return self.sync.arn

    async def invoke(self, event: Any = None) -> Any:
        """Call the function and return what it returns, as :meth:`trunkline.Function.invoke` does.

        A call that is cancelled goes on, and its outcome is dropped.
        """
        active = self.sync._core
        return result_of(
            await active.invoke_on_loop(active.invocation(write(event, EVENT_BYTES_MAX)))
        )

    async def invoke_async(self, event: Any = None) -> str:
        """Have the function called later; return the id of the request once it is durable."""
        if self.sync._engine.durability == "memory":
            return self.sync.invoke_async(event)
        return await asyncio.to_thread(self.sync.invoke_async, event)

    def settings(self) -> dict[str, Any]:
        """What the function was given."""
        return self.sync.settings()

    def statistics(self) -> dict[str, int]:
        """How the function stands."""
        return self.sync.statistics()

    def failures(self) -> list[dict[str, Any]]:
        """Asynchronous invocations that were given up and sent nowhere: the newest hundred."""
        return self.sync.failures()

    async def remove(self) -> None:
        """Remove the function with the asynchronous invocations that wait."""
        await asyncio.to_thread(self.sync.remove)

    def __repr__(self) -> str:
        return f"<aio {self.sync!r}>"
