"""API destinations as targets and as enrichments."""

from __future__ import annotations

from trunkline.aws.events.connection_store import destination_of, usable_connection
from trunkline.aws.events.requests import request_of
from trunkline.aws.events.tokens import notices_of
from trunkline.aws.targets.kind import Absent, Endpoint, Invocation, PipeTarget, TargetKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline.aws.arns import Resource
    from trunkline.aws.operation import Call
    from trunkline.aws.targets.kind import Definition, Sender


def _endpoint(call: Call, arn: Resource, target: Definition) -> Endpoint:
    destination = destination_of(call, target["Arn"])
    if destination is None:
        raise Absent(f"An api-destination '{arn.resource.removeprefix('api-destination/')}'")
    connection = usable_connection(call, destination)
    if isinstance(connection, str):
        return Endpoint(unavailable=connection)
    request = request_of(destination, connection, target)
    needs_token = request.token is not None
    return Endpoint(request=request, notices=notices_of(call.store) if needs_token else None)


def _invoke(sender: Sender, body: str) -> str:
    return sender.post(body)


API_DESTINATION = TargetKind(
    "api-destination",
    rule=_endpoint,
    pipe=PipeTarget(Invocation(_invoke), "HttpParameters"),
)
