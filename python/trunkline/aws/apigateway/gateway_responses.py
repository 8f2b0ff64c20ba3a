"""How an API answers where no integration does."""

from __future__ import annotations

from trunkline.aws.apigateway.documents import members, read, save
from trunkline.aws.apigateway.errors import missing, one_of, refused
from trunkline.aws.apigateway.patching import (
    PLAIN,
    Rule,
    check_operations,
    patched,
)
from trunkline.aws.apigateway.registry import operations
from trunkline.aws.apigateway.responses import check_status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from trunkline.aws.operation import Call

# In the order in which AWS names them.
TYPES = (
    "REQUEST_TOO_LARGE",
    "RESOURCE_NOT_FOUND",
    "AUTHORIZER_CONFIGURATION_ERROR",
    "MISSING_AUTHENTICATION_TOKEN",
    "BAD_REQUEST_BODY",
    "INVALID_SIGNATURE",
    "INVALID_API_KEY",
    "BAD_REQUEST_PARAMETERS",
    "AUTHORIZER_FAILURE",
    "UNAUTHORIZED",
    "INTEGRATION_TIMEOUT",
    "ACCESS_DENIED",
    "DEFAULT_4XX",
    "DEFAULT_5XX",
    "WAF_FILTERED",
    "QUOTA_EXCEEDED",
    "THROTTLED",
    "API_CONFIGURATION_ERROR",
    "UNSUPPORTED_MEDIA_TYPE",
    "INTEGRATION_FAILURE",
    "EXPIRED_TOKEN",
)
STATUS = {
    "ACCESS_DENIED": "403",
    "API_CONFIGURATION_ERROR": "500",
    "AUTHORIZER_CONFIGURATION_ERROR": "500",
    "AUTHORIZER_FAILURE": "500",
    "BAD_REQUEST_BODY": "400",
    "BAD_REQUEST_PARAMETERS": "400",
    "EXPIRED_TOKEN": "403",
    "INTEGRATION_FAILURE": "504",
    "INTEGRATION_TIMEOUT": "504",
    "INVALID_API_KEY": "403",
    "INVALID_SIGNATURE": "403",
    "MISSING_AUTHENTICATION_TOKEN": "403",
    "QUOTA_EXCEEDED": "429",
    "REQUEST_TOO_LARGE": "413",
    "RESOURCE_NOT_FOUND": "404",
    "THROTTLED": "429",
    "UNAUTHORIZED": "401",
    "UNSUPPORTED_MEDIA_TYPE": "415",
    "WAF_FILTERED": "403",
}
TEMPLATES = {"application/json": '{"message":$context.error.messageString}'}
_ADDED = ("add", "replace", "remove")
RULES = {
    "/statusCode": Rule(),
    "/responseParameters/*": Rule(_ADDED, is_required=True),
    "/responseTemplates/*": Rule(_ADDED, is_required=True),
}


def response_of(responses: dict[str, Any], kind: str) -> dict[str, Any]:
    """The response of a kind: its own, that of its default kind, or AWS's."""
    own = responses.get(kind)
    if own is not None:
        return {**own, "defaultResponse": False}
    status = STATUS.get(kind)
    told = {
        "responseType": kind,
        "defaultResponse": True,
        "responseParameters": {},
        "responseTemplates": dict(TEMPLATES),
    }
    if status is None:
        return told
    told["statusCode"] = status
    general = responses.get(f"DEFAULT_{status[0]}XX")
    if general is not None:
        told |= {
            "responseParameters": general["responseParameters"],
            "responseTemplates": general["responseTemplates"],
        }
        if general.get("statusCode"):
            told["statusCode"] = general["statusCode"]
    return told


def _check_type(kind: str) -> None:
    if kind not in TYPES:
        raise refused("responseType", kind, one_of(TYPES))


@operations.add("PutGatewayResponse", writes=True)
def put_gateway_response(
    call: Call,
    *,
    rest_api_id: str,
    response_type: str,
    status_code: str | None = None,
    **given: Any,
) -> dict[str, Any]:
    """Sets the response of a kind."""
    _check_type(response_type)
    if status_code:
        check_status(status_code)
    with call.store.lock:
        document = read(call, rest_api_id)
        response = {
            "responseType": response_type,
            "responseParameters": {},
            "responseTemplates": dict(TEMPLATES),
            **{name: value for name, value in members(given).items() if value},
        }
        status = status_code or STATUS.get(response_type)
        if status:
            response["statusCode"] = status
        document["responses"][response_type] = response
        save(call, document)
    return {**response, "defaultResponse": False}


@operations.add("GetGatewayResponse")
def get_gateway_response(call: Call, *, rest_api_id: str, response_type: str) -> dict[str, Any]:
    """The response of one kind."""
    _check_type(response_type)
    return response_of(read(call, rest_api_id)["responses"], response_type)


@operations.add("GetGatewayResponses")
def get_gateway_responses(
    call: Call, *, rest_api_id: str, limit: int | None = None, position: str | None = None
) -> dict[str, Any]:
    """The responses of all kinds."""
    responses = read(call, rest_api_id)["responses"]
    return {"items": [response_of(responses, kind) for kind in sorted(TYPES)]}


@operations.add("UpdateGatewayResponse", writes=True)
def update_gateway_response(
    call: Call,
    *,
    rest_api_id: str,
    response_type: str,
    patch_operations: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Patches the response of a kind."""
    _check_type(response_type)
    check_operations("updateGatewayResponse", patch_operations)
    with call.store.lock:
        document = read(call, rest_api_id)
        response = response_of(document["responses"], response_type)
        changed = patched(response, patch_operations, RULES, PLAIN)
        changed["defaultResponse"] = False
        document["responses"][response_type] = changed
        save(call, document)
    return changed


@operations.add("DeleteGatewayResponse", writes=True)
def delete_gateway_response(call: Call, *, rest_api_id: str, response_type: str) -> None:
    """Lets a kind have AWS's response again."""
    _check_type(response_type)
    with call.store.lock:
        document = read(call, rest_api_id)
        if response_type not in document["responses"]:
            raise missing("Gateway response type not defined on api")
        del document["responses"][response_type]
        save(call, document)
