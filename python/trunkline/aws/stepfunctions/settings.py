"""Logging, tracing and encryption of a state machine: what is given, checked and told."""

from __future__ import annotations

import re

from trunkline.aws.limits import KMS_REUSE_DEFAULT
from trunkline.aws.stepfunctions.errors import invalid, invalid_logging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_LOG_GROUP = re.compile(r"arn:aws[a-z-]*:logs:[a-z0-9-]+:\d{12}:log-group:[^:]+:\*")


def logging(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The whole logging configuration for what was given of it; raises for one AWS refuses."""
    whole: dict[str, Any] = {"level": "OFF", "includeExecutionData": False, **(given or {})}
    destinations = whole.get("destinations") or []
    if (whole["level"] != "OFF" and len(destinations) != 1) or len(destinations) > 1:
        raise invalid_logging("Must specify exactly one Log Destination.")
    for destination in destinations:
        arn = destination.get("cloudWatchLogsLogGroup", {}).get("logGroupArn", "")
        if _LOG_GROUP.fullmatch(arn) is None:
            raise invalid_logging("Log Destination is not a log group ARN that ends with :*.")
    if not destinations:
        whole.pop("destinations", None)
    return whole


def tracing(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The whole tracing configuration. Nothing is traced to X-Ray here; it is kept and told."""
    return {"enabled": bool((given or {}).get("enabled", False))}


def encryption(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The whole encryption configuration. Nothing is encrypted here; it is kept and told."""
    whole = dict(given or {"type": "AWS_OWNED_KEY"})
    if whole["type"] == "CUSTOMER_MANAGED_KMS_KEY":
        if not whole.get("kmsKeyId"):
            raise invalid("kmsKeyId is required when type is CUSTOMER_MANAGED_KMS_KEY")
        whole.setdefault("kmsDataKeyReusePeriodSeconds", int(KMS_REUSE_DEFAULT))
    return whole
