"""The methods of resources, and their responses."""

from __future__ import annotations

import re

from trunkline.aws.apigateway.documents import members, resource_of, save, without
from trunkline.aws.apigateway.errors import bad, conflict, missing
from trunkline.aws.apigateway.patching import METHOD, Rule, boolean, check_operations, patched
from trunkline.aws.apigateway.registry import operations
from trunkline.aws.apigateway.responses import check_status, register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from trunkline.aws.operation import Call

VERBS = ("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY")
AUTHORIZATION_TYPES = ("NONE", "AWS_IAM", "CUSTOM", "COGNITO_USER_POOLS")
_LOCATIONS = re.compile(r"method\.request\.(path|querystring|header)\.[^\s]+")
METHOD_RULES = {
    "/authorizationType": Rule(),
    "/authorizerId": Rule(),
    "/apiKeyRequired": Rule(read=boolean),
    "/operationName": Rule(),
    "/requestValidatorId": Rule(),
    "/authorizationScopes": Rule(("add", "replace", "remove"), is_list=True),
    "/requestParameters/*": Rule(("add", "replace", "remove"), read=boolean),
    "/requestModels/*": Rule(("add", "replace", "remove")),
}
RESPONSE_RULES = {
    "/responseParameters/*": Rule(("add", "replace", "remove"), read=boolean),
    "/responseModels/*": Rule(("add", "replace", "remove")),
}


def no_method() -> Exception:
    """A method that is not there."""
    return missing("Invalid Method identifier specified")


def method_of(
    call: Call, api: str, resource: str, verb: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """An API and one of its methods."""
    document, found = resource_of(call, api, resource)
    method = found["methods"].get(verb.upper())
    if method is None:
        raise no_method()
    return document, method


def shown_integration(integration: dict[str, Any]) -> dict[str, Any]:
    """An integration as operations tell of it."""
    return {
        name: value for name, value in integration.items() if name != "integrationResponses"
    } | (
        {"integrationResponses": integration["integrationResponses"]}
        if integration.get("integrationResponses")
        else {}
    )


def shown_method(method: dict[str, Any]) -> dict[str, Any]:
    """A method as operations tell of it."""
    told = without(method, "methodResponses", "methodIntegration")
    if method.get("methodResponses"):
        told["methodResponses"] = method["methodResponses"]
    if method.get("methodIntegration"):
        told["methodIntegration"] = shown_integration(method["methodIntegration"])
    return told


def _check(document: dict[str, Any], method: dict[str, Any]) -> None:
    kind = method.get("authorizationType", "")
    if kind not in AUTHORIZATION_TYPES:
        raise bad(
            f"Invalid authorization type specified: {kind}. Must be one of: "
            f"[{', '.join(AUTHORIZATION_TYPES)}]"
        )
    if kind in ("CUSTOM", "COGNITO_USER_POOLS"):
        if method.get("authorizerId") not in document["authorizers"]:
            raise bad(
                "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or "
                "COGNITO_USER_POOLS requires a valid authorizer."
            )
    else:
        method.pop("authorizerId", None)
    validator = method.get("requestValidatorId")
    if validator and validator not in document["validators"]:
        raise bad("Invalid Request Validator identifier specified")
    for name in method.get("requestParameters", {}):
        if not _LOCATIONS.fullmatch(name):
            raise bad(
                "Invalid mapping expression specified: Validation Result: warnings : [], errors : "
                f"[Invalid mapping expression parameter specified: {name}]"
            )
    for model in method.get("requestModels", {}).values():
        if model not in document["models"]:
            raise bad(f"Invalid model identifier specified: {model}")


@operations.add("PutMethod", writes=True)
def put_method(
    call: Call, *, rest_api_id: str, resource_id: str, http_method: str, **given: Any
) -> dict[str, Any]:
    """Gives a resource a method; one that is there is refused."""
    with call.store.lock:
        document, resource = resource_of(call, rest_api_id, resource_id)
        verb = http_method.upper()
        if verb not in VERBS:
            raise bad(f"Invalid HttpMethod specified. Valid options are {','.join(sorted(VERBS))}")
        if verb in resource["methods"]:
            raise conflict("Method already exists for this resource")
        method = {"httpMethod": verb, "apiKeyRequired": False, **members(given)}
        method["authorizationType"] = method.get("authorizationType", "").upper()
        _check(document, method)
        resource["methods"][verb] = method
        save(call, document)
    return shown_method(method)


@operations.add("GetMethod")
def get_method(
    call: Call, *, rest_api_id: str, resource_id: str, http_method: str
) -> dict[str, Any]:
    """One method with its integration and responses."""
    return shown_method(method_of(call, rest_api_id, resource_id, http_method)[1])


@operations.add("UpdateMethod", writes=True)
def update_method(
    call: Call,
    *,
    rest_api_id: str,
    resource_id: str,
    http_method: str,
    patch_operations: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Patches a method."""
    check_operations("updateMethod", patch_operations)
    with call.store.lock:
        document, method = method_of(call, rest_api_id, resource_id, http_method)
        changed = patched(method, patch_operations, METHOD_RULES, METHOD)
        for name in ("requestModels", "requestParameters"):
            if changed.get(name) == {}:
                del changed[name]
        _check(document, changed)
        document["resources"][resource_id]["methods"][http_method.upper()] = changed
        save(call, document)
    return shown_method(changed)


@operations.add("DeleteMethod", writes=True)
def delete_method(call: Call, *, rest_api_id: str, resource_id: str, http_method: str) -> None:
    """Takes a method from a resource."""
    with call.store.lock:
        document, _ = method_of(call, rest_api_id, resource_id, http_method)
        del document["resources"][resource_id]["methods"][http_method.upper()]
        save(call, document)


@operations.add("PutMethodResponse", writes=True)
def put_method_response(
    call: Call,
    *,
    rest_api_id: str,
    resource_id: str,
    http_method: str,
    status_code: str,
    **given: Any,
) -> dict[str, Any]:
    """Says with which status, headers and models a method may answer."""
    check_status(status_code)
    with call.store.lock:
        document, method = method_of(call, rest_api_id, resource_id, http_method)
        responses = method.setdefault("methodResponses", {})
        if status_code in responses:
            raise conflict("Response already exists for this resource")
        response = {"statusCode": status_code, **members(given)}
        responses[status_code] = response
        save(call, document)
    return response


register("MethodResponse", "methodResponses", method_of, RESPONSE_RULES)
