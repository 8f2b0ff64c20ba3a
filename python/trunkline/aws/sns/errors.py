"""The errors of SNS, in AWS's words."""

from __future__ import annotations

from trunkline.aws.errors import ServiceError


def invalid(reason: str) -> ServiceError:
    """A parameter has a value that it may not have."""
    return ServiceError("InvalidParameter", f"Invalid parameter: {reason}")


def plain(message: str) -> ServiceError:
    """The same error where AWS writes nothing before its sentence."""
    return ServiceError("InvalidParameter", message)


def not_found(what: str) -> ServiceError:
    """A resource does not exist."""
    return ServiceError("NotFound", f"{what} does not exist", 404)
