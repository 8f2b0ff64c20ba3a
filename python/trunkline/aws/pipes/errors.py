"""The errors of EventBridge Pipes, in AWS's words."""

from __future__ import annotations

from trunkline.aws.errors import ServiceError


def invalid(message: str) -> ServiceError:
    """A parameter has a value that it may not have."""
    return ServiceError("ValidationException", message)


def no_such_pipe(name: str) -> ServiceError:
    """No pipe has this name."""
    return ServiceError("NotFoundException", f"Pipe {name} does not exist.", 404)


def already_exists(name: str) -> ServiceError:
    """There is a pipe of this name."""
    members = {"resourceId": name, "resourceType": "Pipe"}
    return ServiceError("ConflictException", f"Pipe {name} already exists.", 409, members)
