"""What an engine offers of schedules: the part of :class:`trunkline.Engine` that is about them."""

from __future__ import annotations

from trunkline._targets import queue_id
from trunkline.errors import QueueDoesNotExist

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import Engine as CoreEngine
    from trunkline._resource_types import QueueRef, ScheduleTarget
    from trunkline._types import Moment, ScheduleInput, Seconds
    from trunkline.schedules.registry import Schedules
    from trunkline.schedules.schedule import Schedule


class ScheduleVerbs:
    """The verbs of an engine that are about schedules."""

    __slots__ = ()

    if TYPE_CHECKING:
        _core: CoreEngine
        _owner: tuple[str, str]

        def _registry(self) -> Schedules: ...

    def schedule(
        self,
        name: str,
        expression: str,
        target: ScheduleTarget,
        *,
        timezone: str = "UTC",
        window: Seconds | None = None,
        input: ScheduleInput = None,
        start: Moment | None = None,
        end: Moment | None = None,
        group: str | None = None,
        dead_letter: QueueRef | None = None,
    ) -> Schedule:
        """Get the schedule `name`, or create it: `target` gets a message at each moment.

        `expression` is EventBridge's, and `timezone` the zone of its local time:
        ``cron(minutes hours day-of-month month day-of-week year)``, ``rate(5 minutes)`` or
        ``at(2030-12-31T23:59:00)``. `target` is a :class:`Queue`, a :class:`Topic`, a :class:`Bus`,
        a :class:`Stream`, the URL of an endpoint, or a function of this program that is called with
        an :class:`Occurrence`. A function is not kept: name it again after each opening; until then
        its occurrences gather. One that fails is called again, as EventBridge retries.

        - `window`: seconds of a flexible window; an occurrence comes at a random moment of it.
        - `input`: the message. A str is sent as it is, anything else as JSON; without one, AWS's
          envelope of a scheduled event. ``<aws.scheduler.scheduled-time>`` and its kind are
          replaced.
        - `start`, `end`: the bounds of a recurring schedule; without a start a rate begins at once.
        - `group`: the group of the messages, for a FIFO queue or topic; the partition key, for a
          stream.
        - `dead_letter`: the queue for messages that the target queue does not take.

        An occurrence that passes while the engine is closed is missed: it is counted, and not made
        up for unless it is less than a minute late. That of a one-time schedule is delivered late,
        within a day.

        Raises ValidationException for a value that is not allowed, ConflictException if the
        schedule exists with another definition, EngineClosed.

        >>> import trunkline
        >>> clock = trunkline.VirtualClock()
        >>> engine = trunkline.open(clock=clock)
        >>> jobs = engine.queue("jobs")
        >>> schedule = engine.schedule("nightly", "cron(0 2 * * ? *)", jobs, input="tidy up")
        >>> clock.advance(86_400)
        >>> jobs.receive()[0].text()
        'tidy up'
        """
        from trunkline.schedules import definition
        from trunkline.schedules.registry import check_function

        check_function(target)
        given = {
            "expression": definition.text(expression, "expression"),
            "timezone": definition.text(timezone, "timezone"),
            "window": definition.window(window),
            "input": definition.input_text(input),
            "start": definition.moment(start, "start"),
            "end": definition.moment(end, "end"),
            "group": None if group is None else definition.text(group, "group"),
            "dead_letter": None if dead_letter is None else self._queue_id(dead_letter),
        }
        return self._registry().get_or_create(self, definition.text(name, "name"), target, given)

    def schedules(self, prefix: str = "") -> list[Schedule]:
        """The schedules whose name starts with `prefix`, sorted by name.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> schedule = engine.schedule("tick", "rate(1 hour)", engine.queue("ticks"))
        >>> engine.schedules()
        [<Schedule 'tick': rate(1 hour)>]
        """
        return self._registry().list(prefix)

    def _queue_id(self, queue: QueueRef) -> int:
        if isinstance(queue, str):
            found = self._core.find_queue((*self._owner, queue))
            if found is None:
                raise QueueDoesNotExist(f"There is no queue {queue[:128]!r}; create it first.")
            return found.id
        return queue_id(self, queue, "dead_letter", "a Queue or its name")
