"""The events of connections and API destinations on the default bus."""

from __future__ import annotations

from datetime import UTC, datetime

from trunkline.aws.events.connection_store import destinations_of
from trunkline.aws.service_events import emit_service_event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline.aws.operation import Call


# What a state of a connection means for the API destinations that use it.
_DESTINATIONS = {"Authorized": "Activated", "Deauthorized": "Deactivated"}


def emit_connection(call: Call, connection: Mapping[str, Any], what: str) -> None:
    """Tells that a connection changed its state: `Authorized`, `Update Started`..."""
    reason = connection.get("StateReason")
    detail = {
        "ConnectionName": connection["Name"],
        **({} if reason is None else {"StateReason": reason}),
        "Timestamp": _time(call),
    }
    _emit(call, f"Connection {what}", detail, connection["ConnectionArn"])
    of_destinations = _DESTINATIONS.get(what)
    if of_destinations is not None:
        for destination in destinations_of(call, connection["ConnectionArn"]):
            emit_destination(call, destination, of_destinations)


def emit_destination(call: Call, destination: Mapping[str, Any], what: str) -> None:
    """Tells that an API destination was `Activated` or `Deactivated`."""
    detail = {"ApiDestinationName": destination["Name"], "Timestamp": _time(call)}
    _emit(call, f"API Destination {what}", detail, destination["ApiDestinationArn"])


def _time(call: Call) -> str:
    moment = datetime.fromtimestamp(int(call.store.now()), UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S +0000 UTC")


def _emit(call: Call, detail_type: str, detail: Mapping[str, Any], arn: str) -> None:
    owner = (call.account, call.region)
    emit_service_event(call.store.core, owner, "aws.events", detail_type, detail, [arn])
