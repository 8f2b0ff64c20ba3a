"""Event buses as targets."""

from __future__ import annotations

from trunkline.aws.events.names import existing_bus
from trunkline.aws.limits import PIPE_ENTRIES_MAX
from trunkline.aws.pipes.paths import text_at
from trunkline.aws.targets.kind import Absent, Batch, Endpoint, PipeTarget, TargetKind, Template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.arns import Resource
    from trunkline.aws.operation import Call
    from trunkline.aws.targets.kind import Definition, Entry, Failures, Sender


def _endpoint(call: Call, arn: Resource, target: Definition) -> Endpoint:
    name = arn.resource.removeprefix("event-bus/")
    bus = existing_bus(call, (*arn.owner, name))
    if bus is None:
        raise Absent(f"Event bus {name}")
    return Endpoint(resource=bus.id)


def _params(bus: Resource, target: Definition, text: str) -> dict[str, Any]:
    given = target["EventBridgeParameters"]
    entry = {"EventBusName": bus.arn, "Detail": text}
    return {"Entries": [entry | {name: given[name] for name in ("DetailType", "Source")}]}


def _entry(sender: Sender, record: Any, text: str) -> Entry:
    own = sender.own
    detail_type = own.get("DetailType", f"Event from aws:{sender.source_service}")
    entry = {
        "EventBusName": sender.resource.arn,
        "Detail": text,
        "DetailType": text_at(detail_type, record),
        "Source": text_at(own.get("Source", f"Pipe {sender.pipe_name}"), record),
        "Resources": [text_at(one, record) for one in own.get("Resources", ())],
    }
    if "Time" in own:
        entry["Time"] = text_at(own["Time"], record)
    return entry


def _put(sender: Sender, entries: list[Entry]) -> Failures:
    own = sender.own
    endpoint = {"EndpointId": own["EndpointId"]} if "EndpointId" in own else {}
    told = sender.call("events", "PutEvents", Entries=entries, **endpoint).get("Entries", ())
    return {
        place: f"{one['ErrorCode']}: {one.get('ErrorMessage', '')}"
        for place, one in enumerate(told)
        if "ErrorCode" in one
    }


BUS = TargetKind(
    "event-bus",
    rule=_endpoint,
    template=Template("events", "PutEvents", _params, lambda _: "EventBridgeParameters"),
    pipe=PipeTarget(Batch(_entry, _put, PIPE_ENTRIES_MAX), "EventBridgeEventBusParameters"),
)
