"""EventBridge Scheduler: groups and schedules; an occurrence runs an operation of any service."""

from __future__ import annotations

from trunkline.aws.scheduler import groups, schedules, tags
from trunkline.aws.scheduler.registry import operations

__all__ = ["groups", "operations", "schedules", "tags"]
