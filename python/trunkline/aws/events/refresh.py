"""Targets that are API destinations follow what their destination and its connection say."""

from __future__ import annotations

from trunkline.aws.events import stored
from trunkline.aws.events.connection_store import API_DESTINATION, documents
from trunkline.aws.events.target_settings import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline.aws.operation import Call


def refresh_targets(
    call: Call, *, destination_arn: str | None = None, connection_arn: str | None = None
) -> None:
    """Has the targets of an API destination, or of a connection, be called as it says now."""
    arns = {
        destination["ApiDestinationArn"]
        for destination in documents(call, API_DESTINATION)
        if destination_arn == destination["ApiDestinationArn"]
        or connection_arn == destination["ConnectionArn"]
    }
    if not arns:
        return
    for bus in call.store.core.buses(call.account, call.region, ""):
        for rule in bus.rules():
            given = (stored.read(target["document"]) for target in rule["targets"])
            mine = [target for target in given if target.get("Arn") in arns]
            if mine:
                bus.put_targets(rule["name"], [settings(call, target) for target in mine])
