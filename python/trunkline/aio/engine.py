"""Opening an engine for asyncio, or wrapping one that threads use too."""

from __future__ import annotations

import asyncio

from trunkline import engine as sync
from trunkline.aio.apis.verbs import ApiVerbs
from trunkline.aio.buckets.verbs import BucketVerbs
from trunkline.aio.buses.bus import Bus
from trunkline.aio.delivery_streams.verbs import DeliveryStreamVerbs
from trunkline.aio.folders import FolderVerbs
from trunkline.aio.machines.verbs import MachineVerbs
from trunkline.aio.queues.queue import Queue
from trunkline.aio.schedules.schedule import Schedule, on_this_loop
from trunkline.aio.topics.topic import Topic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Unpack

    from trunkline._core import VirtualClock
    from trunkline._resource_types import (
        AsyncScheduleTarget,
        FunctionTarget,
        QueueRef,
        StoredQueueOptions,
    )
    from trunkline._types import (
        Durability,
        Moment,
        Path,
        ScheduleInput,
        Seconds,
        TopicDedupScope,
        TraceMode,
    )
    from trunkline.aio.functions.function import Function
    from trunkline.aio.streams.stream import Stream
    from trunkline.faults import Faults
    from trunkline.functions.source import EventSource
    from trunkline.limits import Limits
    from trunkline.traces.trace import Trace, Tracing


def open(
    path: Path | None = None,
    *,
    durability: Durability | None = None,
    durable_receives: bool = False,
    clock: VirtualClock | None = None,
    seed: int | None = None,
    read_only: bool = False,
    limits: Limits | None = None,
    trace: TraceMode = "off",
) -> Engine:
    """Open an engine, as :func:`trunkline.open` does, for use with ``async with``.

    >>> import asyncio, trunkline
    >>> async def main():
    ...     async with trunkline.aio.open() as engine:
    ...         return (await engine.queue("orders").send("one coffee")).duplicate
    >>> asyncio.run(main())
    False
    """
    return Engine(
        sync.open(
            path,
            durability=durability,
            durable_receives=durable_receives,
            clock=clock,
            seed=seed,
            read_only=read_only,
            limits=limits,
            trace=trace,
        )
    )


def wrap(engine: sync.Engine) -> Engine:
    """The asyncio side of an engine that threads use too. Closing either closes both.

    >>> import asyncio, trunkline
    >>> engine = trunkline.open()
    >>> sent = engine.queue("orders").send("from a thread")
    >>> async def main():
    ...     (message,) = await trunkline.aio.wrap(engine).queue("orders").receive(wait=1)
    ...     return message.text()
    >>> asyncio.run(main())
    'from a thread'
    """
    if not isinstance(engine, sync.Engine):
        raise TypeError(f"engine must be a trunkline.Engine, not {type(engine).__name__}")
    return Engine(engine)


class Engine(ApiVerbs, BucketVerbs, DeliveryStreamVerbs, FolderVerbs, MachineVerbs):
    """An engine whose waiting verbs are coroutines. Works on any loop, and on several at once.

    >>> import asyncio, trunkline
    >>> async def main():
    ...     async with trunkline.aio.open() as engine:
    ...         return engine.queue("orders").name
    >>> asyncio.run(main())
    'orders'
    """

    __slots__ = {"sync": "The same engine for threads."}

    def __init__(self, engine: sync.Engine) -> None:
        self.sync: sync.Engine = engine

    def queue(
        self,
        name: str,
        *,
        create: bool = True,
        account: str | None = None,
        region: str | None = None,
        **options: Unpack[StoredQueueOptions],
    ) -> Queue:
        """Get or create a queue, as :meth:`trunkline.Engine.queue` does; not a coroutine.

        >>> import trunkline
        >>> trunkline.aio.open().queue("orders", visibility_timeout=60).name
        'orders'
        """
        queue = self.sync.queue(name, create=create, account=account, region=region, **options)
        if options.get("payload_store") is None:
            return Queue(queue)
        from trunkline.aio.queues.claim_check import ClaimCheckQueue

        return ClaimCheckQueue(queue)

    def queues(
        self, prefix: str = "", *, account: str | None = None, region: str | None = None
    ) -> list[Queue]:
        """The queues whose name starts with `prefix`, sorted by name.

        >>> import trunkline
        >>> trunkline.aio.open().queues()
        []
        """
        found = self.sync.queues(prefix, account=account, region=region)
        return [Queue(queue) for queue in found]

    def bus(
        self,
        name: str = "default",
        *,
        create: bool = True,
        account: str | None = None,
        region: str | None = None,
    ) -> Bus:
        """Get or create an event bus, as :meth:`trunkline.Engine.bus` does.

        Not a coroutine: a bus that exists costs no wait, and one that is created costs one sync.

        >>> import trunkline
        >>> trunkline.aio.open().bus("orders").name
        'orders'
        """
        return Bus(self.sync.bus(name, create=create, account=account, region=region))

    def buses(
        self, prefix: str = "", *, account: str | None = None, region: str | None = None
    ) -> list[Bus]:
        """The event buses whose name starts with `prefix`, sorted by name.

        >>> import trunkline
        >>> trunkline.aio.open().buses()
        []
        """
        found = self.sync.buses(prefix, account=account, region=region)
        return [Bus(bus) for bus in found]

    def topic(
        self,
        name: str,
        *,
        create: bool = True,
        account: str | None = None,
        region: str | None = None,
        content_based_dedup: bool | None = None,
        dedup_scope: TopicDedupScope | None = None,
    ) -> Topic:
        """Get or create a topic, as :meth:`trunkline.Engine.topic` does.

        Not a coroutine: a topic that exists costs no wait, and one that is created costs one sync.

        >>> import trunkline
        >>> trunkline.aio.open().topic("orders").name
        'orders'
        """
        topic = self.sync.topic(
            name,
            create=create,
            account=account,
            region=region,
            content_based_dedup=content_based_dedup,
            dedup_scope=dedup_scope,
        )
        return Topic(topic)

    def topics(
        self, prefix: str = "", *, account: str | None = None, region: str | None = None
    ) -> list[Topic]:
        """The topics whose name starts with `prefix`, sorted by name.

        >>> import trunkline
        >>> trunkline.aio.open().topics()
        []
        """
        found = self.sync.topics(prefix, account=account, region=region)
        return [Topic(topic) for topic in found]

    def schedule(
        self,
        name: str,
        expression: str,
        target: AsyncScheduleTarget,
        *,
        timezone: str = "UTC",
        window: Seconds | None = None,
        input: ScheduleInput = None,
        start: Moment | None = None,
        end: Moment | None = None,
        group: str | None = None,
        dead_letter: QueueRef | None = None,
    ) -> Schedule:
        """Get or create a schedule, as :meth:`trunkline.Engine.schedule` does.

        A coroutine function is awaited on the running loop. While it is, a virtual clock has to be
        advanced by another thread: ``await asyncio.to_thread(clock.advance, 60)``.

        >>> import asyncio, trunkline
        >>> async def main():
        ...     async with trunkline.aio.open(clock=trunkline.VirtualClock()) as engine:
        ...         ticks = engine.queue("ticks")
        ...         engine.schedule("tick", "rate(1 hour)", ticks, input="tick")
        ...         (message,) = await ticks.receive()
        ...         return message.text()
        >>> asyncio.run(main())
        'tick'
        """
        made = self.sync.schedule(
            name,
            expression,
            on_this_loop(target),
            timezone=timezone,
            window=window,
            input=input,
            start=start,
            end=end,
            group=group,
            dead_letter=dead_letter,
        )
        return Schedule(made)

    def schedules(self, prefix: str = "") -> list[Schedule]:
        """The schedules whose name starts with `prefix`, sorted by name.

        >>> import trunkline
        >>> trunkline.aio.open().schedules()
        []
        """
        return [Schedule(schedule) for schedule in self.sync.schedules(prefix)]

    def stream(
        self,
        name: str,
        *,
        shards: int | None = None,
        retention: Seconds | None = None,
        create: bool = True,
        account: str | None = None,
        region: str | None = None,
    ) -> Stream:
        """Get or create a stream, as :meth:`trunkline.Engine.stream` does. Not a coroutine.

        >>> import trunkline
        >>> trunkline.aio.open().stream("clicks", shards=4).name
        'clicks'
        """
        from trunkline.aio.streams.stream import Stream

        stream = self.sync.stream(
            name,
            shards=shards,
            retention=retention,
            create=create,
            account=account,
            region=region,
        )
        return Stream(stream)

    def streams(
        self, prefix: str = "", *, account: str | None = None, region: str | None = None
    ) -> list[Stream]:
        """The streams whose name starts with `prefix`, sorted by name.

        >>> import trunkline
        >>> trunkline.aio.open().streams()
        []
        """
        from trunkline.aio.streams.stream import Stream

        found = self.sync.streams(prefix, account=account, region=region)
        return [Stream(stream) for stream in found]

    def function(
        self,
        name: str,
        handler: Callable[[Any, Any], object] | None = None,
        *,
        timeout: Seconds = 3.0,
        concurrency: int | None = None,
        retries: int = 2,
        max_age: Seconds = 21_600.0,
        on_success: FunctionTarget | None = None,
        on_failure: FunctionTarget | None = None,
        dead_letter: FunctionTarget | None = None,
        logs: bool = False,
        account: str | None = None,
        region: str | None = None,
    ) -> Function:
        """Let `handler` be called as Lambda calls it, as :meth:`trunkline.Engine.function` does.

        A coroutine function runs on the loop that is running now, and is cancelled if it takes
        longer than `timeout`. Not a coroutine: a function that exists costs no wait.

        >>> import asyncio, trunkline
        >>> async def hello(event, context):
        ...     return f"hello {event['name']}"
        >>> async def main():
        ...     async with trunkline.aio.open() as engine:
        ...         return await engine.function("hello", hello).invoke({"name": "world"})
        >>> asyncio.run(main())
        'hello world'
        """
        from trunkline.aio.functions.function import Function, on_this_loop

        function = self.sync.function(
            name,
            on_this_loop(handler),
            timeout=timeout,
            concurrency=concurrency,
            retries=retries,
            max_age=max_age,
            on_success=on_success,
            on_failure=on_failure,
            dead_letter=dead_letter,
            logs=logs,
            account=account,
            region=region,
        )
        return Function(function)

    def event_source(
        self, source: Queue | Stream, function: Function, **options: Any
    ) -> EventSource:
        """Let `function` have the messages of a queue or the records of a stream.

        The options are those of :meth:`trunkline.Engine.event_source`. Not a coroutine: it costs
        one sync.

        >>> import asyncio, trunkline
        >>> async def main():
        ...     async with trunkline.aio.open() as engine:
        ...         function = engine.function("tea", lambda event, context: None)
        ...         return engine.event_source(engine.queue("orders"), function).enabled
        >>> asyncio.run(main())
        True
        """
        return self.sync.event_source(source, function.sync, **options)

    def functions(self, prefix: str = "") -> list[Function]:
        """The functions whose name starts with `prefix`, sorted by name.

        >>> import trunkline
        >>> trunkline.aio.open().functions()
        []
        """
        from trunkline.aio.functions.function import Function

        return [Function(function) for function in self.sync.functions(prefix)]

    async def flush(self) -> None:
        """Return when everything that was accepted so far is on disk."""
        await asyncio.to_thread(self.sync.flush)

    async def close(self) -> None:
        """Write everything out and let go of the folder. A second call does nothing."""
        await asyncio.to_thread(self.sync.close)

    async def snapshot(self, path: Path) -> None:
        """Write a copy into the new folder `path`, while the engine runs."""
        await asyncio.to_thread(self.sync.snapshot, path)

    async def fork(self) -> Engine:
        """A copy in memory, for tests."""
        return Engine(await asyncio.to_thread(self.sync.fork))

    @property
    def clock(self) -> VirtualClock | None:
        """The virtual clock the engine was opened with; None if it follows the system's time."""
        return self.sync.clock

    @property
    def durability(self) -> str:
        """What "acknowledged" means here unless a call says less."""
        return self.sync.durability

    @property
    def faults(self) -> Faults:
        """Faults on purpose, for tests; none unless asked for."""
        return self.sync.faults

    def trace(self, id: str) -> Trace:
        """What happened to the message, event or record `id`, if the trace was on then."""
        return self.sync.trace(id)

    @property
    def tracing(self) -> Tracing:
        """The switch of the trace, its bound and its counters."""
        return self.sync.tracing

    async def __aenter__(self) -> Engine:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<aio {self.sync!r}>"
