"""Which token buckets a request to a REST API is subject to."""

from __future__ import annotations

from trunkline.aws.apigateway.front.refusing import Refusal
from trunkline.aws.execute_api.throttling import Limit, take
from trunkline.aws.limits import API_BURST_DEFAULT, API_RATE_DEFAULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.apigateway.front.exchange import Exchange


def limits_of(
    stage: dict[str, Any], owner: tuple[str, str], api: str, path: str, verb: str
) -> list[Limit]:
    """The buckets of a method of a stage, and of all APIs of its account and region."""
    settings = stage["methodSettings"]
    path = path.lstrip("/")
    found = []
    for name in (f"{path}/{verb}", f"{path}/*", "*/*"):
        one = settings.get(name)
        if one is not None and one.get("throttlingRateLimit", -1) >= 0:
            burst, rate = one["throttlingBurstLimit"], one["throttlingRateLimit"]
            # Each method has a bucket of its own, also by the settings of all.
            name = f"method {api}/{stage['stageName']} {path} {verb}"
            found.append(Limit(name, burst, rate))
            break
    account, region = owner
    found.append(Limit(f"account {account} {region}", API_BURST_DEFAULT, API_RATE_DEFAULT))
    return found


def _limits_of_stage(exchange: Exchange) -> list[Limit]:
    match = exchange.routed
    return limits_of(
        exchange.stage,
        (exchange.account, exchange.region),
        exchange.request.api,
        match.resource["path"],
        match.method["httpMethod"],
    )


def throttle(exchange: Exchange, limits: list[Limit]) -> None:
    """Refuses a request that finds a bucket empty."""
    if not take(exchange.apis, [*limits, *_limits_of_stage(exchange)], exchange.now):
        raise Refusal("THROTTLED", "Too Many Requests")
