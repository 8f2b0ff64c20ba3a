"""Token buckets: how many requests a route of a stage takes, on the engine's clock."""

from __future__ import annotations

from trunkline.aws.limits import HTTP_API_BURST_DEFAULT, HTTP_API_RATE_DEFAULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.apigatewayv2.exchange import Exchange

_BUCKETS_MAX = 10_000


def takes(exchange: Exchange) -> bool:
    """Whether the route takes one more request now."""
    key = exchange.route["RouteKey"]
    settings = {
        **(exchange.stage.get("DefaultRouteSettings") or {}),
        **((exchange.stage.get("RouteSettings") or {}).get(key) or {}),
    }
    burst = float(settings.get("ThrottlingBurstLimit", HTTP_API_BURST_DEFAULT))
    rate = float(settings.get("ThrottlingRateLimit", HTTP_API_RATE_DEFAULT))
    apis, now = exchange.apis, exchange.now
    name = (exchange.request.api, exchange.stage_name, key)
    with apis.lock:
        buckets: dict[Any, tuple[float, float]] = apis.memory.setdefault("apigatewayv2 buckets", {})
        left, since = buckets.get(name, (burst, now))
        left = min(burst, left + max(0.0, now - since) * rate)
        is_taken = left >= 1
        if name not in buckets:
            while len(buckets) >= _BUCKETS_MAX:
                buckets.pop(next(iter(buckets)))
        buckets[name] = (left - 1 if is_taken else left, now)
    return is_taken
