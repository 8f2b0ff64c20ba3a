"""API destinations as targets and as enrichments."""

from __future__ import annotations

from trunkline._dataclasses import replace
from trunkline.aws.events.connection_store import destination_of, usable_connection
from trunkline.aws.events.requests import request_of
from trunkline.aws.events.tokens import notices_of
from trunkline.aws.targets.kind import Absent, Endpoint, Invocation, PipeTarget, TargetKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline.aws.arns import Resource
    from trunkline.aws.operation import Call
    from trunkline.aws.targets.kind import Definition, Sender


_HEADERS = {
    "user-agent": "Amazon/EventBridge/ApiDestinations",
    "range": "bytes=0-1048575",
    "accept-encoding": "gzip,deflate",
}
"""What AWS sends to an API destination beside the content type, unless the target or the connection
say otherwise."""


def _endpoint(call: Call, arn: Resource, target: Definition) -> Endpoint:
    destination = destination_of(call, target["Arn"])
    if destination is None:
        raise Absent(f"An api-destination '{arn.resource.removeprefix('api-destination/')}'")
    connection = usable_connection(call, destination)
    if isinstance(connection, str):
        return Endpoint(unavailable=connection)
    request = request_of(destination, connection, target)
    given = {name.lower() for name, _ in request.headers}
    usual = tuple(pair for pair in _HEADERS.items() if pair[0] not in given)
    request = replace(request, headers=(*usual, *request.headers))
    needs_token = request.token is not None
    return Endpoint(request=request, notices=notices_of(call.store) if needs_token else None)


def _invoke(sender: Sender, body: str) -> str:
    return sender.post(body)


API_DESTINATION = TargetKind(
    "api-destination",
    rule=_endpoint,
    pipe=PipeTarget(Invocation(_invoke), "HttpParameters"),
)
