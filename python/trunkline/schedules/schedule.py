"""A schedule as programs hold it."""

from __future__ import annotations

from datetime import UTC, datetime

from trunkline import validation
from trunkline._dataclasses import asdict, dataclass
from trunkline.schedules import definition

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Schedule as CoreSchedule
    from trunkline._types import Moment, ScheduleInput, Seconds
    from trunkline.schedules.registry import Schedules

NEXT_MAX = 100_000
"""The most occurrences that one call tells."""


@dataclass(frozen=True)
class ScheduleStatistics:
    """How a schedule stands.

    >>> import trunkline
    >>> engine = trunkline.open(clock=trunkline.VirtualClock())
    >>> schedule = engine.schedule("tick", "rate(1 hour)", engine.queue("ticks"))
    >>> schedule.statistics().delivered
    1
    """

    active: bool
    """Whether it is not paused and has a next occurrence."""
    next: datetime | None
    """The next occurrence, also of a schedule that is paused; None when none is left."""
    delivered: int
    """Occurrences that the target took."""
    failed: int
    """Occurrences that the target did not take, and every retry with them."""
    missed: int
    """Occurrences that passed while the engine was closed or the machine slept."""
    last_error: str | None
    """Why the last occurrence that failed did, since the engine was opened."""

    def as_dict(self) -> dict[str, Any]:
        """The values by name."""
        return asdict(self)


class Schedule:
    """A schedule of an engine; :meth:`Engine.schedule` makes it.

    >>> import trunkline
    >>> engine = trunkline.open(clock=trunkline.VirtualClock())
    >>> schedule = engine.schedule("nightly", "cron(0 2 * * ? *)", engine.queue("jobs"))
    >>> [str(moment) for moment in schedule.next(2)]
    ['2023-11-15 02:00:00+00:00', '2023-11-16 02:00:00+00:00']
    """

    __slots__ = ("_core", "_schedules")

    def __init__(self, schedules: Schedules, core: CoreSchedule) -> None:
        self._schedules = schedules
        self._core = core

    @property
    def name(self) -> str:
        """Its name."""
        return self._core.name.partition("/")[2]

    def settings(self) -> dict[str, Any]:
        """What it is: expression, timezone, window, start, end, target, whether it is enabled.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> engine.schedule("tick", "rate(1 hour)", engine.queue("ticks")).settings()["target"]
        'queue ticks'
        """
        return definition.shown(self._core.definition())

    def statistics(self) -> ScheduleStatistics:
        """How it stands."""
        status = self._core.status()
        moment = status.pop("next")
        return ScheduleStatistics(next=None if moment is None else _datetime(moment), **status)

    def next(self, count: int = 1) -> list[datetime]:
        """Up to `count` moments, in UTC, at which it will fall due. None while it is paused.

        >>> import trunkline
        >>> engine = trunkline.open(clock=trunkline.VirtualClock())
        >>> leap = engine.schedule("leap", "cron(0 0 29 2 ? *)", engine.queue("jobs"))
        >>> [moment.year for moment in leap.next(3)]
        [2024, 2028, 2032]
        """
        validation.count(count, "count", 1, NEXT_MAX)
        return [_datetime(moment) for moment in self._core.next(count)]

    def configure(
        self,
        *,
        expression: str | None = None,
        timezone: str | None = None,
        window: Seconds | None = None,
        input: ScheduleInput = None,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> None:
        """Change what is given; the rest stays as it is. A rate then counts from now.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> schedule = engine.schedule("tick", "rate(1 hour)", engine.queue("ticks"))
        >>> schedule.configure(expression="rate(2 hours)")
        >>> schedule.settings()["expression"]
        'rate(2 hours)'
        """
        given = definition.changes(
            self.name,
            self._core.definition(),
            expression=expression,
            timezone=timezone,
            window=window,
            input=input,
            start=start,
            end=end,
        )
        self._core.configure(given)

    def pause(self) -> None:
        """Let it not fall due until :meth:`resume`."""
        self._core.set_enabled(False)

    def resume(self) -> None:
        """Let it fall due again, from now on: what passed meanwhile is not made up for.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> schedule = engine.schedule("nightly", "cron(0 2 * * ? *)", engine.queue("jobs"))
        >>> schedule.pause()
        >>> schedule.next(3)
        []
        >>> schedule.resume()
        >>> len(schedule.next(3))
        3
        """
        self._core.set_enabled(True)

    def remove(self) -> None:
        """Remove it, and with it what a function or an endpoint has not yet handled.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> engine.schedule("tick", "rate(1 hour)", engine.queue("ticks")).remove()
        >>> engine.schedules()
        []
        """
        self._schedules.remove(self._core)

    def __repr__(self) -> str:
        return f"<Schedule {self.name!r}: {self._core.definition()['expression']}>"


def _datetime(milliseconds: int) -> datetime:
    seconds, rest = divmod(milliseconds, 1_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1_000)
