"""The errors of Kinesis, in AWS's words."""

from __future__ import annotations

from trunkline.aws.errors import ServiceError


def invalid(message: str) -> ServiceError:
    """An argument does not fit the stream."""
    return ServiceError("InvalidArgumentException", message)


def violation(message: str) -> ServiceError:
    """An input breaks a rule that holds for all streams."""
    return ServiceError("ValidationException", message)


def not_found(message: str) -> ServiceError:
    """A resource does not exist."""
    return ServiceError("ResourceNotFoundException", message)


def in_use(message: str) -> ServiceError:
    """A resource exists already, or is being changed."""
    return ServiceError("ResourceInUseException", message)


def over_limit(message: str) -> ServiceError:
    """There are as many as may be."""
    return ServiceError("LimitExceededException", message)


def expired_token() -> ServiceError:
    """A token of a list is too old."""
    return ServiceError(
        "ExpiredNextTokenException",
        "The NextToken has expired. Start the list again.",
    )


def no_such_stream(name: tuple[str, str, str]) -> ServiceError:
    """No stream has this name."""
    account, _, stream = name
    return not_found(f"Stream {stream} under account {account} not found.")
