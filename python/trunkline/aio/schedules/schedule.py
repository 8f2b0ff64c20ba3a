"""Schedules for event loops: what waits for the disk is a coroutine."""

from __future__ import annotations

import asyncio
import functools
import inspect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from trunkline._types import Moment, ScheduleInput, Seconds
    from trunkline.schedules.occurrence import Occurrence
    from trunkline.schedules.schedule import Schedule as SyncSchedule
    from trunkline.schedules.schedule import ScheduleStatistics


def on_this_loop(target: Any) -> Any:
    """A coroutine function as one that a thread may call: it is awaited on the running loop."""
    if not inspect.iscoroutinefunction(target):
        return target
    loop = asyncio.get_running_loop()

    @functools.wraps(target)
    def call(occurrence: Occurrence) -> None:
        asyncio.run_coroutine_threadsafe(target(occurrence), loop).result()

    # What it wraps is a coroutine function, and it is none.
    del call.__wrapped__
    return call


class Schedule:
    """A schedule of an engine; :meth:`trunkline.aio.Engine.schedule` makes it.

    >>> import asyncio, trunkline
    >>> async def main():
    ...     async with trunkline.aio.open(clock=trunkline.VirtualClock()) as engine:
    ...         schedule = engine.schedule("tick", "rate(1 hour)", engine.queue("ticks"))
    ...         await schedule.pause()
    ...         return schedule.next(3)
    >>> asyncio.run(main())
    []
    """

    __slots__ = {"sync": "The same schedule for threads."}

    def __init__(self, schedule: SyncSchedule) -> None:
        self.sync: SyncSchedule = schedule

    @property
    def name(self) -> str:
        """Its name."""
        return self.sync.name

    def settings(self) -> dict[str, Any]:
        """What it is: expression, timezone, window, start, end, target, whether it is enabled."""
        return self.sync.settings()

    def statistics(self) -> ScheduleStatistics:
        """How it stands."""
        return self.sync.statistics()

    def next(self, count: int = 1) -> list[datetime]:
        """Up to `count` moments, in UTC, at which it will fall due. None while it is paused."""
        return self.sync.next(count)

    async def configure(
        self,
        *,
        expression: str | None = None,
        timezone: str | None = None,
        window: Seconds | None = None,
        input: ScheduleInput = None,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> None:
        """Change what is given; the rest stays as it is. A rate then counts from now."""
        configure = functools.partial(
            self.sync.configure,
            expression=expression,
            timezone=timezone,
            window=window,
            input=input,
            start=start,
            end=end,
        )
        await asyncio.to_thread(configure)

    async def pause(self) -> None:
        """Let it not fall due until :meth:`resume`."""
        await asyncio.to_thread(self.sync.pause)

    async def resume(self) -> None:
        """Let it fall due again, from now on: what passed meanwhile is not made up for."""
        await asyncio.to_thread(self.sync.resume)

    async def remove(self) -> None:
        """Remove it, and with it what a function or an endpoint has not yet handled."""
        await asyncio.to_thread(self.sync.remove)

    def __repr__(self) -> str:
        return f"<aio {self.sync!r}>"
