"""The request validators of a REST API."""

from __future__ import annotations

from trunkline.aws.apigateway.documents import (
    find,
    members,
    new_id,
    paged,
    read,
    read_or,
    save,
)
from trunkline.aws.apigateway.errors import bad, missing
from trunkline.aws.apigateway.patching import Rule, boolean, check_operations, patched
from trunkline.aws.apigateway.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from trunkline.aws.errors import ServiceError
    from trunkline.aws.operation import Call


def _no_validator() -> ServiceError:
    return missing("Invalid Request Validator identifier specified")


def _check_name(value: Any) -> None:
    if not value:
        raise bad("Request Validator name cannot be blank")


RULES = {
    "/name": Rule(check=_check_name),
    "/validateRequestParameters": Rule(read=boolean),
    "/validateRequestBody": Rule(read=boolean),
}


def _validator_of(call: Call, api: str, validator: str) -> tuple[dict[str, Any], dict[str, Any]]:
    document = read_or(call, api, _no_validator)
    found = document["validators"].get(validator)
    if found is None:
        raise _no_validator()
    return document, found


@operations.add("CreateRequestValidator", writes=True)
def create_request_validator(
    call: Call, *, rest_api_id: str, name: str = "", **given: Any
) -> dict[str, Any]:
    """Adds a validator."""
    with call.store.lock:
        document = find(call, rest_api_id)
        if document is None:
            raise bad("Invalid REST API identifier specified")
        _check_name(name)
        validator = {
            "id": new_id(6),
            "name": name,
            "validateRequestBody": False,
            "validateRequestParameters": False,
            **members(given),
        }
        document["validators"][validator["id"]] = validator
        save(call, document)
    return validator


@operations.add("GetRequestValidator")
def get_request_validator(
    call: Call, *, rest_api_id: str, request_validator_id: str
) -> dict[str, Any]:
    """One validator."""
    return _validator_of(call, rest_api_id, request_validator_id)[1]


@operations.add("GetRequestValidators")
def get_request_validators(
    call: Call, *, rest_api_id: str, limit: int | None = None, position: str | None = None
) -> dict[str, Any]:
    """The validators of an API."""
    return paged(read(call, rest_api_id)["validators"].values(), limit, position)


@operations.add("UpdateRequestValidator", writes=True)
def update_request_validator(
    call: Call,
    *,
    rest_api_id: str,
    request_validator_id: str,
    patch_operations: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Patches a validator."""
    check_operations("updateRequestValidator", patch_operations)
    with call.store.lock:
        document, validator = _validator_of(call, rest_api_id, request_validator_id)
        changed = patched(validator, patch_operations, RULES)
        document["validators"][request_validator_id] = changed
        save(call, document)
    return changed


@operations.add("DeleteRequestValidator", writes=True)
def delete_request_validator(call: Call, *, rest_api_id: str, request_validator_id: str) -> None:
    """Deletes a validator."""
    with call.store.lock:
        document, _ = _validator_of(call, rest_api_id, request_validator_id)
        del document["validators"][request_validator_id]
        save(call, document)
