"""HTTP and WebSocket APIs themselves."""

from __future__ import annotations

import re

from trunkline.aws.apigatewayv2.checks import check_integration, check_route
from trunkline.aws.apigatewayv2.deploying import deploy, serve
from trunkline.aws.apigatewayv2.documents import (
    DEFAULT_STAGE,
    api_key,
    deployment_key,
    is_socket,
    members,
    new_id,
    owner_key,
    paged_behind,
    read,
    save,
    save_stage,
)
from trunkline.aws.apigatewayv2.errors import bad
from trunkline.aws.apigatewayv2.registry import operations
from trunkline.aws.apigatewayv2.sockets import checks as sockets
from trunkline.aws.limits import API_ID_CHARS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from trunkline.aws.operation import Call

    Document = dict[str, Any]

ROUTE_SELECTION = "$request.method $request.path"
API_KEY_SELECTION = "$request.header.x-api-key"
_QUICK = ("Target", "RouteKey", "CredentialsArn")


def check_api(api: Document) -> None:
    """Refuses an API that this engine cannot serve."""
    kind = api["ProtocolType"]
    if kind not in ("HTTP", "WEBSOCKET"):
        raise bad(f"Invalid ProtocolType {kind!r}: use HTTP or WEBSOCKET")
    if not api["Name"]:
        raise bad("Name must not be empty")
    if kind == "WEBSOCKET":
        sockets.check_api(api)
    elif api.setdefault("RouteSelectionExpression", ROUTE_SELECTION) != ROUTE_SELECTION:
        raise bad(f"RouteSelectionExpression of an HTTP API has to be {ROUTE_SELECTION!r}")
    api.setdefault("ApiKeySelectionExpression", API_KEY_SELECTION)
    api.setdefault("DisableExecuteApiEndpoint", False)
    api.setdefault("IpAddressType", "ipv4")
    cors = api.get("CorsConfiguration") or {}
    if cors.get("AllowCredentials") and "*" in cors.get("AllowOrigins", ()):
        raise bad("AllowOrigins must name origins when AllowCredentials is true")


def new_document(call: Call, api: Document) -> Document:
    """The document of a new API."""
    check_api(api)
    id = new_id(API_ID_CHARS)
    told = {"ApiId": id, "CreatedDate": call.store.now(), "Tags": {}, **api}
    empty = ("routes", "integrations", "authorizers", "models", "stages", "deployments")
    return {"id": id, "api": told, **{name: {} for name in empty}}


def shown(call: Call, document: Document) -> Document:
    """An API as operations tell of it. Its endpoint is an address at which this server answers."""
    base = call.base
    if is_socket(document):
        base = re.sub("^http", "ws", base)
    endpoint = f"{base}/_aws/execute-api/{document['id']}"
    return {**document["api"], "ApiEndpoint": endpoint, "ApiGatewayManaged": False}


@operations.add("CreateApi", writes=True)
def create_api(call: Call, **given: Any) -> Document:
    """Creates an API; with a target also its integration, its route and its default stage."""
    told = members(given)
    quick = {name: told.pop(name) for name in _QUICK if name in told}
    with call.store.lock:
        document = new_document(call, told)
        if quick and is_socket(document):
            raise bad("Target, RouteKey and CredentialsArn are supported for HTTP APIs only")
        if "Target" in quick:
            _add_quick(call, document, quick)
        elif quick:
            raise bad("RouteKey and CredentialsArn need a Target")
        save(call, document)
    return shown(call, document)


def _add_quick(call: Call, document: Document, quick: Document) -> None:
    target = quick["Target"]
    is_url = target.startswith(("http://", "https://"))
    integration = {
        "IntegrationId": new_id(),
        "IntegrationType": "HTTP_PROXY" if is_url else "AWS_PROXY",
        "IntegrationUri": target,
        "PayloadFormatVersion": "1.0" if is_url else "2.0",
        "ApiGatewayManaged": True,
    }
    if is_url:
        integration["IntegrationMethod"] = "ANY"
    if "CredentialsArn" in quick:
        integration["CredentialsArn"] = quick["CredentialsArn"]
    check_integration(document, integration)
    document["integrations"][integration["IntegrationId"]] = integration
    route = {
        "RouteId": new_id(),
        "RouteKey": quick.get("RouteKey", "$default"),
        "Target": f"integrations/{integration['IntegrationId']}",
        "ApiGatewayManaged": True,
    }
    check_route(document, route)
    document["routes"][route["RouteId"]] = route
    stage = {"StageName": DEFAULT_STAGE, "AutoDeploy": True, "ApiGatewayManaged": True}
    document["stages"][DEFAULT_STAGE] = stage | {
        "CreatedDate": call.store.now(),
        "DefaultRouteSettings": {"DetailedMetricsEnabled": False},
        "RouteSettings": {},
        "StageVariables": {},
        "Tags": {},
    }
    deployment = deploy(call, document, description=None, is_auto=True)
    serve(call, document, document["stages"][DEFAULT_STAGE], deployment["DeploymentId"])


@operations.add("GetApi")
def get_api(call: Call, *, api_id: str) -> Document:
    """One API."""
    return shown(call, read(call, api_id))


@operations.add("GetApis")
def get_apis(
    call: Call, *, max_results: str | None = None, next_token: str | None = None
) -> Document:
    """The APIs of the caller."""
    prefix = api_key(call.account, call.region)

    def behind(after: str | None) -> Iterator[Document]:
        return (shown(call, one) for one in call.store.every(prefix, after=after))

    return paged_behind(behind, "ApiId", max_results, next_token)


@operations.add("UpdateApi", writes=True)
def update_api(call: Call, *, api_id: str, **given: Any) -> Document:
    """Changes an API."""
    told = members(given)
    if any(name in told for name in _QUICK):
        raise bad("UpdateApi of this engine changes no quick-create target: update its integration")
    with call.store.lock:
        document = read(call, api_id)
        api = {**document["api"], **told}
        check_api(api)
        document["api"] = api
        save(call, document)
    return shown(call, document)


@operations.add("DeleteApi", writes=True)
def delete_api(call: Call, *, api_id: str) -> None:
    """Deletes an API with all that it consists of."""
    with call.store.lock:
        document = read(call, api_id)
        remove(call, document)


def remove(call: Call, document: Document) -> None:
    """Forgets an API."""
    for name in list(document["stages"]):
        del document["stages"][name]
        save_stage(call, document, name)
    for id in document["deployments"]:
        call.store.put(deployment_key(document["id"], id), None)
    call.store.put(owner_key(document["id"]), None)
    call.store.put(api_key(call.account, call.region, document["id"]), None)


@operations.add("DeleteCorsConfiguration", writes=True)
def delete_cors_configuration(call: Call, *, api_id: str) -> None:
    """Forgets what other origins may do."""
    with call.store.lock:
        document = read(call, api_id)
        document["api"].pop("CorsConfiguration", None)
        save(call, document)
