"""How Lambda says no."""

from __future__ import annotations

from trunkline.aws.errors import ServiceError

_USER = {"Type": "User"}


def missing(what: str) -> ServiceError:
    """A resource that does not exist."""
    return ServiceError("ResourceNotFoundException", what, 404, _USER)


def invalid(message: str) -> ServiceError:
    """A value that is not allowed."""
    return ServiceError("InvalidParameterValueException", message, 400, _USER)


def denied(message: str) -> ServiceError:
    """A resource that the caller may not use."""
    return ServiceError("AccessDeniedException", message, 403)


def conflict(message: str) -> ServiceError:
    """A resource that exists already."""
    return ServiceError("ResourceConflictException", message, 409, _USER)


def in_use(message: str) -> ServiceError:
    """A resource that something else needs."""
    return ServiceError("ResourceInUseException", message, 400, _USER)


def stale() -> ServiceError:
    """A revision that is no longer the newest."""
    return ServiceError(
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/"
        "GetAlias API to retrieve the latest Revision Id",
        412,
        _USER,
    )


def not_json(error: str) -> ServiceError:
    """An event that is no JSON."""
    return ServiceError(
        "InvalidRequestContentException", f"Could not parse request body into json: {error}"
    )


def too_large(bytes_given: int, most: int, kind: str) -> ServiceError:
    """An event that is too large for this type of invocation."""
    return ServiceError(
        "RequestEntityTooLargeException"
        if kind == "RequestResponse"
        else "RequestTooLargeException",
        f"{bytes_given} byte payload is too large for the {kind} invocation type "
        f"(limit {most} bytes)",
        413,
        _USER,
    )


def throttled(reason: str) -> ServiceError:
    """A function that runs as often as it may."""
    return ServiceError(
        "TooManyRequestsException", "Rate Exceeded.", 429, _USER | {"Reason": reason}
    )


def unsupported(what: str) -> ServiceError:
    """Something that is not served here."""
    return ServiceError("NotImplemented", f"{what} is not implemented here.", 501)
