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
_PAGE = 100


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

    def machines(self) -> list[Name]:
        """The machines whose names of functions are kept."""
        found: list[Name] = []
        after = None
        while page := self._store.page(_PREFIX, after, _PAGE):
            after = page[-1][0]
            for key, _ in page:
                account, region, name = key.removeprefix(_PREFIX).split("/")
                found.append((account, region, name))
        return found

    def of(self, machine: Name) -> list[str]:
        """The names of the functions that a machine was given last."""
        data = self._store.document(_key(machine))
        return [] if data is None else list(json.loads(data))


def _key(machine: Name) -> str:
    return _PREFIX + "/".join(machine)
