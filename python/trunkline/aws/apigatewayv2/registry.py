"""Where the operations of API Gateway v2 are registered."""

from __future__ import annotations

from trunkline.aws.operation import Operations

operations: Operations = Operations()
