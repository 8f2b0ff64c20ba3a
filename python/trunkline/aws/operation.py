"""What an operation of the control plane is: a function with typed arguments that returns a dict.

The input arrives parsed and validated by the service's model. Its members become keyword arguments
in snake case (``QueueName`` is ``queue_name``); members that were not sent are not passed.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from trunkline.aws.store import Store

    Function = Callable[..., dict[str, Any] | None]

_TAKES_ANY = 0x08
"""The flag of a function's code that has `**`: the language reference's CO_VARKEYWORDS."""


class Call(NamedTuple):
    """Who calls, where, and what may be used to answer."""

    store: Store
    account: str
    region: str
    access_key: str | None
    base: str
    """The address under which the caller reached us, without a slash at its end."""
    request_id: str
    target: tuple[str, str, str] | None = None
    """Account, region and name of the resource that the input names: the caller's right to it was
    checked, so operations act on this and read no address of their own."""


class Operation(NamedTuple):
    """A function, and whether it changes what has to be durable before the caller is answered."""

    function: Function
    writes: bool
    stored_only: bool = False
    """It keeps and tells what it was given, which has no effect on anything else here."""

    def unknown(self, arguments: Mapping[str, Any]) -> str | None:
        """An argument that the function does not take: a newer model may have one more.

        >>> Operation(lambda call, *, first_name: {}, writes=False).unknown({"last_name": "Bean"})
        'last_name'
        """
        code = getattr(self.function, "__code__", None)
        if code is None or code.co_flags & _TAKES_ANY:
            return None
        taken = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        return next((name for name in arguments if name not in taken), None)


class Operations(dict[str, Operation]):
    """The operations of one service, by name. `stored_only` holds for all of them.

    >>> operations = Operations()
    >>> @operations.add("GetName")
    ... def get_name(call, *, first_name):
    ...     return {"Name": first_name}
    >>> operations["GetName"].writes
    False
    """

    def __init__(self, *, stored_only: bool = False) -> None:
        super().__init__()
        self._stored_only = stored_only

    def add(
        self, name: str, *, writes: bool = False, stored_only: bool = False
    ) -> Callable[[Function], Function]:
        """Registers the decorated function as the operation `name`."""

        def register(function: Function) -> Function:
            self[name] = Operation(function, writes, stored_only or self._stored_only)
            return function

        return register


@cache
def snake_case(name: str) -> str:
    """The name of an argument for a member.

    >>> [snake_case(name) for name in ("QueueName", "AWSAccountIds", "OwnerAWSAccountId")]
    ['queue_name', 'aws_account_ids', 'owner_aws_account_id']
    """
    split = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", split).lower()
