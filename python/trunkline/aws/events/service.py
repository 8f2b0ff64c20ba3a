"""The control plane of EventBridge. PutEvents takes the data plane, in Rust."""

from __future__ import annotations

from trunkline.aws.events import (
    api_destinations,
    archives,
    buses,
    connections,
    endpoints,
    partner_sources,
    patterns,
    permissions,
    replays,
    rules,
    tags,
    targets,
)
from trunkline.aws.events.registry import operations

__all__ = [
    "api_destinations",
    "archives",
    "buses",
    "connections",
    "endpoints",
    "operations",
    "partner_sources",
    "patterns",
    "permissions",
    "replays",
    "rules",
    "tags",
    "targets",
]
