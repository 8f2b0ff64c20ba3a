"""The control plane of SQS. Messages never come here: they are the core's."""

from __future__ import annotations

from trunkline.aws.sqs import configuration, moves, permissions, queues, tags
from trunkline.aws.sqs.registry import operations

__all__ = ["configuration", "moves", "operations", "permissions", "queues", "tags"]
