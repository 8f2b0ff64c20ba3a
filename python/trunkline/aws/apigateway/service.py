"""Amazon API Gateway: REST APIs and all that belongs to them."""

from __future__ import annotations

from trunkline.aws.apigateway import (
    account,
    apis,
    authorizers,
    deployments,
    documentation,
    domains,
    gateway_responses,
    integrations,
    keys,
    methods,
    models,
    plans,
    resources,
    stages,
    testing,
    validators,
    vpc_links,
)
from trunkline.aws.apigateway.openapi import exports, imports
from trunkline.aws.apigateway.registry import operations

__all__ = [
    "account",
    "apis",
    "authorizers",
    "deployments",
    "documentation",
    "domains",
    "exports",
    "gateway_responses",
    "imports",
    "integrations",
    "keys",
    "methods",
    "models",
    "operations",
    "plans",
    "resources",
    "stages",
    "testing",
    "validators",
    "vpc_links",
]
