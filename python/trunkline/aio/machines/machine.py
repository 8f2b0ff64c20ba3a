"""State machines for event loops: starting and waiting are coroutines."""

from __future__ import annotations

import asyncio
import inspect

from trunkline._core import milliseconds
from trunkline.aio.loop import waker
from trunkline.machines.machine import FOREVER_MS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from trunkline._types import Seconds
    from trunkline.machines.machine import Execution as SyncExecution
    from trunkline.machines.machine import StateMachine as SyncStateMachine

    Functions = Mapping[str, Callable[[Any], object]]


def on_this_loop(functions: Functions | None) -> Functions | None:
    """The functions, with coroutine functions to be run on the loop that is running now."""
    if functions is None:
        return None
    loop = None
    found: dict[str, Callable[[Any], object]] = {}
    for name, function in functions.items():
        if inspect.iscoroutinefunction(function):
            loop = loop or asyncio.get_running_loop()
            found[name] = _on_loop(function, loop)
        else:
            found[name] = function
    return found


def _on_loop(function: Callable[[Any], Any], loop: asyncio.AbstractEventLoop) -> Any:
    def call(given: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(function(given), loop).result()

    return call


class StateMachine:
    """A state machine of an engine; :meth:`trunkline.aio.Engine.machine` makes it.

    >>> import asyncio, trunkline
    >>> done = {"Type": "Pass", "Result": "done", "End": True}
    >>> async def main():
    ...     async with trunkline.aio.open() as engine:
    ...         machine = engine.machine("orders", {"StartAt": "Done", "States": {"Done": done}})
    ...         return await machine.run()
    >>> asyncio.run(main())
    'done'
    """

    __slots__ = {"sync": "The same state machine for threads."}

    def __init__(self, machine: SyncStateMachine) -> None:
        self.sync: SyncStateMachine = machine

    @property
    def name(self) -> str:
        """The name, unique in its account and region."""
        return self.sync.name

    @property
    def arn(self) -> str:
        """The ARN of the state machine."""
        return self.sync.arn

    async def start(self, input: Any = None, *, name: str | None = None) -> Execution:
        """Start an execution, as :meth:`trunkline.StateMachine.start` does."""
        return Execution(await asyncio.to_thread(self.sync.start, input, name=name))

    async def run(self, input: Any = None) -> Any:
        """Run an execution in memory to its end, and return its output.

        If this is cancelled, the execution goes on and its output is dropped.
        """
        return await asyncio.to_thread(self.sync.run, input)

    def execution(self, name: str) -> Execution:
        """The execution of this name; raises ResourceNotFound if there is none."""
        return Execution(self.sync.execution(name))

    def executions(self, status: str | None = None) -> list[Execution]:
        """The executions, or those with a status, the newest first."""
        return [Execution(execution) for execution in self.sync.executions(status)]

    async def remove(self) -> None:
        """Remove the state machine with all of its executions."""
        await asyncio.to_thread(self.sync.remove)

    def __repr__(self) -> str:
        return f"<aio {self.sync!r}>"


class Execution:
    """An execution of a state machine; :meth:`StateMachine.start` makes it.

    >>> import asyncio, trunkline
    >>> done = {"Type": "Pass", "Result": "done", "End": True}
    >>> async def main():
    ...     async with trunkline.aio.open() as engine:
    ...         machine = engine.machine("orders", {"StartAt": "Done", "States": {"Done": done}})
    ...         execution = await (await machine.start()).wait()
    ...         return execution.output
    >>> asyncio.run(main())
    'done'
    """

    __slots__ = {"sync": "The same execution for threads."}

    def __init__(self, execution: SyncExecution) -> None:
        self.sync: SyncExecution = execution

    @property
    def name(self) -> str:
        """The name, unique in its state machine."""
        return self.sync.name

    @property
    def arn(self) -> str:
        """The ARN of the execution."""
        return self.sync.arn

    @property
    def status(self) -> str:
        """``RUNNING``, ``SUCCEEDED``, ``FAILED``, ``TIMED_OUT`` or ``ABORTED``."""
        return self.sync.status

    @property
    def input(self) -> Any:
        """The input."""
        return self.sync.input

    @property
    def output(self) -> Any:
        """The output of an execution that ended well; None of any other."""
        return self.sync.output

    @property
    def error(self) -> str | None:
        """The name of the error of an execution that failed."""
        return self.sync.error

    @property
    def cause(self) -> str | None:
        """What happened, if the execution failed."""
        return self.sync.cause

    async def wait(self, timeout: Seconds | None = None) -> Execution:
        """Wait until the execution has ended, up to `timeout` seconds; return it.

        A wait that is cancelled leaves the execution as it is. It takes no thread.
        """
        wait = FOREVER_MS
        if timeout is not None:
            wait = milliseconds(timeout, "timeout", 0, FOREVER_MS)
        waiting = self.sync._machine._core().end_wait(self.name, wait)
        loop, parked = waker()
        while (found := waiting.poll(parked, loop)) is not None:
            token, completion, left = found
            # A loop has no timers for longer than a day.
            timer = loop.call_later(min(left, 86_400.0), completion.set_result, None)
            try:
                await completion
            except BaseException:
                waiting.cancel()
                raise
            finally:
                timer.cancel()
                parked.leave(token)
        return self

    async def history(self) -> list[dict[str, Any]]:
        """The events, the oldest first, as GetExecutionHistory has them."""
        return await asyncio.to_thread(self.sync.history)

    async def stop(self, error: str | None = None, cause: str | None = None) -> None:
        """End the execution now; one that has ended stays as it is."""
        await asyncio.to_thread(self.sync.stop, error, cause)

    async def redrive(self) -> None:
        """Let an execution that failed, timed out or was stopped go on at what failed."""
        await asyncio.to_thread(self.sync.redrive)

    def __repr__(self) -> str:
        return f"<aio {self.sync!r}>"
