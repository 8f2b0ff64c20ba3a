"""An event bus whose waiting verbs are coroutines. Names and validation are those of `sync`."""

from __future__ import annotations

import asyncio
import inspect

from trunkline.aio.buses.archive import Archive
from trunkline.aio.buses.rule import Rule
from trunkline.aio.handlers import on_loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from trunkline._core import Explanation, PutEventResult, PutEventsResult
    from trunkline._resource_types import AsyncEventTarget
    from trunkline._types import Event, RetryPolicy, Seconds
    from trunkline.aio.queues.queue import Queue as AsyncQueue
    from trunkline.buses.bus import Bus as SyncBus
    from trunkline.queues.queue import Queue


class Bus:
    """An event bus for asyncio; :meth:`trunkline.aio.Engine.bus` makes it. The twin is `sync`.

    >>> import asyncio, trunkline
    >>> async def main():
    ...     engine = trunkline.aio.open()
    ...     bus, paid = engine.bus(), engine.queue("paid")
    ...     await bus.rule("paid", {"detail": {"state": ["paid"]}}, paid)
    ...     await bus.put({"source": "shop", "detail-type": "t", "detail": {"state": "paid"}})
    ...     return (await paid.receive(wait=20))[0].json()["detail"]
    >>> asyncio.run(main())
    {'state': 'paid'}
    """

    __slots__ = {"sync": "The same bus for threads."}

    sync: SyncBus

    def __init__(self, bus: SyncBus) -> None:
        self.sync = bus

    @property
    def name(self) -> str:
        """The name, unique in its account and region."""
        return self.sync.name

    @property
    def account(self) -> str:
        """The account, 12 digits: what events have that name none."""
        return self.sync.account

    @property
    def region(self) -> str:
        """The region: what events have that name none."""
        return self.sync.region

    @property
    def created_at(self) -> float:
        """When the bus was created, in seconds since the epoch."""
        return self.sync.created_at

    async def put(self, event: Event, *, trace_header: str | None = None) -> PutEventResult:
        """Put an event; return once what rules made of it is as durable as the engine promises.

        Cancelling it does not take the event back. See :meth:`trunkline.Bus.put`.
        """
        if self.sync._engine.durability == "memory":
            return self.sync.put(event, trace_header=trace_header)
        return await asyncio.to_thread(self.sync.put, event, trace_header=trace_header)

    async def put_batch(
        self, events: Iterable[Event], *, trace_header: str | None = None
    ) -> PutEventsResult:
        """Put many events in order, with one wait for the disk; each succeeds or fails for itself.

        >>> import asyncio, trunkline
        >>> asyncio.run(trunkline.aio.open().bus().put_batch([]))
        <PutEventsResult: 0 successful, 0 failed>
        """
        if self.sync._engine.durability == "memory":
            return self.sync.put_batch(events, trace_header=trace_header)
        return await asyncio.to_thread(self.sync.put_batch, events, trace_header=trace_header)

    async def rule(
        self,
        name: str,
        pattern: str | Mapping[str, Any],
        target: AsyncEventTarget,
        *,
        input: Any = None,
        input_path: str | Mapping[str, str] | None = None,
        input_template: str | None = None,
        dead_letter: Queue | AsyncQueue | None = None,
        retry: RetryPolicy | None = None,
        group: str | None = None,
        partition_key_path: str | None = None,
        enabled: bool = True,
    ) -> Rule:
        """Create the rule `name`, or replace it. `target` may be a coroutine function, too.

        A coroutine function runs on the loop that is running now. On a virtual clock advance the
        time from another thread: the clock waits for functions that have something to do. See
        :meth:`trunkline.Bus.rule`.

        >>> import asyncio, trunkline
        >>> async def main():
        ...     got = asyncio.get_running_loop().create_future()
        ...     async def handle(event):
        ...         got.set_result(event["detail"])
        ...     bus = trunkline.aio.open().bus()
        ...     await bus.rule("all", {"source": ["shop"]}, handle)
        ...     await bus.put({"source": "shop", "detail-type": "t", "detail": {"n": 1}})
        ...     return await got
        >>> asyncio.run(main())
        {'n': 1}
        """
        if inspect.iscoroutinefunction(target):
            target = on_loop(target)
        rule = await asyncio.to_thread(
            self.sync.rule,
            name,
            pattern,
            target,
            input=input,
            input_path=input_path,
            input_template=input_template,
            dead_letter=dead_letter,  # type: ignore[arg-type]
            retry=retry,
            group=group,
            partition_key_path=partition_key_path,
            enabled=enabled,
        )
        return Rule(self, rule)

    def rules(self) -> list[Rule]:
        """The rules, sorted by name.

        >>> import trunkline
        >>> trunkline.aio.open().bus().rules()
        []
        """
        return [Rule(self, rule) for rule in self.sync.rules()]

    def explain(self, event: Event) -> dict[str, Explanation]:
        """Why each rule matches an event, or the first field that does not. Delivers nothing."""
        return self.sync.explain(event)

    async def archive(
        self,
        name: str,
        *,
        pattern: str | Mapping[str, Any] | None = None,
        retention: Seconds | None = None,
    ) -> Archive:
        """Get the archive `name`, or create it. See :meth:`trunkline.Bus.archive`."""
        archive = await asyncio.to_thread(
            self.sync.archive, name, pattern=pattern, retention=retention
        )
        return Archive(self, archive)

    def archives(self) -> list[Archive]:
        """The archives, in the order of their creation."""
        return [Archive(self, archive) for archive in self.sync.archives()]

    def statistics(self) -> dict[str, int]:
        """How the bus stands: its rules, and what became of events since the engine was opened."""
        return self.sync.statistics()

    async def remove(self) -> None:
        """Remove the bus with its rules."""
        await asyncio.to_thread(self.sync.remove)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Bus):
            return NotImplemented
        return self.sync == other.sync

    def __hash__(self) -> int:
        return hash(self.sync)

    def __repr__(self) -> str:
        return f"<aio {self.sync!r}>"
