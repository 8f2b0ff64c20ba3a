"""How API Gateway v2 says no."""

from __future__ import annotations

from trunkline.aws.errors import ServiceError


def bad(message: str) -> ServiceError:
    """The request is wrong."""
    return ServiceError("BadRequestException", message, 400)


def missing(noun: str, name: str = "") -> ServiceError:
    """What the request names is not there."""
    told = f"Invalid {noun} identifier specified"
    return ServiceError("NotFoundException", f"{told} {name}" if name else told, 404)


def conflict(message: str) -> ServiceError:
    """It is there already, or in use."""
    return ServiceError("ConflictException", message, 409)
