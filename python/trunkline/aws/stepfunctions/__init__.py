"""Step Functions: state machines, their versions and aliases, and activities."""

from __future__ import annotations

from trunkline.aws.stepfunctions import (
    activities,
    aliases,
    callbacks,
    executions,
    language,
    machines,
    map_runs,
    state_tests,
    tags,
    versions,
)
from trunkline.aws.stepfunctions.registry import operations

__all__ = [
    "activities",
    "aliases",
    "callbacks",
    "executions",
    "language",
    "machines",
    "map_runs",
    "operations",
    "state_tests",
    "tags",
    "versions",
]
