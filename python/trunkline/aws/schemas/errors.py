"""The errors of EventBridge Schemas, in AWS's words."""

from __future__ import annotations

from trunkline.aws.errors import ServiceError


def invalid(message: str) -> ServiceError:
    """A parameter has a value that it may not have."""
    return ServiceError("BadRequestException", message, 400, {"Code": "BadRequest"})


def not_found(kind: str, name: str) -> ServiceError:
    """No resource has this name."""
    text = f"{kind} with name {name} does not exist."
    return ServiceError("NotFoundException", text, 404, {"Code": "NotFound"})


def conflict(kind: str, name: str) -> ServiceError:
    """There is a resource of this name."""
    text = f"{kind} with name {name} already exists."
    return ServiceError("ConflictException", text, 409, {"Code": "Conflict"})


def forbidden(message: str) -> ServiceError:
    """What AWS owns cannot be changed."""
    return ServiceError("ForbiddenException", message, 403, {"Code": "Forbidden"})
