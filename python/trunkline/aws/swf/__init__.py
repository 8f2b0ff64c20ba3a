"""The control plane of SWF. Polls and histories take the data plane, in Rust."""

from __future__ import annotations

from trunkline.aws.swf import (
    activity_types,
    answers,
    domains,
    executions,
    tags,
    visibility,
    workflow_types,
)
from trunkline.aws.swf.registry import operations

__all__ = [
    "activity_types",
    "answers",
    "domains",
    "executions",
    "operations",
    "tags",
    "visibility",
    "workflow_types",
]
