"""How an operation says no."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.errors import TrunklineError


class ServiceError(Exception):
    """An error that goes to the caller as it is: AWS's code, a sentence, and an HTTP status.

    >>> str(ServiceError("NoSuchEntity", "The role does not exist.", 404))
    'NoSuchEntity: The role does not exist.'
    """

    def __init__(
        self, code: str, message: str, status: int = 400, members: dict[str, Any] | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members: dict[str, Any] = members or {}


class ProgramErrors:
    """A block in which a program of this process gets errors of :mod:`trunkline.errors` instead.

    `invalid` is the class of those that are about a value.

    >>> from trunkline.errors import InvalidParameterValue, ResourceNotFound
    >>> try:
    ...     with ProgramErrors(InvalidParameterValue):
    ...         raise ServiceError("NotFoundException", "There is no such API.", 404)
    ... except ResourceNotFound as error:
    ...     str(error)
    'There is no such API.'
    """

    def __init__(self, invalid: type[TrunklineError]) -> None:
        self._invalid = invalid

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, ServiceError):
            raise _plain(error, self._invalid) from None


def _plain(error: ServiceError, invalid: type[TrunklineError]) -> TrunklineError:
    from trunkline import errors

    if error.code.endswith(("NotFoundException", "DoesNotExist")) or error.status == 404:
        return errors.ResourceNotFound(error.message)
    if error.code.endswith("InUseException") or error.status == 409:
        return errors.ConflictException(error.message)
    if error.code.endswith("LimitExceededException") or error.status == 429:
        return errors.OverLimit(error.message)
    return invalid(error.message)
