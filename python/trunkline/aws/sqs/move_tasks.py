"""Message move tasks: back from a dead-letter queue."""

from __future__ import annotations

import base64
import binascii
import json

from trunkline.aws.errors import ServiceError
from trunkline.aws.sqs.errors import invalid, invalid_value, missing, no_such_resource
from trunkline.aws.sqs.registry import operations
from trunkline.aws.sqs.resources import arn_of, find_arn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import MoveStatus, Queue
    from trunkline.aws.operation import Call

_RATE_MAX = 500
_RESULTS_MAX = 10


@operations.add("StartMessageMoveTask", writes=True)
def start_message_move_task(
    call: Call,
    *,
    source_arn: str = "",
    destination_arn: str | None = None,
    max_number_of_messages_per_second: int | None = None,
) -> dict[str, Any]:
    """Starts to move messages of a dead-letter queue, to where they came from or all to one."""
    if not source_arn:
        raise missing("SourceArn")
    rate = max_number_of_messages_per_second
    if rate is not None and not 1 <= rate <= _RATE_MAX:
        raise invalid_value(
            rate, "MaxNumberOfMessagesPerSecond", f"Must be between 1 and {_RATE_MAX}, if provided."
        )
    source = _own(call, source_arn, "SourceArn")
    target = None
    if destination_arn is not None:
        target = _own(call, destination_arn, "DestinationArn")
    if not call.store.core.dead_letter_sources(source.id):
        raise invalid("Source queue must be configured as a Dead Letter Queue.")
    with call.store.lock:
        if any(
            task.status in ("RUNNING", "CANCELLING") for task in call.store.core.moves(source.id)
        ):
            raise invalid(
                "There is already a task running. Only one active task is allowed for a source "
                "queue arn at a given time."
            )
        task = source.start_move(None if target is None else target.id, rate)
    return {"TaskHandle": _handle(task, source_arn)}


@operations.add("CancelMessageMoveTask", writes=True)
def cancel_message_move_task(call: Call, *, task_handle: str = "") -> dict[str, Any]:
    """Stops a task that runs; what it moved stays moved."""
    if not task_handle:
        raise missing("TaskHandle")
    task, source_arn = _read_handle(task_handle)
    source = _own(call, source_arn, "SourceArn")
    running = (
        status
        for status in call.store.core.moves(source.id)
        if status.task == task and status.status == "RUNNING"
    )
    if next(running, None) is None:
        raise ServiceError("ResourceNotFoundException", "Task does not exist.", 404)
    return {"ApproximateNumberOfMessagesMoved": call.store.core.cancel_move(task)}


@operations.add("ListMessageMoveTasks")
def list_message_move_tasks(
    call: Call, *, source_arn: str = "", max_results: int = 1
) -> dict[str, Any]:
    """The tasks of a queue, newest first."""
    if not source_arn:
        raise missing("SourceArn")
    if not 1 <= max_results <= _RESULTS_MAX:
        raise invalid_value(
            max_results, "MaxResults", f"Must be between 1 and {_RESULTS_MAX}, if provided."
        )
    source = _own(call, source_arn, "SourceArn")
    tasks = call.store.core.moves(source.id)[:max_results]
    results = [_describe(call, source_arn, task) for task in tasks]
    return {"Results": results}


def _own(call: Call, arn: str, parameter: str) -> Queue:
    queue = find_arn(call, arn)
    if queue is None or (queue.account, queue.region) != (call.account, call.region):
        raise no_such_resource(parameter)
    return queue


def _describe(call: Call, source_arn: str, task: MoveStatus) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "SourceArn": source_arn,
        "Status": task.status,
        "StartedTimestamp": int(task.started_at * 1_000),
        "ApproximateNumberOfMessagesMoved": task.moved,
        "ApproximateNumberOfMessagesToMove": task.total,
    }
    if task.status == "RUNNING":
        entry["TaskHandle"] = _handle(task.task, source_arn)
    if task.destination is not None:
        target = call.store.core.queue_by_id(task.destination)
        if target is not None:
            entry["DestinationArn"] = arn_of(target)
    if task.rate is not None:
        entry["MaxNumberOfMessagesPerSecond"] = task.rate
    if task.failure is not None:
        entry["FailureReason"] = (
            "AWS.SimpleQueueService.NonExistentQueue"
            if "QueueDoesNotExist" in task.failure
            else task.failure
        )
    return entry


def _handle(task: int, source_arn: str) -> str:
    plain = json.dumps({"taskId": task, "sourceArn": source_arn}, separators=(",", ":"))
    return base64.urlsafe_b64encode(plain.encode()).decode()


def _read_handle(handle: str) -> tuple[int, str]:
    try:
        plain = json.loads(base64.urlsafe_b64decode(handle.encode()))
        return int(plain["taskId"]), str(plain["sourceArn"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise invalid("Value for parameter TaskHandle is invalid.") from None
