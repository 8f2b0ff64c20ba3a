"""WebSocket APIs on the data path: clients that connect, what they send, and their end."""

from __future__ import annotations

import json
from urllib.parse import unquote

from trunkline.aws.apigateway.front.checking import validator_of
from trunkline.aws.apigateway.front.refusing import Refusal
from trunkline.aws.apigatewayv2 import access_logs
from trunkline.aws.apigatewayv2.documents import deployment_key, owner_key, stage_key
from trunkline.aws.apigatewayv2.exchange import Refused, answer
from trunkline.aws.apigatewayv2.sockets.authorizing import authorize
from trunkline.aws.apigatewayv2.sockets.checks import CONNECT, DEFAULT, DISCONNECT
from trunkline.aws.apigatewayv2.sockets.exchange import Connection, Deployed, SocketExchange
from trunkline.aws.apigatewayv2.sockets.integrating import Told, integrate
from trunkline.aws.apigatewayv2.throttling import takes
from trunkline.aws.execute_api.message import ApiRequest, ApiResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.execute_api.kinds import Accepted, Apis, SocketEvent

    Document = dict[str, Any]

_PROTOCOL = "sec-websocket-protocol"


def _plain(document: Document) -> Document:
    return document


def is_served(apis: Apis, api: str) -> bool:
    """Whether an API is a WebSocket API."""
    owner = apis.read(owner_key(api), _plain)
    return owner is not None and owner.get("protocol") == "WEBSOCKET"


def invoke(request: ApiRequest) -> ApiResponse:
    """Answers a request over HTTP to a WebSocket API; open connections are managed by the core."""
    if "/@connections/" in request.path.replace("%40", "@"):
        if request.is_strict and (request.signer is None or request.refusal is not None):
            return _error(403, "ForbiddenException", "Forbidden")
        return _error(410, "GoneException", "The connection has ended, or there was none.")
    response = answer(426, "Upgrade Required")
    response.headers.append(("upgrade", "websocket"))
    return response


def _error(status: int, code: str, message: str) -> ApiResponse:
    response = answer(status, message)
    response.headers.append(("x-amzn-errortype", code))
    return response


def connect(
    apis: Apis, request: ApiRequest, connection: str, now: int
) -> tuple[ApiResponse, Accepted | None]:
    """Answers a client that wants to connect, and tells whether it is connected."""
    owner = apis.read(owner_key(request.api), _plain)
    first, _, rest = request.path[1:].partition("/")
    stage = apis.read(stage_key(request.api, unquote(first)), _plain) if first else None
    is_disabled = owner is not None and owner.get("disabled") and request.domain_path is None
    if owner is None or is_disabled or stage is None or rest:
        return _error(403, "ForbiddenException", "Forbidden"), None
    exchange = SocketExchange(apis, request, owner, stage, "/", now / 1_000)
    exchange.connection = Connection(connection, now)
    try:
        told = _carried_out(exchange, CONNECT)
        if told is not None and told.status // 100 != 2:
            response = ApiResponse(told.status, [], (told.body or "").encode())
        else:
            asked = [] if told is None else told.headers
            protocols = [line for line in asked if line[0].lower() == _PROTOCOL]
            response = ApiResponse(200, protocols)
    except Refused as refused:
        _note(exchange, refused)
        body = exchange.frame(refused.message).encode()
        response = ApiResponse(refused.status, [("content-type", "application/json")], body)
    access_logs.write(exchange, response)
    if response.status != 200:
        return response, None
    state = {
        "host": request.host,
        "user_agent": request.header("user-agent"),
        "source_ip": request.source_ip,
        "is_secure": request.is_secure,
        "is_strict": request.is_strict,
        "base": request.base,
        "authorizer": exchange.authorizer,
    }
    named = (request.api, str(stage["StageName"]), str(owner["account"]))
    return response, (*named, json.dumps(state))


def happened(apis: Apis, event: SocketEvent) -> list[str]:
    """Handles a message, or the end of a connection; what the client gets."""
    state = json.loads(event.state)
    headers = [("host", state["host"])]
    if state["user_agent"] is not None:
        headers.append(("user-agent", state["user_agent"]))
    request = ApiRequest(
        api=event.api,
        path=f"/{event.stage}",
        method="GET",
        query="",
        headers=headers,
        body=(event.message or "").encode(),
        source_ip=state["source_ip"],
        is_secure=state["is_secure"],
        base=state["base"],
        request_id=event.request_id,
        is_strict=state["is_strict"],
        signer=None,
        refusal=None,
    )
    owner = apis.read(owner_key(event.api), _plain)
    stage = apis.read(stage_key(event.api, event.stage), _plain)
    if owner is None or stage is None:
        told = {"message": "Forbidden", "connectionId": event.connection}
        return [json.dumps(told | {"requestId": event.request_id})]
    exchange = SocketExchange(apis, request, owner, stage, "/", apis.store.now())
    exchange.connection = Connection(event.connection, event.connected_at)
    exchange.authorizer, exchange.ended = state["authorizer"], event.ended
    exchange.event_type = "MESSAGE" if event.ended is None else "DISCONNECT"
    try:
        told_back = _carried_out(exchange, None if event.ended is None else DISCONNECT)
        replies = _replies(exchange, told_back)
        status = 200 if told_back is None else told_back.status
    except Refused as refused:
        _note(exchange, refused)
        replies, status = [exchange.frame(refused.message)], refused.status
    access_logs.write(exchange, ApiResponse(status, [], "".join(replies).encode()))
    return replies


def _note(exchange: SocketExchange, refused: Refused) -> None:
    if refused.status >= 500 and refused.status != 504:
        # What went wrong inside is for the log.
        refused.message = "Internal server error"
    exchange.told |= {
        "error": {"message": refused.message, "messageString": f'"{refused.message}"'},
        "integrationErrorMessage": refused.why or None,
    }


def _carried_out(exchange: SocketExchange, key: str | None) -> Told | None:
    """What the route answers; None where a connection begins or ends without a route."""
    apis, request, deployment = exchange.apis, exchange.request, exchange.stage.get("DeploymentId")
    at = deployment_key(request.api, deployment) if deployment else None
    deployed = apis.read(at, Deployed) if at else None
    if deployed is None:
        raise Refused(403, "Forbidden", why="the stage has no deployment")
    wanted = key or exchange.selected(exchange.owner["selection"])
    # Only the gateway itself takes the routes of its own events.
    is_own = key is None and wanted in (CONNECT, DISCONNECT)
    route = None if is_own else deployed.routes.get(wanted)
    if route is None and key is None:
        route = deployed.routes.get(DEFAULT)
    if route is None:
        if key is not None:
            return None
        raise Refused(403, "Forbidden", why=f"no route takes {wanted!r}")
    exchange.route, exchange.authorizers = route, deployed.authorizers
    if not takes(exchange):
        raise Refused(429, "Too Many Requests")
    if key == CONNECT:
        _check_parameters(exchange)
        authorize(exchange)
    elif key is None:
        _check_message(exchange, deployed)
    target = str(route.get("Target", "")).partition("/")[2]
    integration = deployed.integrations.get(target)
    if integration is None:
        raise Refused(500, "Internal server error", why="the route has no integration")
    exchange.integration = integration
    return integrate(exchange)


def _check_parameters(exchange: SocketExchange) -> None:
    for name, told in (exchange.route.get("RequestParameters") or {}).items():
        if told.get("Required") and not exchange.source(name):
            plain = name.split(".", 3)[3]
            raise Refused(400, f"Missing required request parameters: [{plain}]")


def _check_message(exchange: SocketExchange, deployed: Deployed) -> None:
    """Refuses a message that is not what the model of its route describes."""
    models = exchange.route.get("RequestModels")
    if not models:
        return
    expression = exchange.route.get("ModelSelectionExpression")
    name = models.get(exchange.selected(expression) if expression else DEFAULT)
    if name is None or name not in deployed.models:
        return
    try:
        wrong = validator_of(deployed, name)(json.loads(exchange.message))
    except (ValueError, RecursionError) as error:
        wrong = str(error)
    except Refusal as refusal:
        raise Refused(500, "Internal server error", why=refusal.reason) from None
    if wrong is not None:
        raise Refused(400, "Invalid request body", why=wrong)


def _replies(exchange: SocketExchange, told: Told | None) -> list[str]:
    """What the client gets of an answer: nothing, unless the route has a response."""
    expression = exchange.route.get("RouteResponseSelectionExpression")
    responses = exchange.route.get("responses") or {}
    if told is None or not told.body or not expression or not responses:
        return []
    return [told.body]
