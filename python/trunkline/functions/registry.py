"""The functions of one engine: those that can be called, and the queues of their invocations."""

from __future__ import annotations

from threading import RLock, get_ident

from trunkline._core import DestinationSettings
from trunkline._handlers import Handlers
from trunkline._per_engine import PerEngine
from trunkline.errors import EngineUnavailable, NotFound, ResourceNotFound
from trunkline.functions.active import ActiveFunction
from trunkline.functions.names import FunctionName, of_destination, read_arn
from trunkline.functions.queued import (
    QueuedInvocations,
    attributes_of,
    lease_ms,
    retry_table,
)
from trunkline.functions.runtimes import OwnLoop
from trunkline.functions.threads import Threads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from trunkline._core import Engine as CoreEngine
    from trunkline._core import LeasedDelivery
    from trunkline.functions.definition import Definition
    from trunkline.functions.invocation import Invocation
    from trunkline.functions.runtimes import Runtime


def functions_of(core: CoreEngine) -> Functions:
    """The functions of an engine, whichever surface asks."""
    return _REGISTRIES.of(core)


def destination_id(core: CoreEngine, arn: str, *, qualified: bool = True) -> int | None:
    """The id by which rules, topics and schedules deliver to the function of an ARN.

    None if there is no such function, or if the ARN has a version and may not be `qualified`. One
    that was not named again since the engine was opened has an id, too: its invocations wait. A
    version or an alias has a destination of its own, which is made when it is first asked for.
    """
    read = read_arn(arn)
    if read is None or (read[1] is not None and not qualified):
        return None
    name, qualifier = read
    if qualifier is None:
        return core.outbox().find(name.destination)
    return functions_of(core).destination_of(name, qualifier)


class Functions:
    """The functions of one engine."""

    def __init__(self, core: CoreEngine) -> None:
        self._core = core
        self._outbox = core.outbox()
        self._handlers = Handlers(self._outbox)
        self._lock = RLock()
        self._active: dict[FunctionName, ActiveFunction] = {}
        self._qualifiers: dict[FunctionName, set[str]] | None = None
        """The versions and aliases that have destinations; read when it is first needed."""
        self._noted: tuple[int, set[FunctionName]] | None = None
        """What a thread puts, by its number, while that is noted."""
        self.allows_code = False
        """Whether code that comes over the wire is run: it has the rights of this process."""
        self.endpoint: str | None = None
        """The address of the server, for clients of AWS in such code."""
        self.threads: Threads = Threads("trunkline-function")
        self.loop: OwnLoop = OwnLoop()

    def put(self, name: FunctionName, definition: Definition, runtime: Runtime) -> ActiveFunction:
        """Lets a function be called. It takes the place of an earlier one of the name."""
        settings = _settings(definition)
        with self._lock:
            if self._noted is not None and self._noted[0] == get_ident():
                self._noted[1].add(name)
            function = self._active.get(name)
            id = self._outbox.find(name.destination)
            if id is None:
                id = self._outbox.create(name.destination, settings)
            else:
                self._outbox.configure(id, settings)
            if function is None or function.id != id:
                function = ActiveFunction(self._core, name, id, definition, runtime)
                self._active[name] = function
            else:
                old = function.runtime
                function.configure(definition, runtime)
                if old is not runtime:
                    old.close()
            self._handle(function, id, None)
            for qualifier in self._qualified(name):
                id = self._outbox.find(name.destination_of(qualifier))
                if id is not None:
                    self._outbox.configure(id, settings)
                    self._handle(function, id, qualifier)
        return function

    def _handle(self, function: ActiveFunction, id: int, qualifier: str | None) -> None:
        handle = QueuedInvocations(self._core, function, qualifier).handle
        threads = max(1, function.definition.slots)
        self._handlers.start(_key(function.name, qualifier), id, handle, _whole, threads)

    def _qualified(self, name: FunctionName) -> set[str]:
        """The versions and aliases of a function that have destinations."""
        if self._qualifiers is None:
            self._qualifiers = {}
            for destination, _ in self._outbox.destinations():
                found = of_destination(destination)
                if found is not None and destination != found.destination:
                    own = destination.removeprefix(found.destination + ":")
                    self._qualifiers.setdefault(found, set()).add(own)
        return self._qualifiers.setdefault(name, set())

    def destination_of(self, name: FunctionName, qualifier: str) -> int | None:
        """The id of the destination for invocations by a version or an alias of a function.

        None if there is no such function, version or alias.
        """
        with self._lock:
            id = self._outbox.find(name.destination_of(qualifier))
            function = self.find(name)
            if id is not None or function is None:
                return id
            if function.runtime.version_of(qualifier) is None:
                return None
            id = self._outbox.create(name.destination_of(qualifier), _settings(function.definition))
            self._qualified(name).add(qualifier)
            self._handle(function, id, qualifier)
            return id

    def noting(self, load: Callable[[], object]) -> set[FunctionName]:
        """The functions that `load` puts in this thread. One thread notes at a time."""
        noted: set[FunctionName] = set()
        self._noted = (get_ident(), noted)
        try:
            load()
        finally:
            self._noted = None
        return noted

    def find(self, name: FunctionName) -> ActiveFunction | None:
        """The function of this name, if it can be called."""
        with self._lock:
            found = self._active.get(name)
            if found is None or self._outbox.find(name.destination) == found.id:
                return found
            # The engine was reset. What the program named is there; what was kept is not.
            del self._active[name]
            self._stop(name)
            if found.runtime.is_kept:
                found.runtime.close()
                return None
            return self.put(name, found.definition, found.runtime)

    def get(self, name: FunctionName) -> ActiveFunction:
        """The function of this name; raises ResourceNotFound if it cannot be called."""
        found = self.find(name)
        if found is None:
            raise ResourceNotFound(
                f"Function not found: {name.arn}. Name it with engine.function() and its code; a "
                "function of a program is not kept over a restart."
            )
        return found

    def list(self) -> list[ActiveFunction]:
        """The functions that can be called, sorted by name."""
        with self._lock:
            found = [self.find(name) for name in list(self._active)]
        there = [function for function in found if function is not None]
        return sorted(there, key=lambda function: function.name.arn)

    def enqueue(self, function: ActiveFunction, invocation: Invocation) -> None:
        """Accepts an asynchronous invocation, as durable as the engine is."""
        self._outbox.deliver(function.id, invocation.payload, attributes_of(invocation))

    def remove(self, name: FunctionName) -> None:
        """Calls a function no more, and forgets the invocations that wait."""
        with self._lock:
            self.withdraw(name)
            qualified = self._qualified(name)
            for qualifier in (None, *qualified):
                id = self._outbox.find(name.destination_of(qualifier))
                if id is not None:
                    try:
                        self._outbox.remove(id)
                    except (NotFound, EngineUnavailable):
                        return
            qualified.clear()

    def withdraw(self, name: FunctionName) -> None:
        """Calls a function no more. Invocations wait until it is put again."""
        with self._lock:
            function = self._active.pop(name, None)
            self._stop(name)
            if function is not None:
                function.runtime.close()

    def _stop(self, name: FunctionName) -> None:
        for qualifier in (None, *self._qualified(name)):
            self._handlers.stop(_key(name, qualifier))

    def close(self) -> None:
        """Calls no function any more. What waits is there at the next opening."""
        with self._lock:
            active, self._active = self._active, {}
        self._handlers.stop_all()
        for function in active.values():
            function.runtime.kill()
        self.loop.close()


_REGISTRIES = PerEngine(Functions, Functions.close)


def _settings(definition: Definition) -> DestinationSettings:
    return DestinationSettings.handler(
        lease=lease_ms(definition.timeout), retry=retry_table(), dead_letter=None
    )


def _key(name: FunctionName, qualifier: str | None) -> tuple[object, ...]:
    return ("function", name, qualifier)


def _whole(delivery: LeasedDelivery) -> LeasedDelivery:
    return delivery
