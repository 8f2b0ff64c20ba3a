"""Usage plans: which API keys may call which stages, how often."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from trunkline.aws.apigateway.documents import find, members, new_id, paged, paged_behind, without
from trunkline.aws.apigateway.errors import bad, conflict, missing
from trunkline.aws.apigateway.keys import key_of, no_key, read_key
from trunkline.aws.apigateway.patching import (
    Rule,
    check_operations,
    decimal,
    number,
    patched,
    segments,
)
from trunkline.aws.apigateway.registry import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from trunkline.aws.operation import Call

PERIODS = ("DAY", "WEEK", "MONTH")
RULES = {
    "/name": Rule(),
    "/description": Rule(("add", "replace", "remove")),
    "/productCode": Rule(("add", "replace", "remove")),
    "/throttle": Rule(("remove",)),
    "/throttle/rateLimit": Rule(("add", "replace", "remove"), read=decimal),
    "/throttle/burstLimit": Rule(("add", "replace", "remove"), read=number),
    "/quota": Rule(("remove",)),
    "/quota/limit": Rule(("add", "replace", "remove"), read=number),
    "/quota/offset": Rule(("add", "replace", "remove"), read=number),
    "/quota/period": Rule(("add", "replace", "remove")),
}


def plan_key(account: str, region: str, plan: str = "") -> str:
    """The document of a usage plan; without one, the prefix of all."""
    return f"apigateway/plan/{account}/{region}/{plan}"


def usage_key(plan: str, key: str) -> str:
    """The document that counts what an API key used of a plan."""
    return f"apigateway/usage/{plan}/{key}"


def _read(call: Call, plan: str) -> dict[str, Any]:
    found = call.store.get(plan_key(call.account, call.region, plan))
    if found is None:
        raise missing("Invalid Usage Plan ID specified")
    return found


def _keep(call: Call, plan: dict[str, Any]) -> None:
    call.store.put(plan_key(call.account, call.region, plan["id"]), plan)


def shown(plan: dict[str, Any]) -> dict[str, Any]:
    """A plan as operations tell of it."""
    return without(plan, "keys")


def _check(call: Call, plan: dict[str, Any]) -> None:
    quota, throttle = plan.get("quota"), plan.get("throttle")
    if quota:
        if quota.get("period") not in PERIODS:
            raise bad(f"Invalid quota period. Must be one of: [{', '.join(PERIODS)}]")
        if quota.get("limit", 0) <= 0:
            raise bad("Usage Plan quota limit must be greater than 0")
    if throttle and min(throttle.get("rateLimit", 0), throttle.get("burstLimit", 0)) < 0:
        raise bad("Usage Plan throttle limits must not be negative")
    for stage in plan["apiStages"]:
        document = find(call, stage.get("apiId", ""))
        if document is None:
            raise missing(f"Invalid API identifier specified {call.account}:{stage.get('apiId')}")
        if stage.get("stage") not in document["stages"]:
            raise missing(f"Stage {stage['apiId']}:{stage.get('stage')} not found")


@operations.add("CreateUsagePlan", writes=True)
def create_usage_plan(
    call: Call, *, name: str, api_stages: Sequence[dict[str, Any]] = (), **given: Any
) -> dict[str, Any]:
    """Creates a usage plan."""
    if not name:
        raise bad("Usage Plan name can't be blank")
    with call.store.lock:
        plan = {
            "id": new_id(6),
            "name": name,
            "apiStages": list(api_stages),
            **members(given),
            "keys": {},
        }
        _check(call, plan)
        _keep(call, plan)
    return shown(plan)


@operations.add("GetUsagePlan")
def get_usage_plan(call: Call, *, usage_plan_id: str) -> dict[str, Any]:
    """One usage plan."""
    return shown(_read(call, usage_plan_id))


@operations.add("GetUsagePlans")
def get_usage_plans(
    call: Call,
    *,
    position: str | None = None,
    key_id: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    """The usage plans of the caller, or those of an API key."""
    prefix = plan_key(call.account, call.region)

    def behind(after: str | None) -> Iterator[dict[str, Any]]:
        for plan in call.store.every(prefix, after=after):
            if key_id is None or key_id in plan["keys"]:
                yield shown(plan)

    return paged_behind(behind, lambda plan: str(plan["id"]), limit, position)


@operations.add("UpdateUsagePlan", writes=True)
def update_usage_plan(
    call: Call, *, usage_plan_id: str, patch_operations: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    """Patches a usage plan; ``/apiStages`` takes ``api:stage``."""
    check_operations("updateUsagePlan", patch_operations)
    with call.store.lock:
        plan = _read(call, usage_plan_id)
        for one in patch_operations:
            if (one.get("path") or "").startswith("/apiStages"):
                _patch_stages(plan, one)
            else:
                plan = patched(plan, [one], RULES)
        for part in ("throttle", "quota"):
            if not plan.get(part, True):
                del plan[part]
        _check(call, plan)
        _keep(call, plan)
    return shown(plan)


def _patch_stages(plan: dict[str, Any], given: dict[str, Any]) -> None:
    parts, operation, value = segments(given["path"]), given.get("op"), given.get("value")
    named = parts[1] if len(parts) > 1 else value or ""
    api, _, stage = named.partition(":")
    stages = plan["apiStages"]
    own = next((one for one in stages if (one["apiId"], one["stage"]) == (api, stage)), None)
    if len(parts) == 1 and operation == "add":
        if own is None:
            stages.append({"apiId": api, "stage": stage})
    elif own is None:
        raise missing(f"Stage {named} is not part of the usage plan")
    elif len(parts) <= 2 and operation == "remove":
        stages.remove(own)
    elif parts[2:3] == ["throttle"] and len(parts) >= 4:
        throttle = own.setdefault("throttle", {})
        method = parts[3]
        if operation == "remove":
            throttle.pop(method, None)
        elif parts[-1] in ("rateLimit", "burstLimit") and len(parts) == 5:
            read = decimal if parts[-1] == "rateLimit" else number
            throttle.setdefault(method, {})[parts[-1]] = read(value)
        else:
            raise bad(f"Invalid patch path {given['path']}")
    else:
        raise bad(f"Invalid patch path {given['path']}")


@operations.add("DeleteUsagePlan", writes=True)
def delete_usage_plan(call: Call, *, usage_plan_id: str) -> None:
    """Deletes a usage plan that names no stage."""
    with call.store.lock:
        plan = _read(call, usage_plan_id)
        if plan["apiStages"]:
            raise bad("Cannot delete a Usage Plan with associated API stages. Remove them first.")
        for key in plan["keys"]:
            _forget(call, key, usage_plan_id)
        call.store.put(plan_key(call.account, call.region, usage_plan_id), None)


def _forget(call: Call, key: str, plan: str) -> None:
    at = key_of(call.account, call.region, key)
    document = call.store.get(at)
    if document is not None and plan in document["plans"]:
        document["plans"].remove(plan)
        call.store.put(at, document)


@operations.add("CreateUsagePlanKey", writes=True)
def create_usage_plan_key(
    call: Call, *, usage_plan_id: str, key_id: str, key_type: str
) -> dict[str, Any]:
    """Lets an API key use a plan."""
    if key_type != "API_KEY":
        raise bad("Usage plan key type must be API_KEY")
    with call.store.lock:
        plan = _read(call, usage_plan_id)
        key = read_key(call, key_id)
        if key_id in plan["keys"]:
            raise conflict("Usage Plan key already exists")
        plan["keys"][key_id] = {"id": key_id, "type": key_type}
        key["plans"].append(usage_plan_id)
        _keep(call, plan)
        call.store.put(key_of(call.account, call.region, key_id), key)
    return _shown_key(key)


def _shown_key(key: dict[str, Any]) -> dict[str, Any]:
    told = {"id": key["id"], "type": "API_KEY", "value": key["value"]}
    return {**told, "name": key["name"]} if "name" in key else told


@operations.add("GetUsagePlanKey")
def get_usage_plan_key(call: Call, *, usage_plan_id: str, key_id: str) -> dict[str, Any]:
    """One API key of a plan."""
    if key_id not in _read(call, usage_plan_id)["keys"]:
        raise missing("Invalid Usage Plan Key identifier specified")
    return _shown_key(read_key(call, key_id))


@operations.add("GetUsagePlanKeys")
def get_usage_plan_keys(
    call: Call,
    *,
    usage_plan_id: str,
    position: str | None = None,
    limit: int | None = None,
    name_query: str | None = None,
) -> dict[str, Any]:
    """The API keys of a plan."""
    keys = [read_key(call, key) for key in _read(call, usage_plan_id)["keys"]]
    found = [key for key in keys if key.get("name", "").startswith(name_query or "")]
    return paged([_shown_key(key) for key in found], limit, position)


@operations.add("DeleteUsagePlanKey", writes=True)
def delete_usage_plan_key(call: Call, *, usage_plan_id: str, key_id: str) -> None:
    """Takes a plan from an API key."""
    with call.store.lock:
        plan = _read(call, usage_plan_id)
        if plan["keys"].pop(key_id, None) is None:
            raise missing("Invalid Usage Plan Key identifier specified")
        _keep(call, plan)
        _forget(call, key_id, usage_plan_id)


def period_start(quota: dict[str, Any], now: float) -> date:
    """The first day of the period of a quota.

    >>> period_start({"period": "MONTH"}, 0.0)
    datetime.date(1970, 1, 1)
    """
    today = datetime.fromtimestamp(now, UTC).date()
    if quota["period"] == "WEEK":
        return today - timedelta(days=(today.weekday() + 1) % 7)
    return today.replace(day=1) if quota["period"] == "MONTH" else today


def used(usage: dict[str, Any], quota: dict[str, Any], now: float) -> int:
    """How much of a quota was used in its period."""
    first = period_start(quota, now)
    counted = sum(
        count for day, count in usage.get("days", {}).items() if date.fromisoformat(day) >= first
    )
    return int(counted + usage.get("extra", {}).get(first.isoformat(), 0))


@operations.add("GetUsage")
def get_usage(
    call: Call,
    *,
    usage_plan_id: str,
    start_date: str,
    end_date: str,
    key_id: str | None = None,
    position: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    """What the API keys of a plan used of their quotas, day by day."""
    plan = _read(call, usage_plan_id)
    try:
        first, last = date.fromisoformat(start_date), date.fromisoformat(end_date)
    except ValueError:
        raise bad("Invalid date specified; dates are written YYYY-MM-DD") from None
    if last < first:
        raise bad("The end date must not be before the start date")
    quota = plan.get("quota")
    items: dict[str, Any] = {}
    for key in plan["keys"]:
        if key_id not in (None, key):
            continue
        usage = call.store.get(usage_key(usage_plan_id, key)) or {"days": {}}
        rows, total = [], 0
        for offset in range((last - first).days + 1):
            count = usage["days"].get((first + timedelta(days=offset)).isoformat(), 0)
            total += count
            rows.append([count, max(0, quota["limit"] - total) if quota else 0])
        items[key] = rows
    return {
        "usagePlanId": usage_plan_id,
        "startDate": start_date,
        "endDate": end_date,
        "items": items,
    }


@operations.add("UpdateUsage", writes=True)
def update_usage(
    call: Call,
    *,
    usage_plan_id: str,
    key_id: str,
    patch_operations: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Gives an API key another remaining quota for the current period."""
    check_operations("updateUsage", patch_operations)
    with call.store.lock:
        plan = _read(call, usage_plan_id)
        quota = plan.get("quota")
        if key_id not in plan["keys"]:
            raise no_key()
        if not quota:
            raise bad("Usage Plan does not have a quota")
        at = usage_key(usage_plan_id, key_id)
        usage = call.store.get(at) or {"days": {}}
        now = call.store.now()
        first = period_start(quota, now).isoformat()
        for one in patch_operations:
            if one.get("path") != "/remaining" or one.get("op") != "replace":
                raise bad(f"Invalid patch path {one.get('path')}")
            extra = usage.setdefault("extra", {})
            extra[first] = 0
            extra[first] = quota["limit"] - number(one.get("value")) - used(usage, quota, now)
        call.store.put(at, usage)
        left = max(0, quota["limit"] - used(usage, quota, now))
    today = datetime.fromtimestamp(now, UTC).date().isoformat()
    return {
        "usagePlanId": usage_plan_id,
        "startDate": today,
        "endDate": today,
        "items": {key_id: [[usage["days"].get(today, 0), left]]},
    }
