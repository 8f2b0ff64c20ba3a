"""How executions are started: which version runs, under which name, and where."""

from __future__ import annotations

import json
import random
import threading
import uuid
from typing import Generic, TypeVar

from trunkline._core import StatesProgram
from trunkline._dataclasses import dataclass
from trunkline.aws.errors import ServiceError
from trunkline.aws.limits import STATES_PAYLOAD_BYTES_MAX
from trunkline.aws.stepfunctions import status_events
from trunkline.aws.stepfunctions.documents import find_alias, find_version, machine_key
from trunkline.aws.stepfunctions.errors import no_such_machine, unsupported_type
from trunkline.aws.stepfunctions.names import Arn, arn_of, check_name
from trunkline.errors import ConflictException, EngineUnavailable
from trunkline.machines.memory import Clock, MemoryRun, Setting
from trunkline.machines.task import Owner
from trunkline.machines.tasks import perform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline._core import Machine
    from trunkline.aws.store import Store
    from trunkline.machines.memory import Ended
    from trunkline.machines.runtime import Runtime

T = TypeVar("T")

_KEPT = ("logging", "tracing", "encryption", "role", "revision", "updated", "type")
"""What a program keeps of its state machine, for DescribeStateMachineForExecution."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The state machine that is started: as it is now, or a version of it."""

    arn: Arn
    machine: dict[str, Any]
    version: str | None = None
    alias: str | None = None

    @property
    def is_express(self) -> bool:
        """Whether its executions are in memory only."""
        return bool(self.machine["type"] == "EXPRESS")


@dataclass(frozen=True, slots=True)
class Started:
    """An execution that was started."""

    arn: str
    name: str
    at: float
    has_ended: bool = False
    """It ran already under this name, and has ended: no parent is told of it any more."""


def choose(store: Store, text: str) -> Chosen:
    """What the resource name of a state machine, a version or an alias leads to."""
    arn = Arn.parse(text, "stateMachine")
    machine = store.get(machine_key(arn))
    if machine is None:
        raise no_such_machine(text)
    if arn.qualifier is None:
        return Chosen(arn, machine)
    alias = find_alias(store, arn)
    target = arn if alias is None else Arn.parse(_routed(alias["routes"]))
    version = find_version(store, target)
    if version is None:
        raise no_such_machine(text)
    whole = machine | version | {"arn": machine["arn"]}
    return Chosen(arn, whole, target.text, None if alias is None else arn.text)


def _routed(routes: list[dict[str, Any]]) -> str:
    weights = [int(route["weight"]) for route in routes]
    return str(random.choices(routes, weights)[0]["stateMachineVersionArn"])


class Current(Generic[T]):
    """What is made of a state machine as it is: made anew when its document has changed."""

    def __init__(self, store: Store, arn: str, make: Callable[[Chosen], T]) -> None:
        self._store = store
        self._arn = arn
        self._key = machine_key(Arn.parse(arn))
        self._make = make
        self._made: tuple[bytes | None, T] | None = None

    def get(self) -> T:
        """It, as the state machine is now; others may have changed that."""
        document, made = self._store.raw(self._key), self._made
        if made is None or made[0] != document:
            made = self._made = (document, self._make(choose(self._store, self._arn)))
        return made[1]

    def forget(self) -> None:
        """Has it made anew."""
        self._made = None


def check_input(input: str) -> None:
    """Raises for an input that is no JSON."""
    reason = StatesProgram.malformed(input) if input.strip() else "Invalid execution input."
    if reason is None and len(input.encode()) > STATES_PAYLOAD_BYTES_MAX:
        reason = f"Input is longer than {STATES_PAYLOAD_BYTES_MAX} bytes."
    if reason is not None:
        text = f"Invalid State Machine Execution Input: '{reason}'"
        raise ServiceError("InvalidExecutionInput", text)


def identity(chosen: Chosen, arn: str, name: str) -> dict[str, Any]:
    """Who an execution is, for its context object and its history."""
    return {
        "execution_arn": arn,
        "name": name,
        "role_arn": chosen.machine["role"],
        "machine_arn": chosen.arn.unqualified,
        "machine_name": chosen.arn.name,
        "version_arn": chosen.version,
        "alias_arn": chosen.alias,
        "region": chosen.arn.region,
        "express": chosen.is_express,
    }


def start(
    runtime: Runtime,
    store: Store,
    text: str,
    name: str | None,
    input: str,
    parent: str | None = None,
) -> Started:
    """Starts an execution. `parent` is the task that waits for its end."""
    check_input(input)
    chosen = choose(store, text)
    if chosen.is_express:
        return _start_express(runtime, store, chosen, name, input)
    name = str(uuid.uuid4()) if name is None else name
    return prepare(runtime, chosen).start(name, input, parent)


def prepare(runtime: Runtime, chosen: Chosen) -> Prepared:
    """Has the engine know what durable executions of a state machine run."""
    arn = chosen.arn
    runtime.start()
    machine = runtime.machines.machine((arn.account, arn.region, arn.name))
    kept = {part: chosen.machine[part] for part in _KEPT if part in chosen.machine}
    document = json.dumps(kept, separators=(",", ":"), sort_keys=True).encode()
    return Prepared(
        runtime.core,
        machine,
        arn,
        arn_of(arn.account, arn.region, "execution", arn.name, ""),
        identity(chosen, "", ""),
        {
            "program": machine.add_program(chosen.machine["definition"], False, document),
            "document": json.dumps({"version": chosen.version, "alias": chosen.alias}).encode(),
            "tells_events": chosen.machine["logging"]["level"] != "OFF",
            "scope": None,
            "is_settled": True,
        },
    )


@dataclass(frozen=True, slots=True)
class Prepared:
    """A state machine of which durable executions can be started."""

    core: CoreEngine
    machine: Machine
    arn: Arn
    prefix: str
    """The ARN of an execution without its name."""
    identity: dict[str, Any]
    common: dict[str, Any]
    """What all starts have in common."""

    def start(self, name: str, input: str, parent: str | None = None) -> Started:
        """Starts an execution. `parent` is the task that waits for its end."""
        check_name(name)
        arn = self.prefix + name
        is_watched = status_events.is_watched(self.core, (self.arn.account, self.arn.region))
        own = {
            "name": name,
            "input": input,
            "identity": {**self.identity, "execution_arn": arn, "name": name},
            "tells_end": is_watched,
            "parent": parent,
        }
        try:
            execution, existed = self.machine.start(self.common | own)
        except ConflictException:
            text = f"Execution Already Exists: '{arn}'"
            raise ServiceError("ExecutionAlreadyExists", text) from None
        if is_watched and not existed:
            status_events.emit_started(self.core, self.arn, execution, input)
        has_ended = existed and parent is not None and not self.machine.add_parent(name, parent)
        return Started(arn, name, execution.started / 1_000, has_ended)


def _express_arn(chosen: Chosen, name: str) -> str:
    arn = chosen.arn
    return arn_of(arn.account, arn.region, "express", arn.name, name, str(uuid.uuid4()))


def _run(runtime: Runtime, store: Store, chosen: Chosen, arn: str, name: str, input: str) -> Ended:
    owner = Owner(chosen.arn.account, chosen.arn.region, chosen.arn.name, name)
    is_logged = chosen.machine["logging"]["level"] != "OFF"
    setting = Setting(
        identity(chosen, arn, name),
        owner,
        lambda task: perform(runtime, task),
        Clock(store.core.now),
        seed=random.getrandbits(64),
        inline=runtime.inline(owner.machine_name),
        tells_events=is_logged,
    )
    program = StatesProgram(chosen.machine["definition"], True)
    with runtime.running(MemoryRun(program, setting)) as run:
        ended = run.run(input)
    if is_logged:
        from trunkline.aws.stepfunctions import logging

        logging.write_events(runtime, chosen.machine, arn, ended.events)
    return ended


def _run_alone(
    runtime: Runtime, store: Store, chosen: Chosen, arn: str, name: str, input: str
) -> None:
    try:
        _run(runtime, store, chosen, arn, name, input)
    except EngineUnavailable:
        # It is closed, and nothing is kept of express executions.
        return


def _start_express(
    runtime: Runtime, store: Store, chosen: Chosen, name: str | None, input: str
) -> Started:
    name = str(uuid.uuid4()) if name is None else name
    check_name(name)
    arn, now = _express_arn(chosen, name), store.now()
    run = threading.Thread(
        target=_run_alone,
        args=(runtime, store, chosen, arn, name, input),
        name="trunkline-express",
        daemon=True,
    )
    run.start()
    return Started(arn, name, now)


def run_express(
    runtime: Runtime, store: Store, text: str, name: str | None, input: str
) -> dict[str, Any]:
    """Runs an express execution to its end, as StartSyncExecution tells it."""
    check_input(input)
    chosen = choose(store, text)
    if not chosen.is_express:
        raise unsupported_type()
    name = str(uuid.uuid4()) if name is None else name
    check_name(name)
    arn = _express_arn(chosen, name)
    ended = _run(runtime, store, chosen, arn, name, input)
    took = max(1, round((ended.stopped - ended.started) * 1_000))
    told = {
        "executionArn": arn,
        "stateMachineArn": chosen.arn.unqualified,
        "name": name,
        "startDate": ended.started,
        "stopDate": ended.stopped,
        "status": ended.status,
        "input": input,
        "inputDetails": {"included": True},
        "outputDetails": {"included": True},
        # AWS bills in steps of 100 milliseconds and 64 MB.
        "billingDetails": {
            "billedMemoryUsedInMB": 64,
            "billedDurationInMilliseconds": -(-took // 100) * 100,
        },
    }
    for member in ("output", "error", "cause"):
        value = getattr(ended, member)
        if value is not None:
            told[member] = value
    return told
