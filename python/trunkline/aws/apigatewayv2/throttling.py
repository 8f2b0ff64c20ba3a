"""How many requests, or messages, a route of a stage takes."""

from __future__ import annotations

from trunkline.aws.execute_api.throttling import Limit, take
from trunkline.aws.limits import HTTP_API_BURST_DEFAULT, HTTP_API_RATE_DEFAULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.apigatewayv2.exchange import Exchange


def limit_of(stage: dict[str, Any], api: str, key: str) -> Limit:
    """The bucket of a route of a stage."""
    settings = {
        **(stage.get("DefaultRouteSettings") or {}),
        **((stage.get("RouteSettings") or {}).get(key) or {}),
    }
    burst = float(settings.get("ThrottlingBurstLimit", HTTP_API_BURST_DEFAULT))
    rate = float(settings.get("ThrottlingRateLimit", HTTP_API_RATE_DEFAULT))
    return Limit(f"route {api} {stage['StageName']} {key}", burst, rate)


def takes(exchange: Exchange) -> bool:
    """Whether the route takes one more request now."""
    limit = limit_of(exchange.stage, exchange.request.api, exchange.route["RouteKey"])
    return take(exchange.apis, [limit], exchange.now)
