"""CloudWatch Logs, as far as it is a target: groups, streams, and events."""

from __future__ import annotations

from trunkline.aws.logs import events, filtering, groups, streams
from trunkline.aws.logs.registry import operations

__all__ = ["events", "filtering", "groups", "operations", "streams"]
