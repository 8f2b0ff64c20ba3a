"""The errors of EventBridge Scheduler, in AWS's words."""

from __future__ import annotations

from trunkline.aws.errors import ServiceError


def invalid(message: str) -> ServiceError:
    """A parameter has a value that it may not have."""
    return ServiceError("ValidationException", message)


def no_such_schedule(name: str) -> ServiceError:
    """No schedule of the group has this name."""
    return ServiceError("ResourceNotFoundException", f"Schedule {name} does not exist.", 404)


def no_such_group(name: str) -> ServiceError:
    """No group has this name."""
    return ServiceError("ResourceNotFoundException", f"Schedule group {name} does not exist.", 404)


def conflict(kind: str, name: str) -> ServiceError:
    """There is one of this name, and it is not what was asked for."""
    return ServiceError("ConflictException", f"{kind} {name} already exists.", 409)
