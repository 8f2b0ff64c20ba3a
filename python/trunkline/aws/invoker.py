"""Calls of all services of one engine by name, as any account, without a client or a socket."""

from __future__ import annotations

from trunkline._core import WireDispatcher
from trunkline.aws.defaults import BASE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Engine as CoreEngine


class InvocationFailed(Exception):
    """An operation answered with an error."""

    def __init__(self, code: str, name: str, message: str, status: int) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        """The code, as the service's own protocol carries it."""
        self.name = name
        """The name of the error in the service's model."""
        self.message = message
        self.status = status
        """The HTTP status that a client would get."""


class ServiceInvoker:
    """Carries out operations by name. The caller has the rights of its account: under strict
    authorization, what the policies of resources let that account do."""

    def __init__(self, core: CoreEngine) -> None:
        from trunkline.aws.control import Control
        from trunkline.aws.services import SERVICES

        plain = [service.plain() for service in SERVICES]
        self.dispatcher: WireDispatcher = WireDispatcher(
            core, Control(core, SERVICES), plain, "trusted", []
        )

    def invoke(
        self, service: str, operation: str, params: dict[str, Any], *, account: str, region: str
    ) -> dict[str, Any]:
        """The output of an operation: members as in the model, times as `datetime`, blobs as bytes.

        It raises InvocationFailed for the error of an operation, and TypeError for a parameter of a
        type that no protocol carries. One call is one try.

        >>> import trunkline
        >>> invoker = ServiceInvoker(trunkline.open()._core)
        >>> where = {"account": "000000000000", "region": "eu-west-1"}
        >>> invoker.invoke("sqs", "CreateQueue", {"QueueName": "orders"}, **where)
        {'QueueUrl': 'http://trunkline.local/queue/eu-west-1/000000000000/orders'}
        """
        output, error = self.dispatcher.invoke(
            (service, operation), params, (account, region), BASE
        )
        if error is not None or output is None:
            raise InvocationFailed(*(error or ("InternalFailure", "InternalFailure", "", 500)))
        return output
