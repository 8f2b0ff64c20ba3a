"""A rule of an event bus, for asyncio."""

from __future__ import annotations

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aio.buses.bus import Bus
    from trunkline.buses.rule import Rule as SyncRule


class Rule:
    """A rule of an event bus; :meth:`trunkline.aio.Bus.rule` makes it. The twin is `sync`.

    >>> import asyncio, trunkline
    >>> async def main():
    ...     engine = trunkline.aio.open()
    ...     rule = await engine.bus().rule("all", {"source": ["shop"]}, engine.queue("orders"))
    ...     await rule.disable()
    ...     return rule.enabled
    >>> asyncio.run(main())
    False
    """

    __slots__ = {"bus": "The bus of the rule.", "sync": "The same rule for threads."}

    bus: Bus
    sync: SyncRule

    def __init__(self, bus: Bus, rule: SyncRule) -> None:
        self.bus = bus
        self.sync = rule

    @property
    def name(self) -> str:
        """The name, unique in its bus."""
        return self.sync.name

    @property
    def pattern(self) -> dict[str, Any]:
        """The pattern, as a dict."""
        return self.sync.pattern

    @property
    def enabled(self) -> bool:
        """Whether events are matched against the rule."""
        return self.sync.enabled

    async def enable(self) -> None:
        """Match events against the rule again."""
        await asyncio.to_thread(self.sync.enable)

    async def disable(self) -> None:
        """Match no events against the rule until :meth:`enable`."""
        await asyncio.to_thread(self.sync.disable)

    def targets(self) -> list[dict[str, Any]]:
        """The targets: for each its id, its address, and what it was given."""
        return self.sync.targets()

    def statistics(self) -> dict[str, int]:
        """What became of events since the engine was opened."""
        return self.sync.statistics()

    async def remove(self) -> None:
        """Remove the rule, with events that wait for targets outside the engine."""
        await asyncio.to_thread(self.sync.remove)

    def __repr__(self) -> str:
        return f"<aio {self.sync!r}>"
