"""Message move tasks: dead letters go back to where they came from, or elsewhere."""

from __future__ import annotations

from trunkline import _replays, validation
from trunkline.errors import InvalidParameterValue, ResourceNotFound, TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import MoveStatus, PeekedMessage
    from trunkline._core import Queue as CoreQueue
    from trunkline._types import Seconds
    from trunkline.engine import Engine
    from trunkline.queues.queue import Queue


class RedriveTask:
    """A move of messages that :meth:`Queue.start_redrive` has started. Reads the truth when asked.

    >>> import trunkline
    >>> engine = trunkline.open(clock=trunkline.VirtualClock())
    >>> dead = engine.queue("dead")
    >>> orders = engine.queue("orders", dead_letter="dead", max_receive_count=1)
    >>> dead.start_redrive(rate=1).total
    0
    """

    __slots__ = ("_engine", "_source", "_task")

    def __init__(self, engine: Engine, source: int, task: int) -> None:
        self._engine = engine
        self._source = source
        self._task = task

    @property
    def status(self) -> str:
        """``RUNNING``, ``COMPLETED``, ``CANCELLED`` or ``FAILED``."""
        return self._now().status

    @property
    def moved(self) -> int:
        """How many messages were moved so far."""
        return self._now().moved

    @property
    def total(self) -> int:
        """How many messages there were at the start."""
        return self._now().total

    @property
    def failure(self) -> str | None:
        """Why the task failed; None if it did not."""
        return self._now().failure

    def as_dict(self) -> dict[str, Any]:
        """How the task stands as plain data, for JSON.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> dead = engine.queue("dead")
        >>> orders = engine.queue("orders", dead_letter="dead", max_receive_count=1)
        >>> dead.start_redrive().as_dict()["total"]
        0
        """
        now = self._now()
        names = ("status", "moved", "total", "failure")
        return {name: getattr(now, name) for name in names}

    def cancel(self) -> int:
        """Stop moving; return how many messages were moved. They stay where they are.

        Raises ResourceNotFound if the task has ended already.
        """
        return self._engine._core.cancel_move(self._task)

    def wait(self, timeout: Seconds | None = None) -> str:
        """Return the status when the task has ended; raise TimeoutError after `timeout` seconds.

        A task that FAILED says why in `failure`. A virtual clock has to be moved on meanwhile.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> dead = engine.queue("dead")
        >>> orders = engine.queue("orders", dead_letter="dead", max_receive_count=1)
        >>> dead.start_redrive().wait(timeout=10)
        'COMPLETED'
        """
        return _replays.wait(lambda: self.status, timeout, "task")

    def __repr__(self) -> str:
        try:
            now = self._now()
        except TrunklineError as error:
            return f"<RedriveTask {self._task}: {error.code}>"
        return f"<RedriveTask {self._task}: {now.status}, {now.moved} of {now.total}>"

    def _now(self) -> MoveStatus:
        for status in self._engine._core.moves(self._source):
            if status.task == self._task:
                return status
        raise ResourceNotFound("Task does not exist; only the last ten of a queue are remembered.")


def start(
    engine: Engine, source: CoreQueue, destination: str | Queue | None, rate: int | None
) -> RedriveTask:
    """Starts a move task on `source`; see :meth:`Queue.start_redrive`."""
    if rate is not None:
        validation.count(rate, "rate", 1, engine.limits.move_rate_max)
    target = None if destination is None else _destination(engine, source, destination)
    if not engine._core.dead_letter_sources(source.id):
        raise InvalidParameterValue(
            "Source queue must be configured as a Dead Letter Queue. "
            f"Reason: No queue names {source.name!r} as its dead_letter."
        )
    return RedriveTask(engine, source.id, source.start_move(target, rate))


def one(
    engine: Engine,
    source: CoreQueue,
    message: str | PeekedMessage,
    destination: str | Queue | None,
) -> str:
    """Moves one message; see :meth:`Queue.redrive_message`."""
    target = None if destination is None else _destination(engine, source, destination)
    id = message if isinstance(message, str) else getattr(message, "message_id", None)
    if not isinstance(id, str):
        kind = type(message).__name__
        raise TypeError(f"message must be a message that peek() found, or its id, not {kind}")
    return source.redrive_message(id, target)


def tasks(engine: Engine, source: CoreQueue) -> list[RedriveTask]:
    """The move tasks of `source`, newest first."""
    source.check_present()
    return [RedriveTask(engine, source.id, status.task) for status in engine._core.moves(source.id)]


def _destination(engine: Engine, source: CoreQueue, destination: str | Queue) -> int:
    name = destination if isinstance(destination, str) else getattr(destination, "name", None)
    if not isinstance(name, str):
        kind = type(destination).__name__
        raise TypeError(f"destination must be a queue or the name of one, not {kind}")
    queue = engine._core.find_queue((source.account, source.region, name))
    if queue is None:
        raise ResourceNotFound(
            "The resource that you specified for the DestinationArn parameter doesn't exist: "
            f"there is no queue {name!r}."
        )
    return queue.id
