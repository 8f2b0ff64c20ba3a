"""Who may connect to a WebSocket API."""

from __future__ import annotations

from trunkline.aws.apigatewayv2.authorizing import allows, check_signature
from trunkline.aws.apigatewayv2.exchange import Refused
from trunkline.aws.apigatewayv2.integrating import call_function, function_arn
from trunkline.aws.arns import partition

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.apigatewayv2.sockets.exchange import SocketExchange

_ACTION = "execute-api:Invoke"


def authorize(exchange: SocketExchange) -> None:
    """Lets a client connect, and notes what was learnt of it; raises Refused otherwise."""
    kind = exchange.route.get("AuthorizationType", "NONE")
    if kind == "AWS_IAM":
        check_signature(exchange)
    elif kind == "CUSTOM":
        _ask(exchange, exchange.authorizers.get(exchange.route.get("AuthorizerId", "")))


def _ask(exchange: SocketExchange, authorizer: dict[str, Any] | None) -> None:
    if authorizer is None:
        raise Refused(500, "Internal server error", why="the authorizer of the route is gone")
    for source in authorizer.get("IdentitySource") or ():
        if not exchange.source(source):
            raise Refused(401, "Unauthorized", why=f"there is no {source}")
    where = f"{exchange.region}:{exchange.account}:{exchange.request.api}"
    arn = f"arn:{partition(exchange.region)}:execute-api:{where}/{exchange.stage_name}/$connect"
    event = exchange.event() | {"type": "REQUEST", "methodArn": arn}
    try:
        told = call_function(exchange, function_arn(exchange, authorizer["AuthorizerUri"]), event)
    except Refused as refused:
        if '"errorMessage": "Unauthorized"' in refused.why or (
            '"errorMessage":"Unauthorized"' in refused.why
        ):
            raise Refused(401, "Unauthorized", why=refused.why) from None
        raise
    policy = told.get("policyDocument") if isinstance(told, dict) else None
    if not isinstance(policy, dict) or not told.get("principalId"):
        why = "the authorizer's answer has no policyDocument or no principalId"
        raise Refused(500, "Internal server error", why=why)
    if not allows(policy, _ACTION, arn):
        raise Refused(403, "Forbidden", why="the authorizer denies the connection")
    context = told.get("context")
    exchange.authorizer = {
        **(context if isinstance(context, dict) else {}),
        "principalId": told["principalId"],
    }
