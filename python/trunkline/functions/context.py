"""The context that a function is called with, as Lambda's Python runtime makes it."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.functions.invocation import Invocation


class ClientContext:
    """What a mobile client told of itself."""

    __slots__ = ("client", "custom", "env")

    def __init__(self, told: dict[str, Any]) -> None:
        self.custom: Any = told.get("custom")
        self.env: Any = told.get("env")
        self.client: Any = told.get("client")


class FunctionContext:
    """Tells a function of its invocation.

    >>> import trunkline
    >>> engine = trunkline.open()
    >>> function = engine.function("who", lambda event, context: context.invoked_function_arn)
    >>> function.invoke({})
    'arn:aws:lambda:us-east-1:000000000000:function:who'
    """

    __slots__ = {
        "_invocation": "",
        "aws_request_id": "The id of the invocation, the same for each attempt.",
        "client_context": "What the caller told of itself; None as a rule.",
        "function_name": "The name of the function.",
        "function_version": "The version that runs; ``$LATEST`` as a rule.",
        "identity": "Always None: there are no identities of mobile clients.",
        "invoked_function_arn": "The ARN by which the function was called.",
        "log_group_name": "The log group of the function.",
        "log_stream_name": "The log stream of the invocation.",
        "memory_limit_in_mb": "The memory that the function is said to have, as text.",
    }

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self.aws_request_id: str = invocation.request_id
        self.function_name: str = invocation.function.name
        self.function_version: str = invocation.version
        self.invoked_function_arn: str = invocation.arn
        self.memory_limit_in_mb: str = str(invocation.memory)
        self.log_group_name: str = invocation.log_group
        self.log_stream_name: str = invocation.log_stream
        self.identity: None = None
        told = invocation.client_context
        self.client_context: ClientContext | None = (
            None if told is None else ClientContext(json.loads(told))
        )

    def get_remaining_time_in_millis(self) -> int:
        """The milliseconds until the invocation times out, on the machine's clock."""
        return int(self._invocation.remaining())

    def log(self, message: object) -> None:
        """Writes a line to the log of the function."""
        if self._invocation.lines is not None:
            self._invocation.lines.append(str(message))

    def __repr__(self) -> str:
        return f"<FunctionContext: {self.function_name}, request {self.aws_request_id}>"
