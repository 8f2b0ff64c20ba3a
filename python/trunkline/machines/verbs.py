"""What an engine offers of state machines: the part of :class:`trunkline.Engine` about them."""

from __future__ import annotations

from trunkline import validation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline.machines.machine import StateMachine


class MachineVerbs:
    """The verbs of an engine that are about state machines."""

    __slots__ = ()

    if TYPE_CHECKING:
        _core: CoreEngine
        _owner: tuple[str, str]

    def machine(
        self,
        name: str,
        definition: Mapping[str, Any] | str | None = None,
        *,
        functions: Mapping[str, Callable[[Any], object]] | None = None,
        account: str | None = None,
        region: str | None = None,
    ) -> StateMachine:
        """The state machine of this name, with a definition in the Amazon States Language.

        It is created, or gets the new definition; executions that run keep theirs. Without a
        `definition`, the machine that has this name already is returned.

        `functions` are called by the Task states whose resource is the ARN of a function of this
        name, such as ``arn:aws:lambda:us-east-1:000000000000:function:charge``, with the input of
        the task. Code is not kept: name the functions again after a restart. Other functions are
        those of :meth:`function`.

        Raises ValidationException for a definition that AWS refuses, in AWS's words.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> charge = "arn:aws:lambda:us-east-1:000000000000:function:charge"
        >>> definition = {
        ...     "StartAt": "Charge",
        ...     "States": {"Charge": {"Type": "Task", "Resource": charge, "End": True}},
        ... }
        >>> functions = {"charge": lambda order: {"paid": order["total"]}}
        >>> machine = engine.machine("checkout", definition, functions=functions)
        >>> machine.start({"total": 3}).wait().output
        {'paid': 3}
        """
        from trunkline.machines.machine import find, put

        owner = validation.owner(self._owner, account, region)
        self._core.check_open()
        full = (*owner, validation.text(name, "name"))
        if definition is None:
            return find(self._core, full, functions)
        return put(self._core, full, definition, functions)
