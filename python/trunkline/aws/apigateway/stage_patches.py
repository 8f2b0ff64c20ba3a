"""What a patch of a stage may do: members, variables, settings of methods, the canary."""

from __future__ import annotations

import copy

from trunkline.aws.apigateway.errors import bad
from trunkline.aws.apigateway.patching import boolean, decimal, number, segments, text
from trunkline.aws.limits import CACHE_TTL_DEFAULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    Read = Callable[[str | None], Any]

_MEMBERS: dict[str, Read] = {
    "deploymentId": text,
    "description": text,
    "cacheClusterEnabled": boolean,
    "cacheClusterSize": text,
    "clientCertificateId": text,
    "documentationVersion": text,
    "tracingEnabled": boolean,
}
_LOG_SETTINGS = ("destinationArn", "format")
_METHOD_SETTINGS: dict[str, tuple[str, Read]] = {
    "metrics/enabled": ("metricsEnabled", boolean),
    "logging/dataTrace": ("dataTraceEnabled", boolean),
    "logging/loglevel": ("loggingLevel", text),
    "throttling/burstLimit": ("throttlingBurstLimit", number),
    "throttling/rateLimit": ("throttlingRateLimit", decimal),
    "caching/ttlInSeconds": ("cacheTtlInSeconds", number),
    "caching/enabled": ("cachingEnabled", boolean),
    "caching/dataEncrypted": ("cacheDataEncrypted", boolean),
    "caching/requireAuthorizationForCacheControl": (
        "requireAuthorizationForCacheControl",
        boolean,
    ),
    "caching/unauthorizedCacheControlHeaderStrategy": (
        "unauthorizedCacheControlHeaderStrategy",
        text,
    ),
}
METHOD_DEFAULTS: dict[str, Any] = {
    "metricsEnabled": False,
    "dataTraceEnabled": False,
    "throttlingBurstLimit": 5_000,
    "throttlingRateLimit": 10_000.0,
    "cachingEnabled": False,
    "cacheTtlInSeconds": CACHE_TTL_DEFAULT,
    "cacheDataEncrypted": False,
    "requireAuthorizationForCacheControl": True,
    "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
}
_CANARY: dict[str, Read] = {
    "percentTraffic": decimal,
    "deploymentId": text,
    "useStageCache": boolean,
}
_COPIED = {
    "/deploymentId": "/canarySettings/deploymentId",
    "/variables": "/canarySettings/stageVariableOverrides",
}
_EACH = "/{resourcePath}/{httpMethod}"
# As AWS prints it, the missing commas included.
_PATHS = (
    "/deploymentId, /description, /cacheClusterEnabled, /cacheClusterSize, /clientCertificateId, "
    "/accessLogSettings, /accessLogSettings/destinationArn, /accessLogSettings/format, "
    f"{_EACH}/metrics/enabled, {_EACH}/logging/dataTrace, {_EACH}/logging/loglevel, "
    f"{_EACH}/throttling/burstLimit{_EACH}/throttling/rateLimit{_EACH}/caching/ttlInSeconds, "
    f"{_EACH}/caching/enabled, {_EACH}/caching/dataEncrypted, "
    f"{_EACH}/caching/requireAuthorizationForCacheControl, "
    f"{_EACH}/caching/unauthorizedCacheControlHeaderStrategy, /*/*/metrics/enabled, "
    "/*/*/logging/dataTrace, /*/*/logging/loglevel, /*/*/throttling/burstLimit "
    "/*/*/throttling/rateLimit /*/*/caching/ttlInSeconds, /*/*/caching/enabled, "
    "/*/*/caching/dataEncrypted, /*/*/caching/requireAuthorizationForCacheControl, "
    "/*/*/caching/unauthorizedCacheControlHeaderStrategy, /variables/{variable_name}, "
    "/tracingEnabled"
)


def patched_stage(
    document: dict[str, Any], stage: dict[str, Any], operations: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """A copy of a stage with all operations done, or an error and no change."""
    changed = copy.deepcopy(stage)
    for given in operations:
        path, operation = given.get("path") or "", given.get("op") or "replace"
        if not path.startswith("/"):
            raise _invalid(path)
        if operation == "copy":
            _promote(changed, path, given.get("from") or "")
        elif operation == "remove":
            _remove(changed, path)
        elif operation in ("add", "replace"):
            _set(document, changed, path, operation, given.get("value"))
        else:
            raise _invalid(path)
    return changed


def _invalid(path: str) -> Exception:
    return bad(f"Invalid method setting path: {path}. Must be one of: [{_PATHS}]")


def _promote(stage: dict[str, Any], path: str, source: str) -> None:
    if _COPIED.get(path) != source:
        raise bad(
            f"Invalid copy operation with path: {path} and from {source}. Valid copy:path are "
            f"[{', '.join(_COPIED)}] and valid copy:from are [{', '.join(_COPIED.values())}]"
        )
    canary = stage.get("canarySettings")
    if canary is None:
        raise bad("Promotion not available. Canary does not exist.")
    if path == "/deploymentId":
        stage["deploymentId"] = canary.get("deploymentId", stage["deploymentId"])
    elif canary.get("stageVariableOverrides"):
        stage["variables"] = {**stage.get("variables", {}), **canary["stageVariableOverrides"]}


def _remove(stage: dict[str, Any], path: str) -> None:
    parts = segments(path)
    canary = stage.get("canarySettings", {})
    if parts in (["canarySettings"], ["accessLogSettings"]):
        stage.pop(parts[0], None)
    elif parts[0] == "variables" and len(parts) == 2:
        stage.get("variables", {}).pop(parts[1], None)
        if not stage.get("variables"):
            stage.pop("variables", None)
    elif parts[0] == "accessLogSettings" and len(parts) == 2 and parts[1] in _LOG_SETTINGS:
        stage.get("accessLogSettings", {}).pop(parts[1], None)
    elif len(parts) == 3 and parts[:2] == ["canarySettings", "stageVariableOverrides"]:
        canary.get("stageVariableOverrides", {}).pop(parts[2], None)
    elif len(parts) == 1 and parts[0] in ("description", "clientCertificateId"):
        stage.pop(parts[0], None)
    else:
        setting = _method_of(parts)
        if setting not in stage["methodSettings"]:
            raise bad(
                f"Cannot remove method setting {path[1:]} because there is no method setting for "
                "this method "
            )
        del stage["methodSettings"][setting]


def _method_of(parts: list[str]) -> str:
    """The key of the settings of a method: ``orders/POST``, or ``*/*``."""
    return "/".join(parts[:2]).removeprefix("/") if len(parts) >= 2 else ""


def _set(
    document: dict[str, Any],
    stage: dict[str, Any],
    path: str,
    operation: str,
    value: str | None,
) -> None:
    parts = segments(path)
    if len(parts) == 1 and parts[0] in _MEMBERS:
        read = _MEMBERS[parts[0]](value)
        if parts[0] == "deploymentId":
            _check_deployment(document, read)
        if read is None:
            stage.pop(parts[0], None)
        else:
            stage[parts[0]] = read
    elif parts[0] == "variables" and len(parts) == 2:
        stage.setdefault("variables", {})[parts[1]] = value or ""
    elif parts[0] == "accessLogSettings" and len(parts) == 2 and parts[1] in _LOG_SETTINGS:
        stage.setdefault("accessLogSettings", {})[parts[1]] = value or ""
    elif parts[0] == "canarySettings":
        _set_canary(document, stage, path, operation, value)
    else:
        _set_method(stage, path, parts, value)


def _check_deployment(document: dict[str, Any], deployment: Any) -> None:
    if deployment not in document["deployments"]:
        raise bad("Deployment id does not exist")


def _set_canary(
    document: dict[str, Any],
    stage: dict[str, Any],
    path: str,
    operation: str,
    value: str | None,
) -> None:
    parts = segments(path)[1:]
    overrides = parts[:1] == ["stageVariableOverrides"] and len(parts) == 2
    if not overrides and (len(parts) != 1 or parts[0] not in _CANARY):
        raise _invalid(path)
    if operation == "add" and parts == ["deploymentId"]:
        raise bad(f"Invalid add operation with path: {path}")
    read = (value or "") if overrides else _CANARY[parts[0]](value)
    if parts == ["deploymentId"]:
        _check_deployment(document, read)
    canary = stage.setdefault(
        "canarySettings",
        {
            "deploymentId": stage["deploymentId"],
            "percentTraffic": 0.0,
            "useStageCache": False,
        },
    )
    if overrides:
        canary.setdefault("stageVariableOverrides", {})[parts[1]] = read
    else:
        canary[parts[0]] = read


def _set_method(stage: dict[str, Any], path: str, parts: list[str], value: str | None) -> None:
    setting = _METHOD_SETTINGS.get("/".join(parts[-2:])) if len(parts) == 4 else None
    if setting is None:
        raise _invalid(path)
    name, read = setting
    settings = stage["methodSettings"].setdefault(_method_of(parts), dict(METHOD_DEFAULTS))
    settings[name] = read(value)
