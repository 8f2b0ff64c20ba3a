"""A rule of an event bus, for asyncio."""

from __future__ import annotations

import asyncio
import inspect

from trunkline.aio.handlers import on_loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline._resource_types import AsyncEventTarget
    from trunkline._types import RetryPolicy
    from trunkline.aio.buses.bus import Bus
    from trunkline.aio.queues.queue import Queue as AsyncQueue
    from trunkline.buses.rule import Rule as SyncRule
    from trunkline.queues.queue import Queue


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

    async def add_target(
        self,
        target: AsyncEventTarget,
        *,
        id: str,
        input: Any = None,
        input_path: str | Mapping[str, str] | None = None,
        input_template: str | None = None,
        dead_letter: Queue | AsyncQueue | None = None,
        retry: RetryPolicy | None = None,
        group: str | None = None,
        partition_key_path: str | None = None,
    ) -> None:
        """Send the events of the rule to `target`, too: a coroutine function runs on this loop.

        See :meth:`trunkline.Rule.add_target`.

        >>> import asyncio, trunkline
        >>> async def main():
        ...     engine = trunkline.aio.open()
        ...     rule = await engine.bus().rule("all", {"source": ["shop"]}, engine.queue("orders"))
        ...     await rule.add_target(engine.queue("audit"), id="audit")
        ...     await rule.remove_target("main")
        ...     return [target["id"] for target in rule.targets()]
        >>> asyncio.run(main())
        ['audit']
        """
        if inspect.iscoroutinefunction(target):
            target = on_loop(target)
        await asyncio.to_thread(
            self.sync.add_target,
            target,
            id=id,
            input=input,
            input_path=input_path,
            input_template=input_template,
            dead_letter=dead_letter,  # type: ignore[arg-type]
            retry=retry,
            group=group,
            partition_key_path=partition_key_path,
        )

    async def remove_target(self, id: str) -> None:
        """Send no more events to the target of this id. One that is gone is a success."""
        await asyncio.to_thread(self.sync.remove_target, id)

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
