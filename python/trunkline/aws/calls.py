"""Calls that the engine makes of its own services, for schedules and pipes."""

from __future__ import annotations

from dataclasses import dataclass

from trunkline.aws.services import SERVICES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.clients import Clients

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


def send(clients: Clients, request: Request, account: str) -> dict[str, Any]:
    """The answer to a call that `account` makes; raises Failed."""
    try:
        from botocore import xform_name
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        text = "Calls of other services need botocore: pip install 'trunkline[aws]'."
        raise Failed("SDK_CLIENT_ERROR", text, is_final=True) from None

    if request.service not in SERVED:
        text = f"The service {request.service} is not served here."
        raise Failed("UnsupportedService", text, is_final=True)
    client = clients.get(request.service, request.region, account)
    try:
        answer: dict[str, Any] = getattr(client, xform_name(request.operation))(**request.params)
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        final = (status < 500 and "Throttl" not in code) or code == "NotImplemented"
        raise Failed(code, message, is_final=final) from None
    except (BotoCoreError, AttributeError) as error:
        raise Failed("SDK_CLIENT_ERROR", str(error), is_final=True) from None
    return answer
