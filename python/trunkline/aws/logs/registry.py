"""The operations of CloudWatch Logs, by name, and its errors in AWS's words."""

from __future__ import annotations

from trunkline.aws.errors import ServiceError
from trunkline.aws.operation import Operations

operations: Operations = Operations()


def invalid(message: str) -> ServiceError:
    """A parameter has a value that it may not have."""
    return ServiceError("InvalidParameterException", message)


def missing(what: str) -> ServiceError:
    """There is no such group or stream."""
    return ServiceError("ResourceNotFoundException", f"The specified log {what} does not exist.")


def exists(what: str) -> ServiceError:
    """There is one already."""
    return ServiceError(
        "ResourceAlreadyExistsException", f"The specified log {what} already exists"
    )
