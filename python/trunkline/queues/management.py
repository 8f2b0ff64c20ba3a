"""The verbs of a queue itself: options, counts, purge, removal, redrive of dead letters."""

from __future__ import annotations

from trunkline import validation
from trunkline._core import BlockingVerbs
from trunkline.queues import options as queue_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Unpack

    from trunkline._core import PeekedMessage, QueueStatistics
    from trunkline._core import Queue as CoreQueue
    from trunkline._resource_types import QueueOptions
    from trunkline.engine import Engine
    from trunkline.limits import Limits
    from trunkline.queues.queue import Queue
    from trunkline.queues.redrive import RedriveTask


class QueueManagement(BlockingVerbs):
    """The part of :class:`trunkline.Queue` that handles the queue rather than its messages."""

    __slots__ = ("_core", "_engine", "_limits")

    _core: CoreQueue
    _engine: Engine
    _limits: Limits

    def statistics(self) -> QueueStatistics:
        """How the queue stands: exact counts, at a cost that does not depend on them.

        >>> import trunkline
        >>> queue = trunkline.open().queue("orders")
        >>> sent = queue.send("later", delay=5)
        >>> queue.statistics()
        <QueueStatistics: 0 visible, 0 in flight, 1 delayed>
        """
        return self._core.statistics()

    def purge(self) -> None:
        """Remove every message, also those in flight, and empty the deduplication window.

        >>> import trunkline
        >>> queue = trunkline.open().queue("orders")
        >>> sent = queue.send("one coffee")
        >>> queue.purge()
        >>> queue.statistics().total
        0
        """
        self._core.purge()

    def remove(self) -> None:
        """Remove the queue and everything in it.

        >>> import trunkline
        >>> queue = trunkline.open().queue("orders")
        >>> queue.remove()
        >>> queue.send("too late")
        Traceback (most recent call last):
        trunkline.errors.QueueDoesNotExist: The specified queue does not exist.
        """
        self._core.remove()

    def configure(self, **options: Unpack[QueueOptions]) -> None:
        """Change the options that are given. ``dead_letter=None`` takes the dead-letter queue away.

        Of `dead_letter` and `max_receive_count` either may be changed alone.

        >>> import trunkline
        >>> queue = trunkline.open().queue("orders")
        >>> queue.configure(visibility_timeout=60)
        >>> queue.settings()["visibility_timeout"]
        60.0
        """
        self._engine._configure(self._core, queue_options.provided(options))

    def settings(self) -> dict[str, Any]:
        """The queue's options as they stand; times in seconds. Other queues may be made of them.

        >>> import trunkline
        >>> settings = trunkline.open().queue("orders").settings()
        >>> settings["visibility_timeout"], settings["dead_letter"]
        (30.0, None)
        """
        return queue_options.as_options(self._core, self._engine._core)

    def dead_letter_sources(self) -> list[Queue]:
        """The queues that send their dead letters here.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> dead = engine.queue("dead")
        >>> orders = engine.queue("orders", dead_letter=dead, max_receive_count=3)
        >>> [queue.name for queue in dead.dead_letter_sources()]
        ['orders']
        """
        self._core.check_present()
        sources = self._engine._core.dead_letter_sources(self._core.id)
        return [self._other(core) for core in sources]

    def _other(self, core: CoreQueue) -> Queue:
        """Another queue of the engine."""
        raise NotImplementedError

    def start_redrive(
        self, destination: str | Queue | None = None, rate: int | None = None
    ) -> RedriveTask:
        """Move this queue's dead letters back to where they came from, or to `destination`.

        `rate` is messages a second (1 to 500); without it, as fast as possible.

        >>> import trunkline
        >>> clock = trunkline.VirtualClock()
        >>> engine = trunkline.open(clock=clock)
        >>> dead = engine.queue("dead")
        >>> orders = engine.queue("orders", dead_letter="dead", max_receive_count=1)
        >>> sent = orders.send("fails")
        >>> lease = orders.receive(visibility_timeout=0), orders.receive()
        >>> task = dead.start_redrive()
        >>> clock.advance(1)
        >>> task.status, task.moved
        ('COMPLETED', 1)
        """
        from trunkline.queues.redrive import start

        return start(self._engine, self._core, destination, rate)

    def redrive_message(
        self, message: str | PeekedMessage, destination: str | Queue | None = None
    ) -> str:
        """Move one message, by its id, back to where it came from, or to `destination`.

        It is a new message there, whose id is returned; the move is one step. A message in flight
        is refused, as is one without `destination` that is no dead letter of another queue. The
        messages are looked at one by one, so it takes long in a queue of millions.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> dead = engine.queue("dead")
        >>> orders = engine.queue("orders", dead_letter=dead, max_receive_count=1)
        >>> sent = orders.send("fails")
        >>> lease = orders.receive(visibility_timeout=0), orders.receive()
        >>> letter = dead.peek()[0]
        >>> new_id = dead.redrive_message(letter)
        >>> orders.peek()[0].message_id == new_id, dead.peek()
        (True, [])
        """
        from trunkline.queues.redrive import one

        return one(self._engine, self._core, message, destination)

    def redrive_tasks(self) -> list[RedriveTask]:
        """The move tasks of this queue, newest first.

        >>> import trunkline
        >>> trunkline.open().queue("orders").redrive_tasks()
        []
        """
        from trunkline.queues.redrive import tasks

        return tasks(self._engine, self._core)

    def start_move(
        self, destination: str | Queue | None = None, rate: int | None = None
    ) -> RedriveTask:
        """The old name of :meth:`start_redrive`."""
        _renamed("start_move", "start_redrive")
        return self.start_redrive(destination, rate)

    def moves(self) -> list[RedriveTask]:
        """The old name of :meth:`redrive_tasks`."""
        _renamed("moves", "redrive_tasks")
        return self.redrive_tasks()

    @property
    def name(self) -> str:
        """The queue's name."""
        return self._core.name

    @property
    def fifo(self) -> bool:
        """Whether this is a FIFO queue."""
        return self._core.fifo

    @property
    def engine(self) -> Engine:
        """The engine the queue belongs to."""
        return self._engine

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, QueueManagement):
            return NotImplemented
        # The number, not the name: a queue that was removed and made anew is another one.
        return self._engine is other._engine and self._core.id == other._core.id

    def __hash__(self) -> int:
        return hash((id(self._engine), self._core.id))

    def __repr__(self) -> str:
        return f"<Queue {self._core.name!r}>"


validation.add_hints(QueueManagement)


def _renamed(old: str, new: str) -> None:
    from warnings import warn

    warn(f"Queue.{old}() is now Queue.{new}()", DeprecationWarning, stacklevel=3)
