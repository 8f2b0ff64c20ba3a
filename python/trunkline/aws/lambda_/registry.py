"""The operations of AWS Lambda; the modules beside this one fill the table."""

from __future__ import annotations

from trunkline.aws.operation import Operations

operations: Operations = Operations()
