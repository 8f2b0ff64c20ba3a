"""API Gateway v2: HTTP and WebSocket APIs, and all that belongs to them."""

from __future__ import annotations

from trunkline.aws.apigatewayv2 import apis, domains, imports, parts, stages, tags, vpc_links
from trunkline.aws.apigatewayv2.registry import operations
from trunkline.aws.apigatewayv2.sockets import responses

__all__ = [
    "apis",
    "domains",
    "imports",
    "operations",
    "parts",
    "responses",
    "stages",
    "tags",
    "vpc_links",
]
