"""How an operation says no."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


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
