"""Text messages: attributes of the account, numbers that opted out, and the sandbox."""

from __future__ import annotations

import re
import secrets

from trunkline.aws.errors import ServiceError
from trunkline.aws.limits import QUOTE_CHARS_MAX, SPEND_LIMIT_DEFAULT
from trunkline.aws.sns.errors import invalid, plain
from trunkline.aws.sns.registry import operations
from trunkline.aws.sns.resources import make_token, read_token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from trunkline.aws.operation import Call

_NAMES = (
    "MonthlySpendLimit",
    "DeliveryStatusIAMRole",
    "DeliveryStatusSuccessSamplingRate",
    "DefaultSenderID",
    "DefaultSMSType",
    "UsageReportS3Bucket",
)
_SENDER = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9-]{1,11}")
_E164 = re.compile(r"\+[1-9]\d{1,14}")
_PAGE = 100


def _key(call: Call, kind: str) -> str:
    return f"sns/{kind}/{call.account}/{call.region}"


@operations.add("SetSMSAttributes", writes=True)
def set_sms_attributes(call: Call, *, attributes: Mapping[str, str]) -> dict[str, Any]:
    """Changes attributes of text messages."""
    for name, value in attributes.items():
        if name not in _NAMES:
            raise plain(f"{name[:QUOTE_CHARS_MAX]} is not a valid attribute")
        if name == "DefaultSMSType" and value not in ("Promotional", "Transactional"):
            raise plain("DefaultSMSType is invalid")
        if name == "DefaultSenderID" and not _SENDER.fullmatch(value):
            raise plain("DefaultSenderID is not a valid attribute")
        if name in ("MonthlySpendLimit", "DeliveryStatusSuccessSamplingRate") and (
            not value.isdecimal() or (name != "MonthlySpendLimit" and int(value) > 100)
        ):
            raise plain(f"{name} is invalid")
    with call.store.lock:
        key = _key(call, "sms-attributes")
        call.store.put(key, (call.store.get(key) or {}) | dict(attributes))
    return {}


@operations.add("GetSMSAttributes")
def get_sms_attributes(call: Call, *, attributes: Sequence[str] = ()) -> dict[str, Any]:
    """The attributes of text messages that were set; of those that are asked for."""
    kept = call.store.get(_key(call, "sms-attributes")) or {}
    found = {"MonthlySpendLimit": SPEND_LIMIT_DEFAULT} | kept
    if attributes:
        found = {name: value for name, value in found.items() if name in attributes}
    return {"attributes": found}


def _check_number(number: str, parameter: str) -> None:
    if not _E164.fullmatch(number):
        raise invalid(f"{parameter} Reason: input incorrectly formatted")


@operations.add("CheckIfPhoneNumberIsOptedOut")
def check_if_phone_number_is_opted_out(call: Call, *, phone_number: str) -> dict[str, Any]:
    """Whether a number opted out of messages."""
    _check_number(phone_number, "PhoneNumber")
    found = call.store.get(f"{_key(call, 'opted-out')}/{phone_number}")
    return {"isOptedOut": found is not None}


@operations.add("ListPhoneNumbersOptedOut")
def list_phone_numbers_opted_out(call: Call, *, next_token: str | None = None) -> dict[str, Any]:
    """The numbers that opted out."""
    return _page(call, "opted-out", "phoneNumbers", next_token, "nextToken", "number")


@operations.add("OptInPhoneNumber", writes=True)
def opt_in_phone_number(call: Call, *, phone_number: str) -> dict[str, Any]:
    """Lets a number have messages again."""
    _check_number(phone_number, "PhoneNumber")
    call.store.put(f"{_key(call, 'opted-out')}/{phone_number}", None)
    return {}


@operations.add("GetSMSSandboxAccountStatus")
def get_sms_sandbox_account_status(call: Call) -> dict[str, Any]:
    """An account is out of the sandbox: every number may be sent to, into the outbox."""
    return {"IsInSandbox": False}


@operations.add("CreateSMSSandboxPhoneNumber", writes=True)
def create_sms_sandbox_phone_number(
    call: Call, *, phone_number: str, language_code: str = "en-US"
) -> dict[str, Any]:
    """Adds a number to the sandbox; its one-time password goes into the outbox."""
    _check_number(phone_number, "PhoneNumber")
    password = f"{secrets.randbelow(1_000_000):06}"
    about = {"PhoneNumber": phone_number, "Status": "Pending"}
    key = f"{_key(call, 'sandbox')}/{phone_number}"
    call.store.put(key, about | {"password": password})
    message = {
        "Protocol": "sms",
        "Endpoint": phone_number,
        "Message": f"Your verification code is {password}",
        "Account": call.account,
        "Region": call.region,
    }
    call.store.put(f"sns/outbox/{int(call.store.now() * 1_000):020}-{call.request_id}", message)
    return {}


@operations.add("VerifySMSSandboxPhoneNumber", writes=True)
def verify_sms_sandbox_phone_number(
    call: Call, *, phone_number: str, one_time_password: str
) -> dict[str, Any]:
    """Verifies a number by the password that it was sent."""
    key = f"{_key(call, 'sandbox')}/{phone_number}"
    found = call.store.get(key)
    if found is None:
        raise ServiceError("ResourceNotFound", "The phone number does not exist", 404)
    if not secrets.compare_digest(found["password"].encode(), one_time_password.encode()):
        raise ServiceError("VerificationException", "The one-time password is not correct.")
    call.store.put(key, found | {"Status": "Verified"})
    return {}


@operations.add("DeleteSMSSandboxPhoneNumber", writes=True)
def delete_sms_sandbox_phone_number(call: Call, *, phone_number: str) -> dict[str, Any]:
    """Removes a number from the sandbox."""
    key = f"{_key(call, 'sandbox')}/{phone_number}"
    if call.store.get(key) is None:
        raise ServiceError("ResourceNotFound", "The phone number does not exist", 404)
    call.store.put(key, None)
    return {}


@operations.add("ListSMSSandboxPhoneNumbers")
def list_sms_sandbox_phone_numbers(
    call: Call, *, next_token: str | None = None, max_results: int = _PAGE
) -> dict[str, Any]:
    """The numbers of the sandbox."""
    found = _page(call, "sandbox", "PhoneNumbers", next_token, "NextToken", None, max_results)
    for entry in found["PhoneNumbers"]:
        entry.pop("password", None)
    return found


@operations.add("ListOriginationNumbers")
def list_origination_numbers(
    call: Call, *, next_token: str | None = None, max_results: int = 30
) -> dict[str, Any]:
    """An account has no origination numbers: none can be bought here."""
    return {"PhoneNumbers": []}


def _page(
    call: Call,
    kind: str,
    member: str,
    token: str | None,
    token_member: str,
    field: str | None,
    limit: int = _PAGE,
) -> dict[str, Any]:
    after = read_token(token)
    if after is not None and not isinstance(after, str):
        raise invalid("NextToken")
    found, last = call.store.page(f"{_key(call, kind)}/", after=after, limit=limit)
    page: dict[str, Any] = {member: [one[field] for one in found] if field else found}
    if last is not None:
        page[token_member] = make_token(last)
    return page
