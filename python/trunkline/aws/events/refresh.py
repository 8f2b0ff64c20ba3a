"""Targets that are API destinations follow what their destination and its connection say."""

from __future__ import annotations

from trunkline.aws.events import stored
from trunkline.aws.events.connection_store import destinations_of
from trunkline.aws.events.target_settings import settings
from trunkline.aws.limits import DOCUMENTS_PAGE_MAX
from trunkline.aws.targets.kind import Endpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from trunkline._core import Bus
    from trunkline.aws.operation import Call


def refresh_destination(call: Call, arn: str, unavailable: str | None = None) -> None:
    """Has the targets of an API destination be called as it says now, or says why they cannot."""
    _refresh(call, {arn}, None if unavailable is None else Endpoint(unavailable=unavailable))


def refresh_connection(call: Call, arn: str) -> None:
    """Has the targets of all API destinations of a connection be called as it says now."""
    _refresh(call, {one["ApiDestinationArn"] for one in destinations_of(call, arn)})


def _refresh(call: Call, arns: set[str], endpoint: Endpoint | None = None) -> None:
    if not arns:
        return
    for bus in call.store.core.buses(call.account, call.region, ""):
        for name in {name for arn in arns for name in _rules_of(bus, arn)}:
            targets = bus.rule(name)["targets"]
            given = (stored.read(target["document"]) for target in targets)
            mine = [target for target in given if target.get("Arn") in arns]
            if mine:
                bus.put_targets(name, [settings(call, target, endpoint) for target in mine])


def _rules_of(bus: Bus, arn: str) -> Iterator[str]:
    after = None
    while names := bus.rule_names_of(arn, None, after, DOCUMENTS_PAGE_MAX):
        yield from names
        after = names[-1]
