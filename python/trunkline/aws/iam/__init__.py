"""IAM, as far as tools need it to set up: roles and policies are stored, and not enforced."""

from __future__ import annotations

from trunkline.aws.iam import policies, roles
from trunkline.aws.iam.registry import operations

__all__ = ["operations", "policies", "roles"]
