"""AWS Lambda: functions, their versions and aliases, invocations and event source mappings."""

from __future__ import annotations

from trunkline.aws.lambda_ import (
    account,
    aliases,
    code_signing,
    concurrency,
    functions,
    invoke,
    invoke_config,
    layer_permissions,
    layers,
    mappings,
    permissions,
    provisioned,
    runtime_settings,
    tags,
    urls,
    versions,
)
from trunkline.aws.lambda_.registry import operations

__all__ = [
    "account",
    "aliases",
    "code_signing",
    "concurrency",
    "functions",
    "invoke",
    "invoke_config",
    "layer_permissions",
    "layers",
    "mappings",
    "operations",
    "permissions",
    "provisioned",
    "runtime_settings",
    "tags",
    "urls",
    "versions",
]
