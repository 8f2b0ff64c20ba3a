"""AWS Lambda: functions, their versions and aliases, invocations and event source mappings."""

from __future__ import annotations

from trunkline.aws.lambda_ import (
    account,
    aliases,
    concurrency,
    functions,
    invoke,
    invoke_config,
    layers,
    mappings,
    permissions,
    tags,
    urls,
    versions,
)
from trunkline.aws.lambda_.registry import operations

__all__ = [
    "account",
    "aliases",
    "concurrency",
    "functions",
    "invoke",
    "invoke_config",
    "layers",
    "mappings",
    "operations",
    "permissions",
    "tags",
    "urls",
    "versions",
]
