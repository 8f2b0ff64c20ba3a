"""The engine: opens a folder or memory, and closes it."""

from __future__ import annotations

import atexit
import sys
from _thread import RLock
from weakref import WeakSet

from trunkline import validation
from trunkline._core import Engine as CoreEngine
from trunkline._core import VirtualClock
from trunkline._verbs import Verbs
from trunkline.errors import InvalidParameterValue, TrunklineError
from trunkline.limits import Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from trunkline._handlers import Handlers
    from trunkline._outbox import Outbox
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
        # Imported by the first part of the package that works in the background, if any does.
        background = sys.modules.get("trunkline._per_engine")
        if background is not None:
            background.end_all(self._core)
        self._core.close()

    def snapshot(self, path: Path) -> None:
        """Write a copy into the new folder `path`, while the engine runs.

        A folder that lies in the engine's own is refused with DataFolderUnusable.
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

    def __exit__(self, *_: object) -> None:
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
