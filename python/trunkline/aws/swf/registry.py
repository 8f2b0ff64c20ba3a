"""The operations of SWF, by name."""

from __future__ import annotations

from functools import wraps

from trunkline._core import WorkflowFault
from trunkline.aws.errors import ServiceError
from trunkline.aws.operation import Operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from trunkline.aws.operation import Function


class _Operations(Operations):
    """Operations whose faults are errors of the service. Each waits by itself until what it wrote
    is durable.
    """

    def add(
        self, name: str, *, writes: bool = False, stored_only: bool = False
    ) -> Callable[[Function], Function]:
        add = super().add(name, writes=writes, stored_only=stored_only)

        def register(function: Function) -> Function:
            @wraps(function)
            def worded(*args: Any, **kwargs: Any) -> dict[str, Any] | None:
                try:
                    return function(*args, **kwargs)
                except WorkflowFault as fault:
                    raise ServiceError(*fault.args) from None

            return add(worded)

        return register


operations: _Operations = _Operations()
