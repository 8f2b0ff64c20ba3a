"""The control plane of SQS. Messages take the data plane, in Rust."""

from __future__ import annotations

from trunkline.aws.sqs import configuration, move_tasks, permissions, queues, tags
from trunkline.aws.sqs.registry import operations

__all__ = ["configuration", "move_tasks", "operations", "permissions", "queues", "tags"]
