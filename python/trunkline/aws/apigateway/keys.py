"""API keys."""

from __future__ import annotations

import csv
import hashlib
import io
from secrets import choice
from string import ascii_letters, digits

from trunkline.aws.apigateway.documents import members, new_id, paged, without
from trunkline.aws.apigateway.errors import bad, conflict, missing
from trunkline.aws.apigateway.patching import Rule, boolean, check_operations, patched
from trunkline.aws.apigateway.registry import operations
from trunkline.aws.limits import (
    API_KEY_CHARS,
    API_KEY_DESCRIPTION_CHARS_MAX,
    API_KEY_NAME_CHARS_MAX,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from trunkline.aws.errors import ServiceError
    from trunkline.aws.operation import Call

VALUE_CHARS = 40


def key_of(account: str, region: str, key: str = "") -> str:
    """The document of an API key; without one, the prefix of all."""
    return f"apigateway/key/{account}/{region}/{key}"


def value_of(account: str, region: str, value: str) -> str:
    """The document that tells which API key has a value."""
    digest = hashlib.sha256(value.encode()).hexdigest()
    return f"apigateway/key-value/{account}/{region}/{digest}"


def no_key() -> ServiceError:
    """An API key that is not there."""
    return missing("Invalid API Key identifier specified")


def read_key(call: Call, key: str) -> dict[str, Any]:
    """The document of an API key."""
    found = call.store.get(key_of(call.account, call.region, key))
    if found is None:
        raise no_key()
    return found


def _check_description(value: Any) -> None:
    if value and len(value) > API_KEY_DESCRIPTION_CHARS_MAX:
        raise bad("Invalid API Key description specified.")


def _check_name(value: Any) -> None:
    if value and len(value) > API_KEY_NAME_CHARS_MAX:
        raise bad(f"Invalid API Key name, can be at most {API_KEY_NAME_CHARS_MAX} characters.")


RULES = {
    "/name": Rule(check=_check_name),
    "/description": Rule(("add", "replace", "remove"), check=_check_description),
    "/enabled": Rule(read=boolean),
    "/customerId": Rule(("add", "replace", "remove")),
    "/labels": Rule(("add", "remove"), is_list=True),
}


def _shown(key: dict[str, Any], *, with_value: bool = True) -> dict[str, Any]:
    hidden = ("plans",) if with_value else ("plans", "value")
    return without(key, *hidden)


def _checked_value(value: str | None) -> str:
    low, high = API_KEY_CHARS
    if not value:
        return "".join(choice(ascii_letters + digits) for _ in range(VALUE_CHARS))
    if len(value) < low:
        raise bad(f"API Key value should be at least {low} characters")
    if len(value) > high:
        raise bad(f"API Key value exceeds maximum size of {high} characters")
    return value


def _keep(call: Call, given: dict[str, Any]) -> dict[str, Any]:
    """Keeps a new API key."""
    value = given["value"]
    if call.store.get(value_of(call.account, call.region, value)) is not None:
        raise conflict("API Key already exists")
    now = call.store.now()
    key = {
        "id": new_id(),
        "enabled": False,
        "createdDate": now,
        "lastUpdatedDate": now,
        "stageKeys": [],
        **given,
        "plans": [],
    }
    call.store.put(key_of(call.account, call.region, key["id"]), key)
    call.store.put(value_of(call.account, call.region, value), {"id": key["id"]})
    return key


@operations.add("CreateApiKey", writes=True)
def create_api_key(
    call: Call,
    *,
    value: str | None = None,
    generate_distinct_id: bool = False,
    stage_keys: Sequence[dict[str, Any]] = (),
    **given: Any,
) -> dict[str, Any]:
    """Creates an API key; it is enabled only if that is said."""
    _check_name(given.get("name"))
    _check_description(given.get("description"))
    told = {**members(given), "value": _checked_value(value)}
    with call.store.lock:
        return _shown(_keep(call, told))


@operations.add("GetApiKey")
def get_api_key(call: Call, *, api_key: str, include_value: bool = False) -> dict[str, Any]:
    """One API key; its value where that is asked for."""
    return _shown(read_key(call, api_key), with_value=include_value)


@operations.add("GetApiKeys")
def get_api_keys(
    call: Call,
    *,
    limit: int | None = None,
    position: str | None = None,
    name_query: str | None = None,
    customer_id: str | None = None,
    include_values: bool = False,
) -> dict[str, Any]:
    """The API keys of the caller, the newest first."""
    found = [
        _shown(key, with_value=include_values)
        for key in call.store.every(key_of(call.account, call.region))
        if key.get("name", "").startswith(name_query or "")
        and customer_id in (None, key.get("customerId"))
    ]
    found.sort(key=lambda key: (key["createdDate"], key["id"]), reverse=True)
    return paged(found, limit, position)


@operations.add("UpdateApiKey", writes=True)
def update_api_key(
    call: Call, *, api_key: str, patch_operations: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    """Patches an API key."""
    check_operations("updateApiKey", patch_operations)
    with call.store.lock:
        changed = patched(read_key(call, api_key), patch_operations, RULES)
        changed["lastUpdatedDate"] = call.store.now()
        call.store.put(key_of(call.account, call.region, api_key), changed)
    return _shown(changed, with_value=False)


@operations.add("DeleteApiKey", writes=True)
def delete_api_key(call: Call, *, api_key: str) -> None:
    """Deletes an API key, also from its usage plans."""
    with call.store.lock:
        key = read_key(call, api_key)
        for plan in key["plans"]:
            at = f"apigateway/plan/{call.account}/{call.region}/{plan}"
            document = call.store.get(at)
            if document is not None:
                document["keys"].pop(api_key, None)
                call.store.put(at, document)
        call.store.put(value_of(call.account, call.region, key["value"]), None)
        call.store.put(key_of(call.account, call.region, api_key), None)


@operations.add("ImportApiKeys", writes=True)
def import_api_keys(
    call: Call, *, body: bytes, format: str, fail_on_warnings: bool = False
) -> dict[str, Any]:
    """Creates the API keys of a file of comma-separated values."""
    try:
        rows = list(csv.DictReader(io.StringIO(body.decode())))
    except (UnicodeDecodeError, csv.Error):
        raise bad("Failed to parse the file of API keys") from None
    ids, warnings = [], []
    with call.store.lock:
        for row in rows:
            told = {
                name.strip().lower(): (value or "").strip() for name, value in row.items() if name
            }
            given = {
                "name": told.get("name", ""),
                "description": told.get("description", ""),
                "value": _checked_value(told.get("key")),
                "enabled": told.get("enabled", "true").lower() == "true",
            }
            try:
                ids.append(_keep(call, members(given))["id"])
            except Exception as error:
                if fail_on_warnings:
                    raise
                warnings.append(str(getattr(error, "message", error)))
    return {"ids": ids, "warnings": warnings}
