"""Amazon API Gateway: REST APIs and all that belongs to them."""

from __future__ import annotations

from trunkline.aws.apigateway.registry import operations

__all__ = ["operations"]
