"""Where partner event sources lie: one document with the customer's account, one index with the
partner's.

A source that is PENDING for two weeks is gone, as on AWS.
"""

from __future__ import annotations

from trunkline.aws.arns import partition
from trunkline.aws.errors import ServiceError
from trunkline.aws.events.errors import not_found
from trunkline.aws.limits import EVENT_SOURCE_PENDING_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from trunkline.aws.operation import Call

PENDING, ACTIVE, DELETED = "PENDING", "ACTIVE", "DELETED"


def arn_of(region: str, name: str) -> str:
    """The resource name of a source; it has no account."""
    return f"arn:{partition(region)}:events:{region}::event-source/{name}"


def customer_key(account: str, region: str, name: str) -> str:
    """Where the source is kept that an account was offered."""
    return f"events/event-source/{account}/{region}/{name}"


def partner_key(call: Call, name: str, account: str) -> str:
    """Where it is kept that the caller, a partner, has offered a source to an account. A name has
    no blank, so the accounts of one source are together."""
    return f"events/partner-source/{call.account}/{call.region}/{name} {account}"


def offers(call: Call, start: str) -> Iterator[dict[str, Any]]:
    """What the caller has offered, of sources whose name starts with `start`, sorted."""
    return call.store.every(f"events/partner-source/{call.account}/{call.region}/", start)


def sources(call: Call, start: str, after: str | None = None) -> Iterator[dict[str, Any]]:
    """The sources that the caller was offered, sorted by name: it starts with `start` and comes
    behind `after`."""
    kept = call.store.every(customer_key(call.account, call.region, ""), start, after)
    return (source for source in kept if not is_expired(call, source))


def is_expired(call: Call, source: dict[str, Any]) -> bool:
    """Whether it was PENDING for too long."""
    return bool(source["state"] == PENDING and call.store.now() >= source["expires"])


def find_source(call: Call, name: str, account: str) -> dict[str, Any] | None:
    """The source of this name that an account was offered."""
    found = call.store.get(customer_key(account, call.region, name))
    return None if found is None or is_expired(call, found) else found


def known_source(call: Call, name: str) -> dict[str, Any]:
    """The source of this name that the caller was offered."""
    found = find_source(call, name, call.account)
    if found is None:
        raise not_found(f"Event source {name} does not exist.")
    return found


def change(call: Call, source: dict[str, Any], state: str) -> None:
    """Keeps a source in another state."""
    expires = call.store.now() + EVENT_SOURCE_PENDING_SECONDS if state == PENDING else None
    changed = {**source, "state": state, "expires": expires}
    call.store.put(customer_key(source["account"], call.region, source["name"]), changed)


def match_bus(call: Call, bus: str, source_name: str | None) -> None:
    """Has the source of a partner's bus be active; raises if there may be no such bus."""
    if source_name is None:
        return
    if bus != source_name:
        raise ServiceError(
            "ValidationException",
            "The name of a partner event bus must be that of its event source.",
        )
    source = known_source(call, source_name)
    if source["state"] == DELETED:
        raise ServiceError("InvalidStateException", f"Event source {source_name} is deleted.")
    change(call, source, ACTIVE)


def leave_bus(call: Call, bus: str) -> None:
    """The bus of a source was deleted: the source waits for another one."""
    source = find_source(call, bus, call.account)
    if source is not None and source["state"] == ACTIVE:
        change(call, source, PENDING)
