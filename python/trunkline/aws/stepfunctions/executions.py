"""Executions: started, described, listed, stopped, redriven; and their histories."""

from __future__ import annotations

import json

from trunkline.aws.errors import ServiceError
from trunkline.aws.limits import STATES_PAGE_DEFAULT, STATES_PAGE_MAX
from trunkline.aws.stepfunctions import machines, map_runs, starting
from trunkline.aws.stepfunctions.connecting import runtime_of
from trunkline.aws.stepfunctions.documents import read_machine
from trunkline.aws.stepfunctions.errors import (
    invalid_token,
    no_such_execution,
    unsupported_type,
)
from trunkline.aws.stepfunctions.names import Arn
from trunkline.aws.stepfunctions.registry import operations
from trunkline.aws.stepfunctions.telling import (
    described,
    event_of,
    listed,
    qualifiers,
    without_content,
)
from trunkline.errors import NotFound, TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Execution, Machine
    from trunkline.aws.operation import Call


def find(call: Call, text: str) -> tuple[Arn, Machine, Execution]:
    """The execution of a resource name; raises if there is none."""
    arn = Arn.parse(text, "execution")
    machine = runtime_of(call.store.core).machines.find((arn.account, arn.region, arn.name))
    if machine is None or arn.qualifier is None:
        raise no_such_execution(text)
    try:
        return arn, machine, machine.status(arn.qualifier)
    except NotFound:
        raise no_such_execution(text) from None


@operations.add("StartExecution", writes=True)
def start_execution(
    call: Call,
    *,
    state_machine_arn: str,
    name: str | None = None,
    input: str = "{}",
    trace_header: str | None = None,
) -> dict[str, Any]:
    """Starts an execution, which runs until it waits before the answer comes."""
    started = starting.start(
        runtime_of(call.store.core), call.store, state_machine_arn, name, input
    )
    return {"executionArn": started.arn, "startDate": started.at}


@operations.add("StartSyncExecution")
def start_sync_execution(
    call: Call,
    *,
    state_machine_arn: str,
    name: str | None = None,
    input: str = "{}",
    trace_header: str | None = None,
    included_data: str = "ALL_DATA",
) -> dict[str, Any]:
    """Runs an express execution to its end."""
    told = starting.run_express(
        runtime_of(call.store.core), call.store, state_machine_arn, name, input
    )
    return without_content(told) if included_data == "METADATA_ONLY" else told


@operations.add("DescribeExecution")
def describe_execution(
    call: Call, *, execution_arn: str, included_data: str = "ALL_DATA"
) -> dict[str, Any]:
    """How an execution stands, with its input and output."""
    arn, machine, execution = find(call, execution_arn)
    told = described(arn, machine, execution)
    return without_content(told) if included_data == "METADATA_ONLY" else told


@operations.add("DescribeStateMachineForExecution")
def describe_state_machine_for_execution(
    call: Call, *, execution_arn: str, included_data: str = "ALL_DATA"
) -> dict[str, Any]:
    """The state machine as it was when an execution started."""
    arn, machine, execution = find(call, execution_arn)
    definition, document = machine.program(execution.program)
    kept = json.loads(document) | {"definition": definition, "name": arn.name}
    told = machines.content(kept, included_data)
    return {**told, "stateMachineArn": arn.unqualified, "updateDate": kept["updated"]}


@operations.add("ListExecutions")
def list_executions(
    call: Call,
    *,
    state_machine_arn: str | None = None,
    status_filter: str | None = None,
    max_results: int | None = None,
    next_token: str | None = None,
    map_run_arn: str | None = None,
    redrive_filter: str | None = None,
) -> dict[str, Any]:
    """The executions of a state machine, the newest first."""
    if (state_machine_arn is None) == (map_run_arn is None):
        raise ServiceError("ValidationException", "Must provide a StateMachine ARN or MapRun ARN")
    if map_run_arn is not None:
        arn = map_runs.children_of(call, map_run_arn)
    else:
        arn = Arn.parse(state_machine_arn or "", "stateMachine")
        if read_machine(call.store, arn.unqualified)["type"] == "EXPRESS":
            raise unsupported_type()
    before = None if next_token is None else _number(next_token)
    machine = runtime_of(call.store.core).machines.find((arn.account, arn.region, arn.name))
    if machine is None or status_filter == "PENDING_REDRIVE":
        return {"executions": []}
    most = min(max_results or STATES_PAGE_DEFAULT, STATES_PAGE_MAX)
    shown: list[dict[str, Any]] = []
    last = 0
    while True:
        found = machine.executions(status_filter, before, most + 1)
        for execution in found:
            told = listed(arn, execution)
            is_other = map_run_arn is not None and told.get("mapRunArn") != map_run_arn
            if is_other or not _is_wanted(arn, told, redrive_filter):
                continue
            if len(shown) == most:
                return {"executions": shown, "nextToken": str(last)}
            shown.append(told)
            last = execution.number
        if len(found) <= most:
            return {"executions": shown}
        before = found[-1].number


def _number(token: str) -> int:
    if not token.isascii() or not token.isdigit() or int(token) >= 1 << 32:
        raise invalid_token("Invalid token")
    return int(token)


def _is_wanted(arn: Arn, told: dict[str, Any], redriven: str | None) -> bool:
    qualifiers = (told.get("stateMachineVersionArn"), told.get("stateMachineAliasArn"))
    if arn.qualifier is not None and arn.text not in qualifiers:
        return False
    if redriven is None:
        return True
    return bool(told["redriveCount"]) == (redriven == "REDRIVEN")


@operations.add("GetExecutionHistory")
def get_execution_history(
    call: Call,
    *,
    execution_arn: str,
    max_results: int | None = None,
    reverse_order: bool = False,
    next_token: str | None = None,
    include_execution_data: bool = True,
) -> dict[str, Any]:
    """The events of an execution."""
    _, machine, execution = find(call, execution_arn)
    start = 0 if next_token is None else _number(next_token)
    most = min(max_results or STATES_PAGE_DEFAULT, STATES_PAGE_MAX)
    end = min(start + most, execution.events)
    if reverse_order:
        texts = machine.history_page(execution.name, execution.events - end + 1, end - start)
        texts.reverse()
    else:
        texts = machine.history_page(execution.name, start + 1, end - start)
    events = [event_of(text, include_execution_data) for text in texts]
    if end >= execution.events:
        return {"events": events}
    return {"events": events, "nextToken": str(end)}


@operations.add("StopExecution", writes=True)
def stop_execution(
    call: Call, *, execution_arn: str, error: str | None = None, cause: str | None = None
) -> dict[str, Any]:
    """Ends an execution now; one that has ended stays as it is."""
    _, machine, execution = find(call, execution_arn)
    machine.stop(execution.name, error, cause)
    stopped = machine.status(execution.name).stopped
    return {"stopDate": call.store.now() if stopped is None else stopped / 1_000}


@operations.add("RedriveExecution", writes=True)
def redrive_execution(
    call: Call, *, execution_arn: str, client_token: str | None = None
) -> dict[str, Any]:
    """Lets an execution that failed, was stopped or timed out go on at what failed."""
    arn, machine, execution = find(call, execution_arn)
    if execution.status in ("RUNNING", "SUCCEEDED"):
        reason = described(arn, machine, execution)["redriveStatusReason"]
        raise ServiceError(
            "ExecutionNotRedrivable",
            f"Execution cannot be redriven: '{arn.text}'. {reason}",
        )
    if "mapRunArn" in qualifiers(execution):
        text = f"Execution cannot be redriven: '{arn.text}'. Its map run redrives it."
        raise ServiceError("ExecutionNotRedrivable", text)
    try:
        machine.redrive(execution.name)
    except TrunklineError as error:
        raise ServiceError("ExecutionNotRedrivable", str(error)) from None
    redriven = machine.status(execution.name).redriven
    return {"redriveDate": call.store.now() if redriven is None else redriven / 1_000}
