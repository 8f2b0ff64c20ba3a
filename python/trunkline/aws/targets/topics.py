"""SNS topics as targets."""

from __future__ import annotations

from trunkline.aws.limits import PIPE_ENTRIES_MAX
from trunkline.aws.targets.kind import Absent, Batch, Endpoint, PipeTarget, TargetKind, Template
from trunkline.aws.targets.numbered import failures_of, numbered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.arns import Resource
    from trunkline.aws.operation import Call
    from trunkline.aws.targets.kind import Definition, Entry, Failures, Sender


def _endpoint(call: Call, arn: Resource, target: Definition) -> Endpoint:
    topic = call.store.core.topic((*arn.owner, arn.resource), False, None, None)
    if topic is None:
        raise Absent(f"SNS topic {arn.resource}")
    return Endpoint(resource=topic.id)


def _params(topic: Resource, target: Definition, text: str) -> dict[str, Any]:
    return {"TopicArn": topic.arn, "Message": text}


def _entry(sender: Sender, record: Any, text: str) -> Entry:
    return {"Message": text}


def _put(sender: Sender, entries: list[Entry]) -> Failures:
    topic = sender.resource.arn
    params = {"TopicArn": topic, "PublishBatchRequestEntries": numbered(entries)}
    return failures_of(sender.call("sns", "PublishBatch", **params))


TOPIC = TargetKind(
    "sns",
    rule=_endpoint,
    template=Template("sns", "Publish", _params),
    pipe=PipeTarget(Batch(_entry, _put, PIPE_ENTRIES_MAX)),
)
