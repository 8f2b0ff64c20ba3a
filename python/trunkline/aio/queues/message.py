"""A delivery whose verbs are coroutines.

The class is made in Rust, where messages come from, and so is the coroutine of `delete`, which is
called for every message. The others are defined here and belong to the class from the moment this
package is imported.
"""

from __future__ import annotations

from trunkline._core import AsyncMessage as Message
from trunkline._core import NotAdmitted
from trunkline.aio.loop import admitted
from trunkline.errors import TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, TypeAlias

    from trunkline._core import PendingWrite
    from trunkline._types import Seconds

    # A bound method of the core with the keyword `admitted`.
    Begin: TypeAlias = Any

__all__ = ["Message"]


async def extend(self: Message, visibility_timeout: Seconds) -> None:
    """Let the lease end `visibility_timeout` seconds from now."""
    await _run(self._begin_extend, visibility_timeout)


async def release(self: Message, delay: Seconds = 0) -> None:
    """Give the message back: visible again at once, or in `delay` seconds."""
    await _run(self._begin_release, delay)


async def _resume_delete(self: Message, refusal: NotAdmitted) -> None:
    """The rest of a delete that faults or back-pressure hold up."""
    pending = await _resumed(refusal, self._begin_delete)
    if pending is not None:
        await pending


async def _run(begin: Begin, *arguments: Seconds) -> None:
    try:
        pending = begin(*arguments)
    except NotAdmitted as refusal:
        pending = await _resumed(refusal, begin, *arguments)
    if pending is not None:
        await pending


async def _resumed(refusal: NotAdmitted, begin: Begin, *arguments: Seconds) -> PendingWrite | None:
    (held,) = refusal.args
    await admitted(held)
    pending: PendingWrite | None = begin(*arguments, admitted=held)
    return pending


async def __aenter__(self: Message) -> Message:  # noqa: N807
    return self


async def __aexit__(  # noqa: N807
    self: Message,
    kind: type[BaseException] | None,
    value: BaseException | None,
    traceback: TracebackType | None,
) -> None:
    if self._outcome:
        return
    if kind is None:
        await self.delete()
        return
    try:
        # Not waited for: the caller's exception is to be seen now, and no other one instead of it.
        self._begin_release(0)
    except (TrunklineError, NotAdmitted):
        # A lease that cannot be given back at once ends by itself.
        return


for _verb in (_resume_delete, extend, release, __aenter__, __aexit__):
    _verb.__qualname__ = f"Message.{_verb.__name__}"
    setattr(Message, _verb.__name__, _verb)
