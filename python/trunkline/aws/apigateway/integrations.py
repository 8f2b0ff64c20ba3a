"""What methods are integrated with, and how integrations answer."""

from __future__ import annotations

import re

from trunkline.aws.apigateway.documents import members, resource_of, save
from trunkline.aws.apigateway.errors import bad, missing, one_of, refused
from trunkline.aws.apigateway.methods import method_of, shown_integration
from trunkline.aws.apigateway.patching import (
    PLAIN,
    Rule,
    check_operations,
    number,
    patched,
)
from trunkline.aws.apigateway.registry import operations
from trunkline.aws.apigateway.responses import check_status, register
from trunkline.aws.execute_api.expressions import expression

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from trunkline.aws.errors import ServiceError
    from trunkline.aws.operation import Call

TYPES = ("HTTP", "MOCK", "AWS_PROXY", "HTTP_PROXY", "AWS")
PASSTHROUGH = ("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER")
CONTENT_HANDLING = ("CONVERT_TO_BINARY", "CONVERT_TO_TEXT")
TIMEOUT_MS = (50, 29_000)
_PROXIED = re.compile(r"arn:[\w-]+:apigateway:[\w-]*:(lambda:path/|firehose:action/)")
_SERVICE = re.compile(r"arn:[\w-]+:apigateway:[\w-]*:[\w.-]+:(path|action)/.+", re.DOTALL)
RULES = {
    "/uri": Rule(),
    "/httpMethod": Rule(),
    "/credentials": Rule(("add", "replace", "remove")),
    "/passthroughBehavior": Rule(),
    "/contentHandling": Rule(("add", "replace", "remove")),
    "/timeoutInMillis": Rule(("replace",), read=number),
    "/connectionType": Rule(),
    "/connectionId": Rule(("add", "replace", "remove")),
    "/cacheNamespace": Rule(),
    "/cacheKeyParameters/*": Rule(("add", "replace", "remove"), is_list=True),
    "/cacheKeyParameters": Rule(("add", "replace", "remove"), is_list=True),
    "/requestParameters/*": Rule(("add", "replace", "remove")),
    "/requestTemplates/*": Rule(("add", "replace", "remove"), read=lambda value: value or ""),
    "/tlsConfig/insecureSkipVerification": Rule(
        ("add", "replace", "remove"), read=lambda value: value == "true"
    ),
}
RESPONSE_RULES = {
    "/selectionPattern": Rule(("add", "replace", "remove")),
    "/contentHandling": Rule(("add", "replace", "remove")),
    "/responseParameters/*": Rule(("add", "replace", "remove")),
    "/responseTemplates/*": Rule(("add", "replace", "remove"), read=lambda value: value or ""),
}


def no_integration() -> ServiceError:
    """An integration that is not there."""
    return missing("Invalid Integration identifier specified")


def integration_of(
    call: Call, api: str, resource: str, verb: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """An API and the integration of one of its methods."""
    document, found = resource_of(call, api, resource)
    method = found["methods"].get(verb.upper(), {})
    if not method.get("methodIntegration"):
        raise no_integration()
    return document, method["methodIntegration"]


def _check(integration: dict[str, Any]) -> None:
    kind, uri = integration["type"], integration.get("uri", "")
    if kind not in TYPES:
        raise refused("putIntegrationInput.type", kind, one_of(TYPES))
    if kind in ("AWS", "AWS_PROXY"):
        if "httpMethod" not in integration:
            raise bad("Enumeration value for HttpMethod must be non-empty")
        if not _SERVICE.fullmatch(uri):
            raise bad("Invalid ARN specified in the request")
        if kind == "AWS_PROXY" and not _PROXIED.match(uri):
            raise bad(
                "Integrations of type 'AWS_PROXY' currently only supports Lambda function and "
                "Firehose stream invocations."
            )
    if kind in ("HTTP", "HTTP_PROXY"):
        if "httpMethod" not in integration:
            raise bad("Enumeration value for HttpMethod must be non-empty")
        if not re.match(r"https?://[^/]|\$\{stageVariables\.", uri) and "connectionId" not in uri:
            raise bad("Invalid HTTP endpoint specified for URI")
    if integration.get("passthroughBehavior") not in PASSTHROUGH:
        raise bad(
            f"Invalid passthrough behavior specified. Valid options are [{', '.join(PASSTHROUGH)}]"
        )
    handling = integration.get("contentHandling")
    if handling and handling not in CONTENT_HANDLING:
        raise refused("putIntegrationInput.contentHandling", handling, one_of(CONTENT_HANDLING))
    low, high = TIMEOUT_MS
    if not low <= integration["timeoutInMillis"] <= high:
        raise bad(f"Timeout should be between {low} ms and {high} ms")


@operations.add("PutIntegration", writes=True)
def put_integration(
    call: Call,
    *,
    rest_api_id: str,
    resource_id: str,
    http_method: str,
    type: str,
    integration_http_method: str | None = None,
    cache_key_parameters: Sequence[str] = (),
    **given: Any,
) -> dict[str, Any]:
    """Says what a method is integrated with."""
    if type not in TYPES:
        raise refused("putIntegrationInput.type", type, one_of(TYPES))
    with call.store.lock:
        document, method = method_of(call, rest_api_id, resource_id, http_method)
        integration: dict[str, Any] = {
            "type": type,
            "passthroughBehavior": "WHEN_NO_MATCH",
            "timeoutInMillis": TIMEOUT_MS[1],
            "cacheNamespace": resource_id,
            "cacheKeyParameters": list(cache_key_parameters),
            **members(given),
        }
        if integration_http_method and type != "MOCK":
            integration["httpMethod"] = integration_http_method.upper()
        _check(integration)
        method["methodIntegration"] = integration
        save(call, document)
    return shown_integration(integration)


@operations.add("GetIntegration")
def get_integration(
    call: Call, *, rest_api_id: str, resource_id: str, http_method: str
) -> dict[str, Any]:
    """The integration of a method."""
    _, integration = integration_of(call, rest_api_id, resource_id, http_method)
    return shown_integration(integration)


@operations.add("UpdateIntegration", writes=True)
def update_integration(
    call: Call,
    *,
    rest_api_id: str,
    resource_id: str,
    http_method: str,
    patch_operations: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Patches an integration."""
    check_operations("updateIntegration", patch_operations)
    with call.store.lock:
        document, integration = integration_of(call, rest_api_id, resource_id, http_method)
        changed = patched(integration, patch_operations, RULES, PLAIN)
        changed.setdefault("cacheKeyParameters", [])
        _check(changed)
        methods = document["resources"][resource_id]["methods"]
        methods[http_method.upper()]["methodIntegration"] = changed
        save(call, document)
    return shown_integration(changed)


@operations.add("DeleteIntegration", writes=True)
def delete_integration(call: Call, *, rest_api_id: str, resource_id: str, http_method: str) -> None:
    """Takes the integration from a method."""
    with call.store.lock:
        document, _ = integration_of(call, rest_api_id, resource_id, http_method)
        del document["resources"][resource_id]["methods"][http_method.upper()]["methodIntegration"]
        save(call, document)


def _check_response(response: dict[str, Any]) -> None:
    pattern = response.get("selectionPattern")
    if pattern:
        try:
            expression(pattern)
        except ValueError:
            raise bad(f"Invalid selection pattern specified: {pattern}") from None
    handling = response.get("contentHandling")
    if handling and handling not in CONTENT_HANDLING:
        raise refused(
            "putIntegrationResponseInput.contentHandling", handling, one_of(CONTENT_HANDLING)
        )


@operations.add("PutIntegrationResponse", writes=True)
def put_integration_response(
    call: Call,
    *,
    rest_api_id: str,
    resource_id: str,
    http_method: str,
    status_code: str,
    selection_pattern: str | None = None,
    **given: Any,
) -> dict[str, Any]:
    """Says what becomes of an answer of the integration."""
    check_status(status_code)
    with call.store.lock:
        document, method = method_of(call, rest_api_id, resource_id, http_method)
        if not method.get("methodIntegration"):
            raise no_integration()
        response = {"statusCode": status_code, **members(given)}
        if selection_pattern is not None:
            response["selectionPattern"] = selection_pattern
        _check_response(response)
        responses = method["methodIntegration"].setdefault("integrationResponses", {})
        responses[status_code] = response
        save(call, document)
    return response


register(
    "IntegrationResponse", "integrationResponses", integration_of, RESPONSE_RULES, _check_response
)
