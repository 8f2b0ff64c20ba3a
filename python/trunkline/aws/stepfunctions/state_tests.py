"""TestState: one state, tried alone, with its task carried out or mocked."""

from __future__ import annotations

import json
import random
import uuid

from trunkline._core import StatesProgram, StateTest
from trunkline.aws.errors import ServiceError
from trunkline.aws.stepfunctions import mock_results
from trunkline.aws.stepfunctions.connecting import runtime_of
from trunkline.aws.stepfunctions.errors import invalid
from trunkline.aws.stepfunctions.names import own_arn
from trunkline.aws.stepfunctions.registry import operations
from trunkline.machines.task import Owner, Task
from trunkline.machines.tasks import perform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call
    from trunkline.machines.runtime import Runtime
    from trunkline.machines.task import Report

_SHOWN = {
    "output": "output",
    "error": "error",
    "cause": "cause",
    "next_state": "nextState",
}
_CONTEXT = {
    "Execution": ("Id", "Name", "RoleArn", "StartTime", "RedriveTime"),
    "State": ("EnteredTime", "Name"),
    "StateMachine": ("Id", "Name"),
    "Task": ("Token",),
}
"""The members of a context object, and those of their members that are strings."""
_WAITING = (".sync", ".sync:2", ".waitForTaskToken")


@operations.add("TestState")
def try_state(
    call: Call,
    *,
    definition: str,
    role_arn: str | None = None,
    input: str = "{}",
    inspection_level: str = "INFO",
    reveal_secrets: bool = False,
    variables: str | None = None,
    state_name: str | None = None,
    mock: dict[str, Any] | None = None,
    context: str | None = None,
    state_configuration: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """What a state makes of an input."""
    mock, configuration = mock or {}, state_configuration or {}
    failure = mock.get("errorOutput")
    request = {
        "definition": definition,
        "state": state_name,
        "input": input,
        "variables": variables,
        "context": context,
        "mock_result": mock.get("result"),
        "mock_error": None if failure is None else (failure.get("error"), failure.get("cause")),
        "has_role": role_arn is not None,
        "reveals_secrets": reveal_secrets,
        "retries": configuration.get("retrierRetryCount", 0),
        "failed_iterations": configuration.get("mapIterationFailureCount"),
    }
    _check_context(context)
    name, machine = str(uuid.uuid4()), str(uuid.uuid4())
    owner = Owner(call.account, call.region, machine, name)
    try:
        test = StateTest(request, _identity(call, owner, role_arn), seed=random.getrandbits(64))
    except ValueError as error:
        raise ServiceError(*error.args) from None
    if test.resource is not None and mock.get("result") is not None:
        mode = mock.get("fieldValidationMode", "STRICT")
        mock_results.check(test.resource, mock["result"], mode)
    elif test.resource is not None and not mock:
        _check_unmocked(test.resource)
    told = _run(call, runtime_of(call.store.core), owner, test)
    shown = {"status": told["status"]}
    shown |= {wire: told[own] for own, wire in _SHOWN.items() if told[own] is not None}
    if inspection_level != "INFO":
        shown["inspectionData"] = json.loads(told["inspection"])
    return shown


def _check_context(text: str | None) -> None:
    """Raises for a context object with members that executions do not have."""
    if text is None or StatesProgram.malformed(text) is not None:
        # The test itself tells what is no JSON.
        return
    context = json.loads(text)
    reason: str | None
    for name, members in context.items() if isinstance(context, dict) else ():
        if name == "Map":
            reason = "'Map' field is not supported when mocking a Context object"
        elif name not in _CONTEXT:
            reason = f"Field '{name}' is not allowed"
        else:
            reason = _wrong_text(name, members)
        if reason is not None:
            raise invalid(f"Invalid Context object provided: {reason}")


def _wrong_text(name: str, members: Any) -> str | None:
    if not isinstance(members, dict):
        return f"{name} must be an object"
    for member in _CONTEXT[name]:
        if member in members and not isinstance(members[member], str):
            return f"{name}.{member} must be a string"
    return None


def _check_unmocked(resource: str) -> None:
    if resource.endswith(_WAITING) or ":activity:" in resource:
        raise invalid(
            "TestState supports activities, .sync and .waitForTaskToken only with a mock: "
            f"give one for {resource}"
        )


def _identity(call: Call, owner: Owner, role: str | None) -> dict[str, Any]:
    return {
        "execution_arn": own_arn(call, "express", owner.machine, owner.execution),
        "name": owner.execution,
        "role_arn": role or "",
        "machine_arn": own_arn(call, "stateMachine", owner.machine),
        "machine_name": owner.machine,
        "version_arn": None,
        "alias_arn": None,
        "region": call.region,
        "express": True,
    }


def _run(call: Call, runtime: Runtime, owner: Owner, test: StateTest) -> dict[str, Any]:
    """The report of a test; its task is carried out if it has one."""
    step = test.start(_now(call))
    while step["kind"] == "task":
        report = _end_of(runtime, owner, step)
        taken = test.answer(
            report.kind, _now(call), id=step["id"], first=report.first, second=report.second
        )
        if taken is None:
            raise RuntimeError("a test ended before the task that it waited for")
        step = taken
    return step


def _end_of(runtime: Runtime, owner: Owner, step: dict[str, Any]) -> Report:
    task = Task(
        owner,
        step["resource"],
        step["input"],
        step["token"] or f"test-{owner.execution}",
        step["credentials"],
        step["attempt"],
        step["timeout_seconds"],
    )
    return [report for report in perform(runtime, task) if report.kind != "started"][-1]


def _now(call: Call) -> int:
    return round(call.store.now() * 1_000)
