"""API keys of requests: their usage plans, throttles and quotas."""

from __future__ import annotations

from datetime import UTC, datetime

from trunkline.aws.apigateway.front.refusing import Refusal
from trunkline.aws.apigateway.keys import key_of, value_of
from trunkline.aws.apigateway.plans import plan_key, usage_key, used
from trunkline.aws.execute_api.throttling import Limit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.apigateway.front.exchange import Exchange

DAYS_KEPT = 90
"""How many days the use of a plan is told."""


def _same(document: dict[str, Any]) -> dict[str, Any]:
    return document


def _given(exchange: Exchange) -> str | None:
    if exchange.api.get("apiKeySource") == "AUTHORIZER":
        return exchange.usage_key
    return exchange.request.header("x-api-key")


def check_key(exchange: Exchange) -> tuple[list[Limit], dict[str, Any] | None]:
    """The buckets of the API key's plan, and its plan with the key; refuses a key without one."""
    value = _given(exchange)
    is_required = exchange.routed.method["apiKeyRequired"]
    key = None if value is None else _find_key(exchange, value)
    if key is None or not key["enabled"]:
        if is_required:
            raise Refusal("INVALID_API_KEY", "Forbidden")
        return [], None
    identity = exchange.context["identity"]
    identity["apiKey"], identity["apiKeyId"] = value, key["id"]
    own = (exchange.request.api, exchange.stage["stageName"])
    for plan_id in key["plans"]:
        at = plan_key(exchange.account, exchange.region, plan_id)
        plan = exchange.apis.read(at, _same)
        if plan is None or key["id"] not in plan["keys"]:
            continue
        for stage in plan["apiStages"]:
            if (stage.get("apiId"), stage.get("stage")) == own:
                used_by = {"plan": plan, "key": key["id"]} if is_required else None
                limits = _limits(exchange, plan, stage, key["id"]) if is_required else []
                return limits, used_by
    if is_required:
        raise Refusal("INVALID_API_KEY", "Forbidden")
    return [], None


def _find_key(exchange: Exchange, value: str) -> dict[str, Any] | None:
    named = exchange.apis.read(value_of(exchange.account, exchange.region, value), _same)
    if named is None:
        return None
    return exchange.apis.read(key_of(exchange.account, exchange.region, named["id"]), _same)


def _limits(
    exchange: Exchange, plan: dict[str, Any], stage: dict[str, Any], key: str
) -> list[Limit]:
    found = []
    match = exchange.routed
    method = f"{match.resource['path']}/{match.method['httpMethod']}"
    own = stage.get("throttle", {}).get(method)
    for name, throttle in (
        (f"plan {plan['id']} {key} {method}", own),
        (f"plan {plan['id']} {key}", plan.get("throttle")),
    ):
        if throttle and "rateLimit" in throttle:
            burst = throttle.get("burstLimit") or throttle["rateLimit"]
            found.append(Limit(name, burst, throttle["rateLimit"]))
    return found


def count_use(exchange: Exchange, plan: dict[str, Any], key: str) -> None:
    """Counts a request against the quota of a plan; refuses one beyond it."""
    store = exchange.apis.store
    quota = plan.get("quota")
    today = datetime.fromtimestamp(exchange.now, UTC).date().isoformat()
    at = usage_key(plan["id"], key)
    with store.lock:
        usage = store.get(at) or {"days": {}}
        if quota and used(usage, quota, exchange.now) + 1 > quota["limit"]:
            raise Refusal("QUOTA_EXCEEDED", "Limit Exceeded")
        days = usage["days"]
        days[today] = days.get(today, 0) + 1
        for day in sorted(days)[:-DAYS_KEPT]:
            del days[day]
        store.put(at, usage)
