"""The operations of EventBridge Schemas, by name."""

from __future__ import annotations

from trunkline.aws.operation import Operations

operations: Operations = Operations()
