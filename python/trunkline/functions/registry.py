"""The functions of one engine: those that can be called, and the queues of their invocations."""

from __future__ import annotations

from threading import RLock

from trunkline._core import DestinationSettings
from trunkline._handlers import Handlers
from trunkline.errors import EngineUnavailable, NotFound, ResourceNotFound
from trunkline.functions.active import ActiveFunction
from trunkline.functions.names import FunctionName, read_arn
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
    from trunkline._core import Engine as CoreEngine
    from trunkline._core import LeasedDelivery
    from trunkline.functions.definition import Definition
    from trunkline.functions.invocation import Invocation
    from trunkline.functions.runtimes import Runtime

_lock = RLock()
_registries: dict[int, Functions] = {}
"""By the identity of the engine, which the registry keeps; until the engine is closed."""


def functions_of(core: CoreEngine) -> Functions:
    """The functions of an engine, whichever surface asks."""
    with _lock:
        found = _registries.get(id(core))
        if found is None:
            found = _registries[id(core)] = Functions(core)
        return found


def close_functions(core: CoreEngine) -> None:
    """Calls no function of an engine any more, if it has any."""
    with _lock:
        found = _registries.pop(id(core), None)
    if found is not None:
        found.close()


def destination_id(core: CoreEngine, arn: str, *, qualified: bool = True) -> int | None:
    """The id by which rules, topics and schedules deliver to the function of an ARN.

    None if there is no such function, or if the ARN has a version and may not be `qualified`. One
    that was not named again since the engine was opened has an id, too: its invocations wait.
    """
    read = read_arn(arn)
    if read is None or (read[1] is not None and not qualified):
        return None
    return core.outbox().find(read[0].destination)


class Functions:
    """The functions of one engine."""

    def __init__(self, core: CoreEngine) -> None:
        self._core = core
        self._outbox = core.outbox()
        self._handlers = Handlers(self._outbox)
        self._lock = RLock()
        self._active: dict[FunctionName, ActiveFunction] = {}
        self.allows_code = False
        """Whether code that comes over the wire is run: it has the rights of this process."""
        self.threads = Threads("trunkline-function")
        self.loop = OwnLoop()

    def put(self, name: FunctionName, definition: Definition, runtime: Runtime) -> ActiveFunction:
        """Lets a function be called. It takes the place of an earlier one of the name."""
        settings = DestinationSettings.handler(
            lease=lease_ms(definition.timeout), retry=retry_table(), dead_letter=None
        )
        with self._lock:
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
            handle = QueuedInvocations(self._core, function).handle
            self._handlers.start(_key(name), id, handle, _whole, max(1, definition.slots))
        return function

    def find(self, name: FunctionName) -> ActiveFunction | None:
        """The function of this name, if it can be called."""
        with self._lock:
            found = self._active.get(name)
            if found is None or self._outbox.find(name.destination) == found.id:
                return found
            # The engine was reset. What the program named is there; what was kept is not.
            del self._active[name]
            self._handlers.stop(_key(name))
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
            function = self._active.pop(name, None)
            id = self._outbox.find(name.destination)
            self._handlers.stop(_key(name))
            if function is not None:
                function.runtime.close()
            if id is not None:
                try:
                    self._outbox.remove(id)
                except (NotFound, EngineUnavailable):
                    return

    def close(self) -> None:
        """Calls no function any more. What waits is there at the next opening."""
        with self._lock:
            active, self._active = self._active, {}
        self._handlers.stop_all()
        for function in active.values():
            function.runtime.kill()
        self.loop.close()


def _key(name: FunctionName) -> tuple[object, ...]:
    return ("function", name)


def _whole(delivery: LeasedDelivery) -> LeasedDelivery:
    return delivery
