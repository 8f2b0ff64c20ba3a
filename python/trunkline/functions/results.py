"""What is told of asynchronous invocations: records for destinations, and dead letters."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from trunkline._begun import begun
from trunkline._core import encode_attributes
from trunkline.errors import ResourceNotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline.functions.invocation import Invocation, Outcome

SUCCESS, EXHAUSTED, TOO_OLD = "Success", "RetriesExhausted", "EventAgeExceeded"
"""Why a record is sent."""

MESSAGE_CHARS_MAX = 1_024
"""How much of an error's message a dead letter has."""


def record(
    core: CoreEngine, invocation: Invocation, outcome: Outcome | None, condition: str, attempts: int
) -> dict[str, Any]:
    """The record of an invocation that ended; `outcome` is None of one that never began."""
    told: dict[str, Any] = {
        "version": "1.0",
        "timestamp": iso(core.now()),
        "requestContext": {
            "requestId": invocation.request_id,
            "functionArn": f"{invocation.function.arn}:{invocation.qualifier or '$LATEST'}",
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "requestPayload": _value(invocation.payload),
    }
    if outcome is not None:
        told["responseContext"] = {"statusCode": 200, "executedVersion": invocation.version}
        if outcome.error is not None:
            told["responseContext"]["functionError"] = outcome.error
        told["responsePayload"] = _value(outcome.payload)
    return told


def iso(at: float) -> str:
    """A time as Lambda writes it.

    >>> iso(1_000.5)
    '1970-01-01T00:16:40.500Z'
    """
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _value(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode("utf-8", "replace")


def send_record(core: CoreEngine, target: int, told: dict[str, Any]) -> None:
    """Sends a record to a destination: as an event to a bus, as JSON to everything else."""
    kind, account, region, name = _named(core, target)
    if kind != "bus":
        send(core, target, json.dumps(told))
        return
    outcome = "Success" if told["requestContext"]["condition"] == SUCCESS else "Failure"
    event = {
        "source": "lambda",
        "detail-type": f"Lambda Function Invocation Result - {outcome}",
        "resources": [told["requestContext"]["functionArn"]],
        "detail": told,
    }
    bus = core.bus((account, region, name), False)
    if bus is None:
        raise _gone(target)
    bus.put(json.dumps(event))


def send_dead_letter(
    core: CoreEngine, target: int, invocation: Invocation, outcome: Outcome | None, condition: str
) -> None:
    """Sends the event of an invocation to a dead-letter queue or topic."""
    told = {} if outcome is None else outcome.error_fields()
    message = str(told.get("errorMessage", condition)) or condition
    attributes = [
        ("RequestID", "String", invocation.request_id.encode()),
        ("ErrorCode", "Number", b"200"),
        ("ErrorMessage", "String", message[:MESSAGE_CHARS_MAX].encode()),
    ]
    send(core, target, invocation.payload, encode_attributes(attributes))


def send(core: CoreEngine, target: int, body: bytes | str, attributes: bytes | None = None) -> None:
    """Sends a message to a queue, a topic or a function, by its id."""
    kind, account, region, name = _named(core, target)
    if kind == "topic":
        topic = core.topic((account, region, name), False, None, None)
        if topic is None:
            raise _gone(target)
        topic.publish(body, attributes, None, None, None)
        return
    if not region:
        # Queues of the outbox have no region: this one is a function's.
        core.outbox().deliver(target, body)
        return
    queue = core.queue_by_id(target)
    if queue is None:
        raise _gone(target)
    begun(queue.begin_send, body, None, None, None, attributes)


def _named(core: CoreEngine, target: int) -> tuple[str, str, str, str]:
    name = core.name_of(target)
    if name is None:
        raise _gone(target)
    return name


def _gone(target: int) -> ResourceNotFound:
    return ResourceNotFound(
        f"The resource {target}, a destination of a function, was removed. Name another one."
    )
