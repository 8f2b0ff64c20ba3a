"""How many requests, or messages, a route of a stage takes."""

from __future__ import annotations

from trunkline.aws.execute_api.throttling import Limit, take
from trunkline.aws.limits import HTTP_API_BURST_DEFAULT, HTTP_API_RATE_DEFAULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline.aws.apigatewayv2.exchange import Exchange


def takes(exchange: Exchange) -> bool:
    """Whether the route takes one more request now."""
    key = exchange.route["RouteKey"]
    settings = {
        **(exchange.stage.get("DefaultRouteSettings") or {}),
        **((exchange.stage.get("RouteSettings") or {}).get(key) or {}),
    }
    burst = float(settings.get("ThrottlingBurstLimit", HTTP_API_BURST_DEFAULT))
    rate = float(settings.get("ThrottlingRateLimit", HTTP_API_RATE_DEFAULT))
    name = f"route {exchange.request.api} {exchange.stage_name} {key}"
    return take(exchange.apis, [Limit(name, burst, rate)], exchange.now)
