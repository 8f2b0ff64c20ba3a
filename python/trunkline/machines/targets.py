"""State machines as targets of rules, subscriptions and schedules: a delivery starts an execution.

The deliveries for a state machine wait in a destination of the outbox, which is made when the state
machine is first named as a target. A thread of this program starts an execution for each. It is
named by its delivery, so a delivery that is handed out twice starts one execution.
"""

from __future__ import annotations

import json
from uuid import NAMESPACE_OID, uuid5

from trunkline._core import DestinationSettings, RetryTable
from trunkline._handlers import Handlers
from trunkline._outbox import Refused
from trunkline._per_engine import PerEngine
from trunkline.errors import ConflictException, ResourceNotFound, ValidationException
from trunkline.machines.destination import destination_of, of_destination

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import Engine as CoreEngine
    from trunkline._core import LeasedDelivery
    from trunkline.machines.machine import StateMachine

    Name = tuple[str, str, str]

LEASE_MS = 60_000
"""How long the start of an execution may take: then it is tried again."""


def targets_of(core: CoreEngine) -> MachineTargets:
    """The state machines of an engine that are targets."""
    return _TARGETS.of(core)


class MachineTargets:
    """The destinations of an engine's state machines, and what starts their executions."""

    def __init__(self, core: CoreEngine) -> None:
        self._core = core
        self._outbox = core.outbox()
        self._handlers = Handlers(self._outbox)

    def id(self, machine: StateMachine) -> int:
        """The id by which rules, topics and schedules deliver to a state machine."""
        name = machine._name
        id = self._outbox.find(destination_of(name))
        if id is None:
            retry = RetryTable.named("event-bridge")
            settings = DestinationSettings.handler(lease=LEASE_MS, retry=retry, dead_letter=None)
            id = self._outbox.create(destination_of(name), settings)
        self._start(name, id)
        return id

    def take_up(self, name: Name) -> None:
        """Has deliveries go on that an earlier opening left to a state machine."""
        id = self._outbox.find(destination_of(name))
        if id is not None:
            self._start(name, id)

    def take_up_all(self) -> None:
        """The same for every state machine."""
        for destination, id in self._outbox.destinations():
            name = of_destination(destination)
            if name is not None:
                self._start(name, id)

    def remove(self, name: Name) -> None:
        """Forgets a state machine that is gone, with the deliveries that wait for it."""
        self._handlers.stop(name)
        id = self._outbox.find(destination_of(name))
        if id is not None:
            self._outbox.remove(id)

    def close(self) -> None:
        """Starts no execution any more."""
        self._handlers.stop_all()

    def _start(self, name: Name, id: int) -> None:
        self._handlers.start(name, id, self._starter(name, id).start, _whole)

    def _starter(self, name: Name, id: int) -> _Starter:
        return _Starter(self._core, name, id)


class _Starter:
    """Starts the executions of one state machine."""

    def __init__(self, core: CoreEngine, name: Name, id: int) -> None:
        self._core = core
        self._name = name
        self._id = id

    def start(self, delivery: LeasedDelivery) -> None:
        """Starts the execution of a delivery; an error that may pass has the engine try again."""
        from trunkline.aws.stepfunctions import defining

        arn = defining.find(self._core, self._name)
        if arn is None:
            raise Refused(f"State machine {self._name[2]!r} does not exist.")
        name = str(uuid5(NAMESPACE_OID, f"{self._id}/{delivery.sequence}"))
        try:
            defining.Starter(self._core, arn).start(name, _input(delivery.body))
        except ConflictException:
            # An earlier attempt has started it, and it has ended.
            return
        except (ResourceNotFound, ValidationException) as error:
            raise Refused(str(error)) from None


def _input(body: bytes) -> str:
    """The input of an execution: JSON as it is, any other text as a JSON string.

    >>> _input(b'{"id": 7}'), _input(b"seven")
    ('{"id": 7}', '"seven"')
    >>> _input(b"NaN")
    '"NaN"'
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Refused("The message is no UTF-8 text, which an input has to be.") from None
    try:
        json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise Refused("The message is JSON that is nested too deeply for an input.") from None
    except ValueError:
        return json.dumps(text)
    return text


def _refuse_constant(name: str) -> None:
    """Python reads `NaN` and the infinities, which are no JSON."""
    raise ValueError(name)


def _whole(delivery: LeasedDelivery) -> LeasedDelivery:
    return delivery


_TARGETS = PerEngine(MachineTargets, MachineTargets.close)
