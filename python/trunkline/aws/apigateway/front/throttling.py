"""Which token buckets a request to a REST API is subject to."""

from __future__ import annotations

from trunkline.aws.apigateway.front.refusing import Refusal
from trunkline.aws.execute_api.throttling import Limit, take
from trunkline.aws.limits import API_BURST_DEFAULT, API_RATE_DEFAULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trunkline.aws.apigateway.front.exchange import Exchange


def limits_of_stage(exchange: Exchange) -> list[Limit]:
    """The buckets of the method, and of all APIs of the account."""
    settings = exchange.stage["methodSettings"]
    match = exchange.routed
    path, verb = match.resource["path"].lstrip("/"), match.method["httpMethod"]
    found = []
    for name in (f"{path}/{verb}", f"{path}/*", "*/*"):
        one = settings.get(name)
        if one is not None and one.get("throttlingRateLimit", -1) >= 0:
            burst, rate = one["throttlingBurstLimit"], one["throttlingRateLimit"]
            stage = f"{exchange.request.api}/{exchange.stage['stageName']}"
            # Each method has a bucket of its own, also by the settings of all.
            found.append(Limit(f"method {stage} {path} {verb}", burst, rate))
            break
    account = f"account {exchange.account} {exchange.region}"
    found.append(Limit(account, API_BURST_DEFAULT, API_RATE_DEFAULT))
    return found


def throttle(exchange: Exchange, limits: list[Limit]) -> None:
    """Refuses a request that finds a bucket empty."""
    if not take(exchange.apis, [*limits, *limits_of_stage(exchange)], exchange.now):
        raise Refusal("THROTTLED", "Too Many Requests")
