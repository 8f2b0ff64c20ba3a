"""EventBridge Schemas: registries, schemas and their versions, and what events look like."""

from __future__ import annotations

from trunkline.aws.schemas import (
    bindings,
    discoverers,
    discovery,
    policies,
    registries,
    schemas,
    tags,
    versions,
)
from trunkline.aws.schemas.registry import operations

__all__ = [
    "bindings",
    "discoverers",
    "discovery",
    "operations",
    "policies",
    "registries",
    "schemas",
    "tags",
    "versions",
]
