"""The errors of API Gateway, in AWS's words."""

from __future__ import annotations

from trunkline.aws.errors import ServiceError


def bad(message: str) -> ServiceError:
    """An input that cannot be used."""
    return ServiceError("BadRequestException", message, 400)


def missing(message: str) -> ServiceError:
    """Something that is not there."""
    return ServiceError("NotFoundException", message, 404)


def conflict(message: str) -> ServiceError:
    """Something that is there already, or in use."""
    return ServiceError("ConflictException", message, 409)


def no_api(account: str, api: str) -> ServiceError:
    """An API that is not there."""
    return missing(f"Invalid API identifier specified {account}:{api}")


def no_resource() -> ServiceError:
    """A resource that is not there, or an API of none."""
    return missing("Invalid Resource identifier specified")


def refused(path: str, value: object, constraint: str) -> ServiceError:
    """An input that AWS's model refuses."""
    return refusals([(path, value, constraint)])


def refusals(found: list[tuple[str, object, str]]) -> ServiceError:
    """The same for several violations at once."""
    plural = "error" if len(found) == 1 else "errors"
    told = "; ".join(
        f"Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"
        for path, value, constraint in found
    )
    message = f"{len(found)} validation {plural} detected: {told}"
    return ServiceError("ValidationException", message, 400)


def one_of(values: tuple[str, ...]) -> str:
    """The constraint of an enumeration."""
    return f"Member must satisfy enum value set: [{', '.join(values)}]"
