"""S3: buckets and objects. Every operation is in the core, so there is nothing to add here."""

from __future__ import annotations

from trunkline.aws.operation import Operations

operations: Operations = Operations()
