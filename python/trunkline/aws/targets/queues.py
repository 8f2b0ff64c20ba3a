"""SQS queues as targets."""

from __future__ import annotations

from trunkline.aws.defaults import BASE
from trunkline.aws.events.errors import invalid
from trunkline.aws.limits import PIPE_ENTRIES_MAX
from trunkline.aws.pipes.paths import text_at
from trunkline.aws.targets.kind import Absent, Batch, Endpoint, PipeTarget, TargetKind, Template
from trunkline.aws.targets.numbered import failures_of, numbered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.arns import Resource
    from trunkline.aws.operation import Call
    from trunkline.aws.targets.kind import Definition, Entry, Failures, Sender


def _url(queue: Resource) -> str:
    return f"{BASE}/queue/{queue.region}/{queue.account}/{queue.resource}"


def _endpoint(call: Call, arn: Resource, target: Definition) -> Endpoint:
    queue = call.store.core.find_queue((*arn.owner, arn.resource))
    if queue is None:
        raise Absent(f"SQS queue {arn.resource}")
    group = (target.get("SqsParameters") or {}).get("MessageGroupId")
    if queue.settings.fifo and not group:
        raise invalid(f"Parameter(s) SqsParameters must be specified for target: {target['Id']}.")
    return Endpoint(resource=queue.id)


def _params(queue: Resource, target: Definition, text: str) -> dict[str, Any]:
    group = target.get("SqsParameters", {}).get("MessageGroupId")
    params = {"QueueUrl": _url(queue), "MessageBody": text}
    return params if group is None else params | {"MessageGroupId": group}


def _entry(sender: Sender, record: Any, text: str) -> Entry:
    own = sender.own
    return {"MessageBody": text} | {name: text_at(own[name], record) for name in own}


def _put(sender: Sender, entries: list[Entry]) -> Failures:
    queue = _url(sender.resource)
    return failures_of(
        sender.call("sqs", "SendMessageBatch", QueueUrl=queue, Entries=numbered(entries))
    )


def _is_fifo(queue: Resource) -> bool:
    return queue.resource.endswith(".fifo")


QUEUE = TargetKind(
    "sqs",
    rule=_endpoint,
    template=Template(
        "sqs",
        "SendMessage",
        _params,
        lambda queue: "SqsParameters.MessageGroupId" if _is_fifo(queue) else None,
    ),
    pipe=PipeTarget(
        Batch(_entry, _put, PIPE_ENTRIES_MAX),
        "SqsQueueParameters",
        lambda queue: "MessageGroupId" if _is_fifo(queue) else None,
    ),
)
