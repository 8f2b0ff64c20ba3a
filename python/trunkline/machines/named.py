"""Which functions a program gave its state machines. The code is not kept, the names are: after a
restart, tasks wait until the program names the functions again.
"""

from __future__ import annotations

import json

from trunkline._core import WireStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from trunkline._core import Engine as CoreEngine

    Name = tuple[str, str, str]

_PREFIX = "states-own-functions/"


class NotNamed(Exception):
    """A function is called that the program has not named again yet: the task is tried later."""


class NamedFunctions:
    """The names of the functions of the state machines of an engine."""

    def __init__(self, core: CoreEngine) -> None:
        self._store = WireStore(core)

    def put(self, machine: Name, functions: Iterable[str]) -> None:
        """Keeps the names of the functions of a machine; without names it is forgotten."""
        names = sorted(functions)
        if names != self.of(machine):
            data = json.dumps(names).encode() if names else None
            self._store.put_document(_key(machine), data)

    def of(self, machine: Name) -> list[str]:
        """The names of the functions that a machine was given last."""
        data = self._store.document(_key(machine))
        return [] if data is None else list(json.loads(data))


def _key(machine: Name) -> str:
    return _PREFIX + "/".join(machine)
