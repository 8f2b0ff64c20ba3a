"""The errors of Firehose, in AWS's words."""

from __future__ import annotations

from trunkline.aws.errors import ServiceError


def invalid(message: str) -> ServiceError:
    """An argument has a value that it may not have."""
    return ServiceError("InvalidArgumentException", message)


def missing(name: str, account: str) -> ServiceError:
    """There is no delivery stream of this name."""
    return ServiceError(
        "ResourceNotFoundException", f"Firehose {name} under account {account} not found."
    )


def exists(name: str, account: str) -> ServiceError:
    """There is a delivery stream of this name already."""
    return ServiceError(
        "ResourceInUseException", f"Firehose {name} under accountId {account} already exists"
    )


def in_use(message: str) -> ServiceError:
    """The delivery stream is being created, changed or deleted."""
    return ServiceError("ResourceInUseException", message)


def over_limit(message: str) -> ServiceError:
    """There are as many as may be."""
    return ServiceError("LimitExceededException", message)


def outdated(name: str, current: int, given: str) -> ServiceError:
    """The destination was changed by another call."""
    return ServiceError(
        "ConcurrentModificationException",
        f"Cannot update firehose: {name} since the current version id: {current} and specified "
        f"version id: {given} do not match",
    )
