"""The request validators of a REST API."""

from __future__ import annotations

from trunkline.aws.apigateway.documents import find, members, new_id, save
from trunkline.aws.apigateway.errors import bad, missing
from trunkline.aws.apigateway.parts import Part, register
from trunkline.aws.apigateway.patching import Rule, boolean
from trunkline.aws.apigateway.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.errors import ServiceError
    from trunkline.aws.operation import Call


def _no_validator(_: str) -> ServiceError:
    return missing("Invalid Request Validator identifier specified")


def _check_name(value: Any) -> None:
    if not value:
        raise bad("Request Validator name cannot be blank")


RULES = {
    "/name": Rule(check=_check_name),
    "/validateRequestParameters": Rule(read=boolean),
    "/validateRequestBody": Rule(read=boolean),
}


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


register(
    Part("RequestValidator", "validators", "request_validator_id", _no_validator, RULES),
)
