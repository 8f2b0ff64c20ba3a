"""Delivery policies: when a delivery to a URL is tried again, in SNS's four phases."""

from __future__ import annotations

import json

from trunkline._core import RetryTable
from trunkline.aws.json_text import read_object
from trunkline.aws.limits import (
    RETRIES_MAX,
    RETRY_AGE_MS_MAX,
    RETRY_DELAY_SECONDS_DEFAULT,
    RETRY_DELAY_SECONDS_MAX,
)
from trunkline.aws.sns.errors import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HEALTHY = {
    "minDelayTarget": RETRY_DELAY_SECONDS_DEFAULT,
    "maxDelayTarget": RETRY_DELAY_SECONDS_DEFAULT,
    "numRetries": 3,
    "numMaxDelayRetries": 0,
    "numNoDelayRetries": 0,
    "numMinDelayRetries": 0,
    "backoffFunction": "linear",
}
_FUNCTIONS = ("linear", "arithmetic", "geometric", "exponential")
_CONTENT_TYPE = "text/plain; charset=UTF-8"


def read_topic(text: str, prefix: str = "") -> dict[str, Any]:
    """The policy of a topic: the part for HTTP."""
    policy = _object(text, prefix)
    http = policy.get("http", {})
    if set(policy) - {"http", "sqs", "lambda", "firehose", "application"} or not isinstance(
        http, dict
    ):
        raise invalid(f"{prefix}DeliveryPolicy: unexpected member")
    _check_healthy(http.get("defaultHealthyRetryPolicy"), prefix)
    return http


def read_subscription(text: str, prefix: str = "") -> dict[str, Any]:
    """The policy of a subscription."""
    policy = _object(text, prefix)
    known = {
        "healthyRetryPolicy",
        "sicklyRetryPolicy",
        "throttlePolicy",
        "guaranteed",
        "requestPolicy",
    }
    if set(policy) - known:
        raise invalid(f"{prefix}DeliveryPolicy: unexpected member")
    _check_healthy(policy.get("healthyRetryPolicy"), prefix)
    return policy


def _object(text: str, prefix: str) -> dict[str, Any]:
    policy = read_object(text)
    if policy is None:
        raise invalid(f"{prefix}DeliveryPolicy: failed to parse JSON.")
    return policy


def _check_healthy(policy: Any, prefix: str) -> None:
    if policy is None:
        return
    where = f"{prefix}DeliveryPolicy: healthyRetryPolicy"
    if not isinstance(policy, dict) or set(policy) - set(_HEALTHY):
        raise invalid(f"{where} has an unexpected member")
    merged = _HEALTHY | {name: value for name, value in policy.items() if value is not None}
    for name, value in merged.items():
        if name == "backoffFunction":
            if value not in _FUNCTIONS:
                raise invalid(f"{where}.backoffFunction must be one of {', '.join(_FUNCTIONS)}")
        elif not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise invalid(f"{where}.{name} must be a whole number, 0 or more")
    if not 1 <= merged["minDelayTarget"] <= merged["maxDelayTarget"] <= RETRY_DELAY_SECONDS_MAX:
        raise invalid(
            f"{where}: minDelayTarget must be at least 1 and at most maxDelayTarget, which is at "
            f"most {RETRY_DELAY_SECONDS_MAX}"
        )
    phases = ("numNoDelayRetries", "numMinDelayRetries", "numMaxDelayRetries")
    if (
        merged["numRetries"] > RETRIES_MAX
        or sum(merged[name] for name in phases) > merged["numRetries"]
    ):
        raise invalid(
            f"{where}.numRetries must be at most {RETRIES_MAX} and at least the retries of the "
            "phases together"
        )


def effective(text: str | None) -> dict[str, Any]:
    """The policy of a topic with the defaults that it leaves out."""
    given = (read_object(text) or {}).get("http", {}) if text else {}
    healthy = _HEALTHY | {
        name: value
        for name, value in (given.get("defaultHealthyRetryPolicy") or {}).items()
        if value is not None
    }
    merged = {
        "defaultHealthyRetryPolicy": healthy,
        "disableSubscriptionOverrides": given.get("disableSubscriptionOverrides", False),
    }
    merged |= {name: value for name, value in given.items() if name not in merged}
    merged.setdefault("defaultRequestPolicy", {"headerContentType": _CONTENT_TYPE})
    return {"http": merged}


def of_subscription(own: str | None, topic: str | None) -> tuple[RetryTable, str]:
    """The retries of a delivery to a URL, and the type of its content."""
    http = effective(topic)["http"]
    healthy, request = http["defaultHealthyRetryPolicy"], http["defaultRequestPolicy"]
    if own and not http["disableSubscriptionOverrides"]:
        policy = read_object(own) or {}
        healthy = healthy | (policy.get("healthyRetryPolicy") or {})
        request = request | (policy.get("requestPolicy") or {})
    return _table(healthy), request.get("headerContentType") or _CONTENT_TYPE


def effective_subscription(own: str | None, topic: str | None) -> str:
    """The policy of a subscription with the defaults of its topic, as JSON."""
    http = effective(topic)["http"]
    policy = (read_object(own) or {}) if own and not http["disableSubscriptionOverrides"] else {}
    merged = {
        "healthyRetryPolicy": http["defaultHealthyRetryPolicy"]
        | (policy.get("healthyRetryPolicy") or {}),
        "sicklyRetryPolicy": policy.get("sicklyRetryPolicy"),
        "throttlePolicy": policy.get("throttlePolicy"),
        "requestPolicy": http["defaultRequestPolicy"] | (policy.get("requestPolicy") or {}),
        "guaranteed": False,
    }
    return json.dumps(merged, separators=(",", ":"))


def _table(healthy: dict[str, Any]) -> RetryTable:
    low, high = healthy["minDelayTarget"] * 1_000, healthy["maxDelayTarget"] * 1_000
    none, few, many = (
        healthy[name] for name in ("numNoDelayRetries", "numMinDelayRetries", "numMaxDelayRetries")
    )
    between = healthy["numRetries"] - none - few - many
    phases = [
        (none, "fixed", 0, 0, 1_000),
        (few, "fixed", low, low, 1_000),
        (between, healthy["backoffFunction"], low, high, 1_000),
        (many, "fixed", high, high, 1_000),
    ]
    return RetryTable([phase for phase in phases if phase[0] > 0], RETRY_AGE_MS_MAX, "none")
