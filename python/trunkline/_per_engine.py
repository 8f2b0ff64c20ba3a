"""What each engine has one of in this process, and what ends with the engine.

The parts of the package that work for an engine in the background are imported when they are first
needed. Each declares here what an engine has of it, so that closing an engine names none of them.
"""

from __future__ import annotations

from _thread import RLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Generic, TypeVar

    from trunkline._core import Engine as CoreEngine

    T = TypeVar("T")
else:
    # What a type checker reads alone: a server starts without `typing`.
    class Generic:
        def __class_getitem__(cls, _):
            return cls

    T = None

_lock = RLock()
_made: dict[CoreEngine, dict[PerEngine[Any], Any]] = {}
"""What was made for each engine that is open, in the order in which it was made."""


class PerEngine(Generic[T]):
    """One object an engine: made when it is first asked for, kept until the engine is closed."""

    def __init__(
        self, make: Callable[[CoreEngine], T], end: Callable[[T], object] | None = None
    ) -> None:
        self._make = make
        self._end = end

    def of(self, core: CoreEngine) -> T:
        """The object of an engine, whichever surface asks."""
        with _lock:
            own = _made.setdefault(core, {})
            if self not in own:
                own[self] = self._make(core)
            found: T = own[self]
            return found


def end_all(core: CoreEngine) -> None:
    """Ends what was made for an engine, the latest first. The engine is about to be closed."""
    with _lock:
        own = _made.pop(core, {})
    for kind, one in reversed(own.items()):
        if kind._end is not None:
            kind._end(one)
