"""Message move tasks: back from a dead-letter queue."""

from __future__ import annotations

import base64
import binascii

from trunkline.aws.errors import ServiceError
from trunkline.aws.json_text import read_object, write_object
from trunkline.aws.limits import MOVE_TASKS_MAX
from trunkline.aws.sqs.errors import invalid, invalid_value, missing, no_such_resource
from trunkline.aws.sqs.registry import operations
from trunkline.aws.sqs.resources import arn_of, find_arn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline._core import MoveStatus, Queue
    from trunkline.aws.operation import Call


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
    rate, most = max_number_of_messages_per_second, call.store.limit("move_rate_max")
    if rate is not None and not 1 <= rate <= most:
        raise invalid_value(
            rate, "MaxNumberOfMessagesPerSecond", f"Must be between 1 and {most}, if provided."
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
        number = source.start_move(None if target is None else target.id, rate)
        tasks = call.store.core.moves(source.id)
        if destination_arn is not None:
            _remember(call, source, tasks, number, destination_arn)
    task = next(task for task in tasks if task.task == number)
    return {"TaskHandle": _handle(task, source_arn)}


@operations.add("CancelMessageMoveTask", writes=True)
def cancel_message_move_task(call: Call, *, task_handle: str = "") -> dict[str, Any]:
    """Stops a task that runs; what it moved stays moved."""
    if not task_handle:
        raise missing("TaskHandle")
    task_id = _read_handle(task_handle)
    # The queue for which the caller's right was checked, and no other.
    source = None if call.target is None else call.store.core.find_queue(call.target)
    if source is not None and (source.account, source.region) == (call.account, call.region):
        for task in call.store.core.moves(source.id):
            if task.status == "RUNNING" and _id_of(task, arn_of(source)) == task_id:
                return {"ApproximateNumberOfMessagesMoved": call.store.core.cancel_move(task.task)}
    raise ServiceError("ResourceNotFoundException", "Task does not exist.", 404)


@operations.add("ListMessageMoveTasks")
def list_message_move_tasks(
    call: Call, *, source_arn: str = "", max_results: int = 1
) -> dict[str, Any]:
    """The tasks of a queue, newest first."""
    if not source_arn:
        raise missing("SourceArn")
    if not 1 <= max_results <= MOVE_TASKS_MAX:
        raise invalid_value(
            max_results, "MaxResults", f"Must be between 1 and {MOVE_TASKS_MAX}, if provided."
        )
    source = _own(call, source_arn, "SourceArn")
    tasks = call.store.core.moves(source.id)[:max_results]
    remembered = call.store.get(_key(source)) or {}
    results = [_describe(call, source_arn, task, remembered) for task in tasks]
    return {"Results": results}


def _own(call: Call, arn: str, parameter: str) -> Queue:
    queue = find_arn(call, arn)
    if queue is None or (queue.account, queue.region) != (call.account, call.region):
        raise no_such_resource(parameter)
    return queue


# The engine's reasons in AWS's words.
_FAILURES = {
    "NoDestination": "AWS.SimpleQueueService.NonExistentQueue",
    "NoSource": "CouldNotDetermineMessageSource",
}


def _key(source: Queue) -> str:
    return f"sqs/move-destinations/{source.id}"


def _remember(
    call: Call, source: Queue, tasks: Sequence[MoveStatus], number: int, destination: str
) -> None:
    # A task is listed with its destination also when that queue is gone.
    known = (call.store.get(_key(source)) or {}) | {str(number): destination}
    listed = {str(task.task) for task in tasks}
    call.store.put(_key(source), {task: arn for task, arn in known.items() if task in listed})


def _describe(
    call: Call, source_arn: str, task: MoveStatus, destinations: Mapping[str, str]
) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "SourceArn": source_arn,
        "Status": task.status,
        "StartedTimestamp": int(task.started_at * 1_000),
        "ApproximateNumberOfMessagesMoved": task.moved,
        "ApproximateNumberOfMessagesToMove": task.total,
    }
    if task.status == "RUNNING":
        entry["TaskHandle"] = _handle(task, source_arn)
    if task.destination is not None:
        target = call.store.core.queue_by_id(task.destination)
        destination = destinations.get(str(task.task)) if target is None else arn_of(target)
        if destination is not None:
            entry["DestinationArn"] = destination
    if task.rate is not None:
        entry["MaxNumberOfMessagesPerSecond"] = task.rate
    if task.failure is not None:
        entry["FailureReason"] = _FAILURES.get(task.failure, task.failure)
    return entry


def _id_of(task: MoveStatus, source_arn: str) -> str:
    from uuid import NAMESPACE_URL, uuid5

    # AWS's are UUIDs; the engine counts its tasks.
    return str(uuid5(NAMESPACE_URL, f"{source_arn}/{task.task}/{task.started_at:.3f}"))


def _handle(task: MoveStatus, source_arn: str) -> str:
    plain = write_object({"taskId": _id_of(task, source_arn), "sourceArn": source_arn})
    return base64.urlsafe_b64encode(plain.encode()).decode()


def _read_handle(handle: str) -> str:
    """The id of the task; which queue it belongs to is in `Call.target`."""
    from uuid import UUID

    try:
        plain = read_object(base64.urlsafe_b64decode(handle.encode()).decode()) or {}
        return str(UUID(plain["taskId"]))
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError):
        raise invalid("Value for parameter TaskHandle is invalid.") from None
