"""Partner event sources: what a partner offers to accounts, and what these accept."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

from trunkline.aws.errors import ServiceError
from trunkline.aws.events.errors import already_exists, not_found
from trunkline.aws.events.pages import page, page_behind
from trunkline.aws.events.registry import operations
from trunkline.aws.events.source_store import (
    ACTIVE,
    DELETED,
    PENDING,
    arn_of,
    change,
    customer_key,
    find_source,
    known_source,
    offers,
    partner_key,
    sources,
)
from trunkline.aws.json_text import read_object
from trunkline.aws.limits import EVENT_SOURCE_PENDING_SECONDS
from trunkline.errors import TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from trunkline.aws.operation import Call


@operations.add("CreatePartnerEventSource", writes=True)
def create_partner_event_source(call: Call, *, name: str, account: str) -> dict[str, Any]:
    """Offers a source of the caller, a partner, to an account."""
    now = call.store.now()
    with call.store.lock:
        found = find_source(call, name, account)
        if found is not None and found["state"] != DELETED:
            raise already_exists(f"PartnerEventSource {name} already exists.")
        source = {
            "name": name,
            "account": account,
            "partner": call.account,
            "created": now,
            "expires": now + EVENT_SOURCE_PENDING_SECONDS,
            "state": PENDING,
        }
        call.store.put(customer_key(account, call.region, name), source)
        call.store.put(partner_key(call, name, account), {"name": name, "account": account})
    return {"EventSourceArn": arn_of(call.region, name)}


@operations.add("DeletePartnerEventSource", writes=True)
def delete_partner_event_source(call: Call, *, name: str, account: str) -> None:
    """Takes an offer back. The source of the account is DELETED; one that is gone is a success."""
    with call.store.lock:
        if call.store.get(partner_key(call, name, account)) is None:
            return
        call.store.put(partner_key(call, name, account), None)
        source = find_source(call, name, account)
        if source is not None:
            change(call, source, DELETED)


def _offered(call: Call, name: str) -> list[dict[str, Any]]:
    found = list(offers(call, f"{name} "))
    if not found:
        raise not_found(f"PartnerEventSource {name} does not exist.")
    return found


@operations.add("DescribePartnerEventSource")
def describe_partner_event_source(call: Call, *, name: str) -> dict[str, Any]:
    """A source of the caller, a partner."""
    _offered(call, name)
    return {"Arn": arn_of(call.region, name), "Name": name}


@operations.add("ListPartnerEventSources")
def list_partner_event_sources(
    call: Call, *, name_prefix: str, next_token: str | None = None, limit: int | None = None
) -> dict[str, Any]:
    """The sources of the caller, a partner, sorted by name."""
    names = {str(one["name"]) for one in offers(call, name_prefix)}
    shown, rest = page(names, str, limit, next_token)
    told = [{"Arn": arn_of(call.region, name), "Name": name} for name in shown]
    return {"PartnerEventSources": told} | rest


@operations.add("ListPartnerEventSourceAccounts")
def list_partner_event_source_accounts(
    call: Call, *, event_source_name: str, next_token: str | None = None, limit: int | None = None
) -> dict[str, Any]:
    """The accounts to which the caller, a partner, has offered a source."""
    accounts = [str(one["account"]) for one in _offered(call, event_source_name)]
    shown, rest = page(accounts, str, limit, next_token)
    found = ((account, find_source(call, event_source_name, account)) for account in shown)
    told = [
        {
            "Account": account,
            "CreationTime": source["created"],
            "ExpirationTime": source["expires"],
            "State": source["state"],
        }
        for account, source in found
        if source is not None
    ]
    return {"PartnerEventSourceAccounts": told} | rest


def _told(call: Call, source: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Arn": arn_of(call.region, source["name"]),
        "CreatedBy": source["name"].split("/")[1],
        "CreationTime": source["created"],
        "ExpirationTime": source["expires"],
        "Name": source["name"],
        "State": source["state"],
    }


@operations.add("DescribeEventSource")
def describe_event_source(call: Call, *, name: str) -> dict[str, Any]:
    """A source that the caller was offered."""
    return _told(call, known_source(call, name))


@operations.add("ListEventSources")
def list_event_sources(
    call: Call,
    *,
    name_prefix: str = "",
    next_token: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    """The sources that the caller was offered, sorted by name."""

    def behind(after: str | None) -> Iterator[dict[str, Any]]:
        return sources(call, name_prefix, after)

    shown, rest = page_behind(behind, lambda source: str(source["name"]), limit, next_token)
    return {"EventSources": [_told(call, source) for source in shown]} | rest


@operations.add("ActivateEventSource", writes=True)
def activate_event_source(call: Call, *, name: str) -> None:
    """Lets events of a source come again; its bus must be there."""
    _turn(call, name, PENDING, ACTIVE)


@operations.add("DeactivateEventSource", writes=True)
def deactivate_event_source(call: Call, *, name: str) -> None:
    """Lets no events of a source come for the time being."""
    _turn(call, name, ACTIVE, PENDING)


def _turn(call: Call, name: str, old: str, new: str) -> None:
    with call.store.lock:
        source = known_source(call, name)
        bus = call.store.core.bus((call.account, call.region, name), False)
        if source["state"] != old or bus is None:
            raise ServiceError(
                "InvalidStateException", f"Event source {name} is not in a valid state."
            )
        change(call, source, new)


@operations.add("PutPartnerEvents", writes=True)
def put_partner_events(call: Call, *, entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Puts events of the caller, a partner, on the buses of the accounts that accepted them."""
    told = [_put(call, entry) for entry in entries]
    return {"FailedEntryCount": sum("ErrorCode" in one for one in told), "Entries": told}


def _put(call: Call, entry: Mapping[str, Any]) -> dict[str, Any]:
    for member in ("Source", "DetailType", "Detail"):
        if not entry.get(member):
            text = f"Parameter {member} is not valid. Reason: {member} is a required argument."
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": text}
    if read_object(entry["Detail"]) is None:
        return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
    name = entry["Source"]
    offered = list(offers(call, f"{name} "))
    if not offered:
        text = "Not authorized for the source."
        return {"ErrorCode": "NotAuthorizedForSourceException", "ErrorMessage": text}
    id = None
    for offer in offered:
        source = find_source(call, name, offer["account"])
        if source is None or source["state"] != ACTIVE:
            continue
        bus = call.store.core.bus((offer["account"], call.region, name), False)
        if bus is not None:
            try:
                id = bus.put(_event(entry, offer["account"], call.region)).event_id
            except TrunklineError as error:
                return {"ErrorCode": "InternalFailure", "ErrorMessage": str(error)}
    # As on AWS, an event that no account takes is accepted.
    return {"EventId": id or call.request_id}


def _event(entry: Mapping[str, Any], account: str, region: str) -> str:
    head = {
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": account,
        "region": region,
        "resources": list(entry.get("Resources", ())),
    }
    if "Time" in entry:
        moment = datetime.fromtimestamp(int(entry["Time"]), UTC)
        head["time"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    # Numbers stay as they were written.
    detail = re.sub(r"\s+\Z", "", entry["Detail"])
    return f'{json.dumps(head)[:-1]},"detail":{detail}}}'
