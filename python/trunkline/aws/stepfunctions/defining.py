"""State machines for programs of this process: the documents are those of the wire."""

from __future__ import annotations

import uuid

from trunkline.aws.errors import ServiceError
from trunkline.aws.stepfunctions import language, settings, starting
from trunkline.aws.stepfunctions.connecting import runtime_of
from trunkline.aws.stepfunctions.documents import machine_key
from trunkline.aws.stepfunctions.names import Arn, arn_of, check_name
from trunkline.aws.stepfunctions.publishing import remove_all
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


def start(core: CoreEngine, arn: str, name: str | None, input: str) -> str:
    """Starts an execution; its name."""
    try:
        started = starting.start(runtime_of(core), Store(core), arn, name, input)
    except ServiceError as error:
        raise as_program(error) from None
    return started.arn.rpartition(":")[2]
