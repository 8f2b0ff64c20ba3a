"""Verbs of state machines and functions."""

from __future__ import annotations

import json

from trunkline.admin.forms import LIMIT, check_limit
from trunkline.admin.registry import reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.engine import Engine
    from trunkline.machines.machine import Execution, StateMachine


def _machine(engine: Engine, name: str, account: str | None, region: str | None) -> StateMachine:
    return engine.machine(name, account=account, region=region)


@reading
def executions(
    engine: Engine,
    machine: str,
    status: str | None = None,
    limit: int = LIMIT,
    account: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """The executions of a state machine, the newest first."""
    check_limit(limit)
    found = _machine(engine, machine, account, region).executions(status)
    return {"items": [_row(one) for one in found[:limit]], "total": len(found)}


def _row(one: Execution) -> dict[str, Any]:
    told = one._status()
    return {
        "name": one.name,
        "status": told.status,
        "started_at": told.started / 1_000,
        "stopped_at": None if told.stopped is None else told.stopped / 1_000,
        "redrives": told.redrives,
    }


@reading
def execution(
    engine: Engine,
    machine: str,
    name: str,
    account: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """One execution with its definition, input, output and history."""
    of = _machine(engine, machine, account, region)
    one = of.execution(name)
    definition, _ = of._core().program(one._status().program)
    return {
        **_row(one),
        "input": one.input,
        "output": one.output,
        "error": one.error,
        "cause": one.cause,
        "definition": json.loads(definition),
        "history": one.history(),
    }


def start(
    engine: Engine,
    machine: str,
    input: Any = None,
    name: str | None = None,
    account: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """Start an execution."""
    one = _machine(engine, machine, account, region).start(input, name=name)
    return {"name": one.name, "status": one.status}


def stop(
    engine: Engine,
    machine: str,
    name: str,
    error: str | None = None,
    cause: str | None = None,
    account: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """Stop an execution that runs."""
    one = _machine(engine, machine, account, region).execution(name)
    one.stop(error, cause)
    return {"name": one.name, "status": one.status}


def invoke(engine: Engine, function: str, event: Any = None) -> dict[str, Any]:
    """Call a function of the default account with an event, and wait for what it returns."""
    from trunkline.errors import ResourceNotFound

    for one in engine.functions(function):
        if one.name == function:
            return {"output": one.invoke(event)}
    raise ResourceNotFound(f"There is no function {function!r} in this process.")
