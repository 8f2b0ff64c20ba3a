"""The authorizers of a REST API."""

from __future__ import annotations

from trunkline.aws.apigateway.documents import members, new_id, read, save
from trunkline.aws.apigateway.errors import bad, conflict, missing, one_of, refused
from trunkline.aws.apigateway.parts import Part, register
from trunkline.aws.apigateway.patching import Rule, number
from trunkline.aws.apigateway.registry import operations
from trunkline.aws.execute_api.expressions import expression
from trunkline.aws.limits import AUTHORIZER_TTL_DEFAULT, AUTHORIZER_TTL_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.errors import ServiceError
    from trunkline.aws.operation import Call

TYPES = ("TOKEN", "REQUEST", "COGNITO_USER_POOLS")
RULES = {
    "/name": Rule(),
    "/type": Rule(),
    "/authorizerUri": Rule(),
    "/authorizerCredentials": Rule(("replace", "remove")),
    "/identitySource": Rule(),
    "/identityValidationExpression": Rule(("add", "replace", "remove")),
    "/authorizerResultTtlInSeconds": Rule(read=number),
    "/authType": Rule(),
    "/providerARNs": Rule(("add", "remove"), is_list=True),
}


def _no_authorizer(_: str) -> ServiceError:
    return missing("Invalid Authorizer identifier specified")


def _check(authorizer: dict[str, Any]) -> None:
    kind = authorizer.get("type")
    if not authorizer.get("name"):
        raise bad("Authorizer name must be non-empty")
    if kind not in TYPES:
        raise refused("createAuthorizerInput.type", kind, one_of(TYPES))
    ttl = authorizer.get("authorizerResultTtlInSeconds", AUTHORIZER_TTL_DEFAULT)
    if not 0 <= ttl <= AUTHORIZER_TTL_MAX:
        raise bad(
            f"Authorizer result TTL must be between 0 and {AUTHORIZER_TTL_MAX} seconds, inclusive"
        )
    if kind == "COGNITO_USER_POOLS":
        if not authorizer.get("providerARNs"):
            raise bad("Invalid ARN specified in the request. ARN is null or empty")
        return
    pattern = authorizer.get("identityValidationExpression")
    if pattern:
        try:
            expression(pattern)
        except ValueError:
            raise bad(f"Invalid identity validation expression specified: {pattern}") from None
    if ":lambda:path/" not in authorizer.get("authorizerUri", ""):
        raise bad("Invalid Authorizer URI: it must name a Lambda function")
    source = authorizer.get("identitySource", "")
    if kind == "TOKEN" and not source.startswith("method.request.header."):
        raise bad("Invalid request: a TOKEN authorizer needs one header as its identity source")
    if kind == "REQUEST" and ttl and not source:
        raise bad("Identity source must be non-empty when authorizer caching is enabled")


@operations.add("CreateAuthorizer", writes=True)
def create_authorizer(
    call: Call, *, rest_api_id: str, name: str, type: str, **given: Any
) -> dict[str, Any]:
    """Adds an authorizer."""
    with call.store.lock:
        document = read(call, rest_api_id)
        if any(one["name"] == name for one in document["authorizers"].values()):
            raise conflict("Authorizer name must be unique. Authorizer with same name exists")
        authorizer = {"id": new_id(6), "name": name, "type": type, **members(given)}
        kind = "cognito_user_pools" if type == "COGNITO_USER_POOLS" else "custom"
        authorizer.setdefault("authType", kind)
        if type == "TOKEN":
            authorizer.setdefault("identitySource", "method.request.header.Authorization")
        _check(authorizer)
        document["authorizers"][authorizer["id"]] = authorizer
        save(call, document)
    return authorizer


def _check_unused(document: dict[str, Any], authorizer: str) -> None:
    for resource in document["resources"].values():
        for method in resource["methods"].values():
            if method.get("authorizerId") == authorizer:
                raise conflict(
                    f"Cannot delete authorizer '{authorizer}', is referenced in method: "
                    f"{resource['path']}/{method['httpMethod']}"
                )


register(
    Part(
        "Authorizer",
        "authorizers",
        "authorizer_id",
        _no_authorizer,
        RULES,
        _check,
        _check_unused,
    )
)
