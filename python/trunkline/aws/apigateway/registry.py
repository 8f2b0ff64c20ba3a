"""Where the operations of API Gateway are registered."""

from __future__ import annotations

from trunkline.aws.operation import Operations

operations: Operations = Operations()
