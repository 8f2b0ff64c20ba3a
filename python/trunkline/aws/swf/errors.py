"""How an operation of SWF says no."""

from __future__ import annotations

from trunkline.aws.errors import ServiceError


def invalid(message: str) -> ServiceError:
    """A member of the input has a value that it may not have."""
    return ServiceError("ValidationException", message)


def invalid_token() -> ServiceError:
    """The token of a page was not made here."""
    return invalid("Invalid token")


def too_many_tags(arn: str) -> ServiceError:
    """A domain would have more tags than it may have."""
    return ServiceError("TooManyTagsFault", f"Too many tags on {arn}")


def unknown_arn(arn: str) -> ServiceError:
    """No domain has this resource name."""
    return ServiceError("UnknownResourceFault", f"Unknown resource: {arn}")
