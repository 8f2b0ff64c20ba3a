"""The engine: opens a folder or memory, and hands out queues."""

from __future__ import annotations

import atexit
from _thread import RLock
from weakref import WeakSet

from trunkline import validation
from trunkline._closing import close_used
from trunkline._core import Engine as CoreEngine
from trunkline._core import QueueSettings, VirtualClock
from trunkline._verbs import Verbs
from trunkline._waiting import create_queue
from trunkline.errors import (
    InvalidParameterValue,
    QueueDoesNotExist,
    QueueNameExists,
    TrunklineError,
)
from trunkline.limits import Limits
from trunkline.queues import options as queue_options
from trunkline.queues.metadata import encode_metadata, read_metadata
from trunkline.queues.queue import Queue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, NoReturn, Unpack

    from trunkline._core import Queue as CoreQueue
    from trunkline._handlers import Handlers
    from trunkline._outbox import Outbox
    from trunkline._resource_types import PayloadBucket, QueueOptions
    from trunkline._types import Durability, Path, TraceMode
    from trunkline.faults import Faults
    from trunkline.schedules.registry import Schedules

ACCOUNT = "000000000000"
"""The account of queues that name none."""

REGION = "us-east-1"
"""The region of queues that name none."""

SEED_MAX = 2**64 - 1
"""The largest seed: what the engine's generator takes."""

_open_engines: WeakSet[Engine] = WeakSet()


def open(
    path: Path | None = None,
    *,
    durability: Durability | None = None,
    durable_receives: bool = False,
    clock: VirtualClock | None = None,
    seed: int | None = None,
    read_only: bool = False,
    limits: Limits | None = None,
    trace: TraceMode = "off",
    config: Path | None = None,
) -> Engine:
    """Open an engine on the folder `path`, which is created if need be; without a path, in memory.

    `durability` says what "acknowledged" means: ``"disk"`` (the default on a folder) that the disk
    has it, ``"os"`` that the operating system has it, ``"memory"`` that nothing waits for the disk.
    A receive does not wait, so a crash may forget the newest leases: their messages are visible
    again and those deliveries are not counted. With `durable_receives` it waits as other verbs do.
    `clock` replaces the system's time, `seed` makes ids repeatable, `read_only` looks without
    changing anything, `limits` raises or lowers AWS's limits. `trace` notes what happens to
    messages, events and records, for :meth:`Engine.trace`: ``"on"``, or a part of them, 0 to 1.
    `config` is a ``trunkline.toml``, whose resources are created: see ``docs/guides/config.md``.
    Arguments that are given win over it.

    Raises DataFolderInUse if another process has the folder open, and says which.

    >>> import trunkline
    >>> with trunkline.open() as engine:
    ...     queue = engine.queue("orders")
    ...     sent = queue.send("one coffee")
    ...     with queue.receive()[0] as message:
    ...         message.text()
    'one coffee'
    """
    if config is not None:
        from trunkline.config import Config

        told = Config.read(config)
        return told.open(path, durability, durable_receives, clock, seed, read_only, limits, trace)
    validation.flag(read_only, "read_only")
    validation.flag(durable_receives, "durable_receives")
    if path is None:
        if durability in ("disk", "os"):
            raise InvalidParameterValue(
                f"Value {durability!r} for parameter durability is invalid. Reason: An engine "
                "without a path keeps everything in memory; give a path to be durable."
            )
        if read_only:
            raise InvalidParameterValue(
                "Value True for parameter read_only is invalid. Reason: An engine without a path "
                "is empty; give the path of the folder to look into."
            )
    if clock is not None and not isinstance(clock, VirtualClock):
        raise TypeError(f"clock must be a VirtualClock, not {type(clock).__name__}")
    if limits is not None and not isinstance(limits, Limits):
        raise TypeError(f"limits must be Limits, not {type(limits).__name__}")
    if seed is not None:
        validation.count(seed, "seed", 0, SEED_MAX)
    core = CoreEngine.open(
        path,
        durability or ("memory" if path is None else "disk"),
        durable_receives,
        clock,
        seed,
        read_only,
        dict((limits or Limits()).items()),
    )
    engine = Engine(core)
    if trace != "off":
        engine.tracing.set(trace)
    return engine


class Engine(Verbs):
    """An open engine; :func:`trunkline.open` makes it. A context manager that closes at its end.

    >>> import trunkline
    >>> engine = trunkline.open()
    >>> engine.queue("orders").name
    'orders'
    >>> engine.close()
    >>> engine.queue("orders")
    Traceback (most recent call last):
    trunkline.errors.EngineClosed: The engine is closed. Open it again to use it.
    """

    __slots__ = {
        "__weakref__": "",
        "_core": "",
        "_defining": "",
        "_faults": "",
        "_running_handlers": "",
        "_schedules": "",
        "limits": "The table of bounds.",
    }

    limits: Limits
    _owner = (ACCOUNT, REGION)

    def __init__(self, core: CoreEngine) -> None:
        self._core = core
        # Re-entrant: a signal handler or a finaliser may ask for a queue in the middle of it.
        self._defining = RLock()
        self._faults: Faults | None = None
        self._running_handlers: Handlers | None = None
        self._schedules: Schedules | None = None
        self.limits = Limits(**core.limits())
        _open_engines.add(self)

    def queue(
        self,
        name: str,
        *,
        create: bool = True,
        account: str | None = None,
        region: str | None = None,
        payload_store: PayloadBucket | None = None,
        payload_threshold: int | None = None,
        payload_delete: bool = True,
        **options: Unpack[QueueOptions],
    ) -> Queue:
        """Get the queue `name`, or create it. A name that ends in ``.fifo`` is a FIFO queue.

        Options that are given are compared with an existing queue; options that are left out are
        not. ``create=False`` finds a queue and never creates one, so that a consumer of a misspelt
        name does not wait for ever. `account` (12 digits) and `region` are part of the name; the
        defaults are ``"000000000000"`` and ``"us-east-1"``.

        The options, with AWS's range and default (:class:`trunkline.Limits` changes the range):

        - `delay`: seconds before a message may be received (0 to 900).
        - `retention`: seconds after which a message is dropped (60 to 1,209,600; 4 days).
        - `max_message_size`: bytes of body and attributes together.
        - `visibility_timeout`: seconds of a lease (0 to 43,200; 30).
        - `receive_wait`: seconds that a receive waits if it does not say (0 to 20; 0).
        - `content_based_dedup`: FIFO; the SHA-256 of the body stands in for a missing dedup_id.
        - `dedup_scope`: FIFO; where a dedup_id counts, in the ``"queue"`` or in its ``"group"``.
        - `dead_letter`, `max_receive_count`: where messages go that were delivered so often.
        - `redrive_allow`: which queues may use this one for dead letters.
        - `payload_store`: a bucket for what has more than `payload_threshold` bytes (262,144), as
          Amazon's extended clients do it. Not kept. A message goes with it if `payload_delete`.

        Raises QueueNameExists if an option differs from the existing queue's, QueueDoesNotExist
        with ``create=False`` and for a `dead_letter` that is not there, InvalidParameterValue for
        a name or a value that is not allowed, InvalidAttributeName for an option that this kind of
        queue does not have, EngineClosed.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> dead = engine.queue("dead-orders")
        >>> queue = engine.queue("orders", dead_letter="dead-orders", max_receive_count=5)
        >>> engine.queue("orders", delay=10)
        Traceback (most recent call last):
        trunkline.errors.QueueNameExists: A queue already exists with the same name and a \
different value for attribute delay; leave the option out, or change the queue with configure().
        """
        wanted = queue_options.provided(options)
        fifo = validation.queue_name(name, self.limits)
        validation.flag(create, "create")
        place = validation.owner(self._owner, account, region)
        # Asked before the lock, which a forked child may find held by a thread that it has not.
        self._core.check_open()
        # Two threads that define queues at once must not compare with what the other changes.
        with self._defining:
            core = self._get_or_create((*place, name), fifo, wanted, create)
        if payload_store is None and payload_threshold is None:
            return Queue(self, core)
        from trunkline.queues.claim_check import claim_check_queue

        return claim_check_queue(self, core, payload_store, payload_threshold, payload_delete)

    def queues(
        self, prefix: str = "", *, account: str | None = None, region: str | None = None
    ) -> list[Queue]:
        """The queues whose name starts with `prefix`, sorted by name.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> for name in ("orders", "orders-dead", "mail"):
        ...     queue = engine.queue(name)
        >>> [queue.name for queue in engine.queues("orders")]
        ['orders', 'orders-dead']
        """
        found = self._core.queues(
            *validation.owner(self._owner, account, region), validation.text(prefix, "prefix")
        )
        return [Queue(self, core) for core in found]

    def flush(self) -> None:
        """Return when everything that was accepted so far is on disk.

        After that it raises while disk space cannot be given back, for example because a message
        is damaged that is still needed: the journal then only grows.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> ticket = engine.queue("orders").send_nowait("one coffee")
        >>> engine.flush()
        >>> ticket.done()
        True
        """
        self._core.flush()
        self._core.check_space()

    def close(self) -> None:
        """Write everything out and let go of the folder. A second call does nothing.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> engine.close()
        >>> engine.close()
        """
        _open_engines.discard(self)
        if self._running_handlers is not None:
            self._running_handlers.stop_all()
        close_used(self._core)
        self._core.close()

    def snapshot(self, path: Path) -> None:
        """Write a copy into the new folder `path`, while the engine runs.

        The copy of an engine on disk shows one moment. That of an engine in memory is made message
        by message: call it while no other thread sends, receives or deletes, or it may show a later
        change without an earlier one.

        >>> import tempfile, trunkline
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     engine = trunkline.open()
        ...     sent = engine.queue("orders").send("one coffee")
        ...     engine.snapshot(f"{folder}/copy")
        ...     with trunkline.open(f"{folder}/copy") as copy:
        ...         copy.queue("orders").statistics().visible
        1
        """
        self._core.snapshot(path)

    def fork(self) -> Engine:
        """A copy in memory, for tests. On a virtual clock the copy has a clock of its own.

        It shows one moment as far as that of :meth:`snapshot` does.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> sent = engine.queue("orders").send("one coffee")
        >>> what_if = engine.fork()
        >>> what_if.queue("orders").purge()
        >>> engine.queue("orders").statistics().visible
        1
        """
        return Engine(self._core.fork())

    @property
    def clock(self) -> VirtualClock | None:
        """The virtual clock the engine was opened with; None if it follows the system's time."""
        return self._core.clock

    @property
    def durability(self) -> str:
        """What "acknowledged" means here unless a call says less.

        >>> import trunkline
        >>> trunkline.open().durability
        'memory'
        """
        return self._core.durability

    @property
    def faults(self) -> Faults:
        """Faults on purpose, for tests; none unless asked for. See :class:`trunkline.Faults`."""
        if self._faults is None:
            from trunkline.faults import Faults

            self._faults = Faults(self._core)
        return self._faults

    def _registry(self) -> Schedules:
        self._core.check_open()
        if self._schedules is None:
            from trunkline.schedules.registry import Schedules

            core, outbox, handlers = self._core.schedules(), self._outbox, self._handlers
            with self._defining:
                if self._schedules is None:
                    self._schedules = Schedules(core, outbox, handlers, self._owner)
        return self._schedules

    @property
    def _handlers(self) -> Handlers:
        """Functions of this program that get deliveries."""
        if self._running_handlers is None:
            from trunkline._handlers import Handlers

            with self._defining:
                if self._running_handlers is None:
                    self._running_handlers = Handlers(self._core.outbox())
        return self._running_handlers

    @property
    def _outbox(self) -> Outbox:
        """Deliveries that leave the engine: what topics and buses stand on."""
        from trunkline._outbox import Outbox

        return Outbox(self._core.outbox())

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(
            "an Engine cannot be copied or pickled: it owns its data folder, its threads and its "
            "leases. Use engine.fork() for a copy in memory, engine.snapshot() for one on disk."
        )

    def __getitem__(self, name: str) -> NoReturn:
        raise TypeError(f"an Engine has no items; use engine.queue({name!r})")

    def __repr__(self) -> str:
        try:
            count = len(self._core.queues(None, None, ""))
        except TrunklineError as error:
            return f"<Engine: {error.code}>"
        return f"<Engine: {count} queues, durability {self.durability}>"

    def _find(self, place: tuple[str, str], name: str) -> CoreQueue | None:
        return self._core.find_queue((*place, name))

    def _get_or_create(
        self, full_name: tuple[str, str, str], fifo: bool, wanted: dict[str, Any], create: bool
    ) -> CoreQueue:
        account, region, name = full_name
        existing = self._core.find_queue(full_name)
        if existing is None and not create:
            raise QueueDoesNotExist(
                f"There is no queue {name!r}; leave create=False out to create it."
            )
        if existing is not None and not wanted:
            return existing

        def find(other: str) -> CoreQueue | None:
            return self._find((account, region), other)

        if existing is not None:
            wanted = queue_options.complete(wanted, existing, self._core)
        settings = queue_options.to_settings(wanted, fifo, self.limits, find, name)
        allowed = queue_options.redrive_allow(wanted.get("redrive_allow"), self.limits)
        if existing is None:
            settings = {**queue_options.defaults(fifo, self.limits), **settings}
            try:
                return create_queue(self._core, full_name, settings, {"redrive_allow": allowed})
            except QueueNameExists:
                # Another surface of this engine was faster.
                existing = self._core.find_queue(full_name)
                if existing is None:
                    raise
        queue_options.compare(existing.settings, settings, wanted)
        if "redrive_allow" in wanted:
            queue_options.compare_redrive(read_metadata(existing).get("redrive_allow"), allowed)
        return existing

    def _configure(self, core: CoreQueue, wanted: dict[str, Any]) -> None:
        place = (core.account, core.region)

        def find(other: str) -> CoreQueue | None:
            return self._find(place, other)

        self._core.check_open()
        with self._defining:
            wanted = queue_options.complete(wanted, core, self._core)
            settings = queue_options.to_settings(wanted, core.fifo, self.limits, find, core.name)
            current = queue_options.as_dict(core.settings)
            document = read_metadata(core)
            if "redrive_allow" in wanted:
                allowed = queue_options.redrive_allow(wanted["redrive_allow"], self.limits)
                document["redrive_allow"] = allowed
            changed = QueueSettings(**{**current, **settings})
            core.configure(changed, encode_metadata(document))


def _flush_all() -> None:
    """Writes out what the program forgot to close.

    Closing would wake threads that still wait, and their error messages would litter the end of
    the program; the operating system releases the folder by itself.
    """
    for engine in list(_open_engines):
        try:
            engine.flush()
        except TrunklineError:
            # The program is over; a thread that waited for a ticket has seen the failure.
            continue


atexit.register(_flush_all)
