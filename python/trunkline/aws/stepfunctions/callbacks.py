"""What workers report by task token, and the tasks of activities that they fetch."""

from __future__ import annotations

import json
import time

from trunkline._core import StatesProgram
from trunkline.aws.errors import ServiceError
from trunkline.aws.limits import STATES_PAYLOAD_BYTES_MAX
from trunkline.aws.stepfunctions import destinations
from trunkline.aws.stepfunctions.activities import read_activity
from trunkline.aws.stepfunctions.connecting import runtime_of
from trunkline.aws.stepfunctions.errors import invalid_token, no_such_activity
from trunkline.aws.stepfunctions.registry import operations
from trunkline.errors import EngineUnavailable, NotFound, TrunklineError
from trunkline.machines.task import Report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.operation import Call

POLL_SECONDS = 60.0
LOOK_MS = 500


def _report(call: Call, token: str, report: Report) -> None:
    runtime = runtime_of(call.store.core)
    runtime.until_called(token)
    try:
        taken = runtime.machines.report(token, report.kind, report.first, report.second)
    except EngineUnavailable:
        raise
    except TrunklineError:
        raise invalid_token("Invalid token") from None
    if taken is None:
        raise ServiceError("TaskDoesNotExist", "Task Does Not Exist: 'The execution is gone.'")
    if not taken:
        text = "Task Timed Out: 'Provided task does not exist anymore'"
        raise ServiceError("TaskTimedOut", text)


@operations.add("SendTaskSuccess", writes=True)
def send_task_success(call: Call, *, task_token: str, output: str) -> None:
    """Ends a task well."""
    reason = StatesProgram.malformed(output)
    if reason is not None:
        raise ServiceError("InvalidOutput", f"Invalid Output: '{reason}'")
    if len(output.encode()) > STATES_PAYLOAD_BYTES_MAX:
        raise ServiceError("InvalidOutput", "Invalid Output: 'The output is too long.'")
    _report(call, task_token, Report("succeeded", output))


@operations.add("SendTaskFailure", writes=True)
def send_task_failure(
    call: Call, *, task_token: str, error: str | None = None, cause: str | None = None
) -> None:
    """Ends a task as failed."""
    _report(call, task_token, Report("failed", error, cause))


@operations.add("SendTaskHeartbeat", writes=True)
def send_task_heartbeat(call: Call, *, task_token: str) -> None:
    """Says that a task is still worked at."""
    _report(call, task_token, Report("heartbeat"))


@operations.add("GetActivityTask")
def get_activity_task(
    call: Call, *, activity_arn: str, worker_name: str | None = None
) -> dict[str, Any]:
    """The next task of an activity; waits up to a minute for one."""
    read_activity(call, activity_arn)
    core = call.store.core
    outbox = core.outbox()
    destination = outbox.find(destinations.name(activity_arn))
    if destination is None:
        return {}
    handler = outbox.handler(destination)
    until = time.monotonic() + POLL_SECONDS
    while time.monotonic() < until:
        try:
            leased = handler.lease(1, LOOK_MS)
        except NotFound:
            raise no_such_activity(activity_arn) from None
        for delivery in leased:
            told = json.loads(delivery.body)
            taken = runtime_of(core).machines.report(told["token"], "started", worker_name)
            handler.delivered(delivery)
            # A task that timed out meanwhile takes no result any more.
            if taken:
                text = json.dumps(told["input"], separators=(",", ":"), ensure_ascii=False)
                return {"taskToken": told["token"], "input": text}
    return {}
