"""EventBridge Pipes: from a queue or a stream, through filters and an enrichment, to a target."""

from __future__ import annotations

from trunkline.aws.pipes import pipes, tags
from trunkline.aws.pipes.registry import operations

__all__ = ["operations", "pipes", "tags"]
