"""HTTP and WebSocket APIs as a kind of the data path (see `trunkline.aws.execute_api.kinds`)."""

from __future__ import annotations

from urllib.parse import unquote

from trunkline.aws.apigatewayv2 import access_logs, cors
from trunkline.aws.apigatewayv2.authorizing import authorize
from trunkline.aws.apigatewayv2.documents import (
    DEFAULT_STAGE,
    deployment_key,
    owner_key,
    stage_key,
)
from trunkline.aws.apigatewayv2.exchange import Exchange, Refused, answer
from trunkline.aws.apigatewayv2.integrating import integrate
from trunkline.aws.apigatewayv2.matching import Routes
from trunkline.aws.apigatewayv2.sockets import serving
from trunkline.aws.apigatewayv2.throttling import takes
from trunkline.aws.limits import API_PAYLOAD_BYTES_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.execute_api.kinds import Apis
    from trunkline.aws.execute_api.message import ApiRequest, ApiResponse

    Document = dict[str, Any]


class _Deployed:
    """A deployment, ready for requests."""

    def __init__(self, document: Document) -> None:
        self.routes = Routes(document["routes"].values())
        self.integrations = document["integrations"]
        self.authorizers = document["authorizers"]


def _plain(document: Document) -> Document:
    return document


def invoke(apis: Apis, request: ApiRequest) -> ApiResponse | None:
    """Answers a request to an HTTP API; None if the API is none."""
    owner = apis.read(owner_key(request.api), _plain)
    if owner is None:
        return None
    if owner.get("protocol") == "WEBSOCKET":
        return serving.invoke(request)
    if owner.get("disabled") and request.domain_path is None:
        return answer(403, "Forbidden")
    found = _stage(apis, request)
    if found is None:
        response = answer(404, "Not Found")
    else:
        stage, path = found
        exchange = Exchange(apis, request, owner, stage, path, apis.store.now())
        response = _answered(exchange)
    response.headers.append(("apigw-requestid", request.request_id))
    return response


def _stage(apis: Apis, request: ApiRequest) -> tuple[Document, str] | None:
    """The stage of a request and the path below it: one that the path names, or the default."""
    first, _, rest = request.path[1:].partition("/")
    stage = apis.read(stage_key(request.api, unquote(first)), _plain) if first else None
    if stage is not None and (stage["StageName"] != DEFAULT_STAGE or request.domain_path):
        return stage, f"/{rest}"
    stage = apis.read(stage_key(request.api, DEFAULT_STAGE), _plain)
    return None if stage is None else (stage, request.path)


def _answered(exchange: Exchange) -> ApiResponse:
    """The answer with the headers for other origins, once it is in the access log."""
    request, configuration = exchange.request, exchange.owner.get("cors")
    if configuration and cors.is_preflight(request):
        response = cors.preflight(configuration, request)
    else:
        response = _served(exchange)
        if configuration:
            response = cors.with_headers(configuration, request, response)
    access_logs.write(exchange, response)
    return response


def _served(exchange: Exchange) -> ApiResponse:
    try:
        return _routed(exchange)
    except Refused as refused:
        exchange.told |= {
            "error": {"message": refused.message, "messageString": f'"{refused.message}"'},
            "integrationErrorMessage": refused.why or None,
        }
        return answer(refused.status, refused.message)


def _routed(exchange: Exchange) -> ApiResponse:
    apis, request, stage = exchange.apis, exchange.request, exchange.stage
    deployment = stage.get("DeploymentId")
    deployed = apis.read(deployment_key(request.api, deployment), _Deployed) if deployment else None
    match = None if deployed is None else deployed.routes.find(request.method, exchange.path)
    if deployed is None or match is None:
        raise Refused(404, "Not Found")
    exchange.route, exchange.variables = match.route, match.variables
    exchange.authorizers = deployed.authorizers
    if len(request.body) > API_PAYLOAD_BYTES_MAX:
        raise Refused(413, "Request Entity Too Large")
    if not takes(exchange):
        raise Refused(429, "Too Many Requests")
    authorize(exchange)
    target = str(match.route.get("Target", "")).partition("/")[2]
    integration = deployed.integrations.get(target)
    if integration is None:
        raise Refused(500, "Internal Server Error", why="the route has no integration")
    exchange.integration = integration
    return integrate(exchange)
