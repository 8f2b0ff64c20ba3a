"""The control plane of SNS. Publishing takes the data plane, in Rust."""

from __future__ import annotations

from trunkline.aws.sns import (
    confirmation,
    listing,
    permissions,
    platform,
    protection,
    sms,
    subscription_attributes,
    subscriptions,
    tags,
    topics,
)
from trunkline.aws.sns.registry import operations

__all__ = [
    "confirmation",
    "listing",
    "operations",
    "permissions",
    "platform",
    "protection",
    "sms",
    "subscription_attributes",
    "subscriptions",
    "tags",
    "topics",
]
