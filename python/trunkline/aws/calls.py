"""Calls that the engine makes of its own services, for schedules and pipes."""

from __future__ import annotations

from trunkline._dataclasses import dataclass
from trunkline.aws.invoker import InvocationFailed
from trunkline.aws.services import SERVICES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.invoker import ServiceInvoker

SERVED = frozenset(service.name for service in SERVICES)
"""The services whose operations can run."""


class Failed(Exception):
    """An operation answered with an error."""

    def __init__(self, code: str, message: str, *, is_final: bool) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.is_final = is_final
        """Another attempt would have the same answer."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call of an operation."""

    service: str
    operation: str
    region: str
    params: dict[str, Any]


def send(invoker: ServiceInvoker, request: Request, account: str) -> dict[str, Any]:
    """The answer to a call that `account` makes; raises Failed."""
    owner = {"account": account, "region": request.region}
    try:
        return invoker.invoke(request.service, request.operation, request.params, **owner)
    except InvocationFailed as error:
        code, status = error.code, error.status
        final = (status < 500 and "Throttl" not in code) or code == "NotImplemented"
        raise Failed(code, error.message, is_final=final) from None
    except TypeError as error:
        raise Failed("SDK_CLIENT_ERROR", str(error), is_final=True) from None
