"""What an engine offers of state machines: the part of :class:`trunkline.aio.Engine` about them."""

from __future__ import annotations

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from trunkline.aio.machines.machine import StateMachine
    from trunkline.engine import Engine


class MachineVerbs:
    """The verbs of an engine for asyncio that are about state machines."""

    __slots__ = ()

    if TYPE_CHECKING:
        sync: Engine

    def machine(
        self,
        name: str,
        definition: Mapping[str, Any] | str | None = None,
        *,
        functions: Mapping[str, Callable[[Any], object]] | None = None,
        account: str | None = None,
        region: str | None = None,
    ) -> StateMachine:
        """The state machine of this name, as :meth:`trunkline.Engine.machine` makes it.

        Coroutine functions run on the loop that is running now. Not a coroutine: a machine that
        exists costs no wait, and one that is created costs one sync.

        >>> import asyncio, trunkline
        >>> async def charge(order):
        ...     return {"paid": order["total"]}
        >>> arn = "arn:aws:lambda:us-east-1:000000000000:function:charge"
        >>> task = {"Type": "Task", "Resource": arn, "End": True}
        >>> definition = {"StartAt": "Charge", "States": {"Charge": task}}
        >>> async def main():
        ...     async with trunkline.aio.open() as engine:
        ...         functions = {"charge": charge}
        ...         machine = engine.machine("checkout", definition, functions=functions)
        ...         return await machine.run({"total": 3})
        >>> asyncio.run(main())
        {'paid': 3}
        """
        from trunkline.aio.machines.machine import StateMachine, on_this_loop

        machine = self.sync.machine(
            name, definition, functions=on_this_loop(functions), account=account, region=region
        )
        return StateMachine(machine)

    def machines(
        self, prefix: str = "", *, account: str | None = None, region: str | None = None
    ) -> list[StateMachine]:
        """The state machines whose name starts with `prefix`, as :meth:`trunkline.Engine.machines`
        lists them.

        >>> import trunkline
        >>> trunkline.aio.open().machines()
        []
        """
        from trunkline.aio.machines.machine import StateMachine

        found = self.sync.machines(prefix, account=account, region=region)
        return [StateMachine(machine) for machine in found]

    async def send_task_success(self, token: str, output: Any = None) -> None:
        """End the task of an execution that waits for its token, with its result."""
        await asyncio.to_thread(self.sync.send_task_success, token, output)

    async def send_task_failure(
        self, token: str, error: str | None = None, cause: str | None = None
    ) -> None:
        """Fail the task of an execution that waits for its token."""
        await asyncio.to_thread(self.sync.send_task_failure, token, error, cause)

    async def send_task_heartbeat(self, token: str) -> None:
        """Say that the task is still at work."""
        await asyncio.to_thread(self.sync.send_task_heartbeat, token)
