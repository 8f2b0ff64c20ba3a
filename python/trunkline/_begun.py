"""The steps of a verb that the core begins: admission, the verb, and the wait for the disk."""

from __future__ import annotations

from trunkline._core import NotAdmitted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    Result = TypeVar("Result")


def begun(begin: Callable[..., tuple[Result, Any]], *arguments: Any) -> Result:
    """Begin a verb and block until it is durable; `trunkline.aio.loop` awaits the same steps."""
    try:
        result, pending = begin(*arguments)
    except NotAdmitted as refusal:
        (held,) = refusal.args
        while (pending := held.waits_for()) is not None:
            pending.wait()
        result, pending = begin(*arguments, admitted=held)
    if pending is not None:
        pending.wait()
    return result
