"""State machines for programs of this process: the documents are those of the wire."""

from __future__ import annotations

import random
import uuid

from trunkline.aws.errors import ServiceError
from trunkline.aws.stepfunctions import language, settings, starting
from trunkline.aws.stepfunctions.connecting import runtime_of
from trunkline.aws.stepfunctions.documents import folder, machine_key
from trunkline.aws.stepfunctions.names import Arn, arn_of, check_name
from trunkline.aws.stepfunctions.publishing import remove_all
from trunkline.aws.stepfunctions.starting import Current
from trunkline.aws.store import Store
from trunkline.errors import (
    ConflictException,
    ResourceNotFound,
    TrunklineError,
    ValidationException,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline._core import Engine as CoreEngine
    from trunkline.aws.stepfunctions.starting import Chosen, Prepared, Started


def _arn(name: tuple[str, str, str]) -> Arn:
    account, region, short = name
    check_name(short)
    return Arn.parse(arn_of(account, region, "stateMachine", short))


def put(core: CoreEngine, name: tuple[str, str, str], definition: str) -> None:
    """Creates a state machine, or changes its definition."""
    arn, store = _arn(name), Store(core)
    language.check(definition, "STANDARD")
    with store.lock:
        kept = store.get(machine_key(arn))
        if kept is not None and kept["definition"] == definition:
            return
        now = store.now()
        if kept is not None:
            changed = {"definition": definition, "revision": str(uuid.uuid4()), "updated": now}
            store.put(machine_key(arn), kept | changed)
        else:
            made = {
                "arn": arn.text,
                "name": arn.name,
                "type": "STANDARD",
                "definition": definition,
                "role": f"arn:aws:iam::{arn.account}:role/trunkline",
                "logging": settings.logging(None),
                "tracing": settings.tracing(None),
                "encryption": settings.encryption(None),
                "tags": {},
                "revision": None,
                "versions": 0,
                "created": now,
                "updated": now,
            }
            store.put(machine_key(arn), made)
    store.flush()


def find(core: CoreEngine, name: tuple[str, str, str]) -> str | None:
    """The ARN of the state machine of this name."""
    arn = _arn(name)
    return None if Store(core).get(machine_key(arn)) is None else arn.text


def names(core: CoreEngine, account: str, region: str, prefix: str) -> list[str]:
    """The names of the state machines of a region that start with `prefix`, sorted."""
    found = Store(core).every(folder(account, region, "machine"), prefix)
    return [str(document["name"]) for document in found]


def remove(core: CoreEngine, name: tuple[str, str, str]) -> None:
    """Removes a state machine with its executions."""
    arn, store = _arn(name), Store(core)
    with store.lock:
        remove_all(store, arn)
        store.put(machine_key(arn), None)
    runtime = runtime_of(core)
    machine = runtime.machines.find(name)
    if machine is not None:
        machine.remove()
    # With the children of its map runs.
    for children in runtime.machines.list(name[0], name[1], f"{name[2]}/"):
        children.remove()
    runtime.forget_functions(name)
    store.flush()


def as_program(error: ServiceError) -> TrunklineError:
    """An error of the wire as programs of this process get it."""
    if error.code == "ExecutionAlreadyExists":
        return ConflictException(error.message)
    if error.code == "StateMachineDoesNotExist":
        return ResourceNotFound(error.message)
    return ValidationException(error.message)


class Starter:
    """Starts executions of one state machine, which is made ready once for all of them."""

    def __init__(self, core: CoreEngine, arn: str) -> None:
        self._runtime = runtime_of(core)
        self._store = Store(core)
        self._arn = arn
        self._current: Current[Prepared | None] = Current(self._store, arn, self._prepare)
        # One of its own: the program may give a seed to that of the module. No system call a name.
        self._random = random.Random()

    def start(self, name: str | None, input: str) -> str:
        """Starts an execution; its name."""
        try:
            starting.check_input(input)
            if name is None:
                name = str(uuid.UUID(bytes=self._random.randbytes(16), version=4))
            prepared = self._current.get()
            if prepared is None:
                started = starting.start(self._runtime, self._store, self._arn, name, input)
            else:
                started = self._started(prepared, name, input)
        except ServiceError as error:
            raise as_program(error) from None
        return started.name

    def _started(self, prepared: Prepared, name: str, input: str) -> Started:
        try:
            return prepared.start(name, input)
        except ResourceNotFound:
            # It was removed, and made again as it was.
            self._current.forget()
            return starting.start(self._runtime, self._store, self._arn, name, input)

    def _prepare(self, chosen: Chosen) -> Prepared | None:
        return None if chosen.is_express else starting.prepare(self._runtime, chosen)
