"""The control plane of EventBridge. PutEvents takes the data plane, in Rust."""

from __future__ import annotations

from trunkline.aws.events import buses, patterns, permissions, rules, tags, targets
from trunkline.aws.events.registry import operations

__all__ = ["buses", "operations", "patterns", "permissions", "rules", "tags", "targets"]
