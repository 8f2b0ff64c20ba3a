"""Delivery streams for event loops: putting and flushing are coroutines."""

from __future__ import annotations

import asyncio

from trunkline.aio.loop import begun

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from trunkline._types import Body, Seconds
    from trunkline.delivery_streams.delivery_stream import DeliveryStream as SyncDeliveryStream


class DeliveryStream:
    """A delivery stream of an engine; :meth:`trunkline.aio.Engine.delivery_stream` makes it.

    >>> import asyncio, trunkline
    >>> async def main():
    ...     async with trunkline.aio.open() as engine:
    ...         lake = engine.bucket("lake")
    ...         clicks = engine.delivery_stream("clicks", lake)
    ...         await clicks.put("home")
    ...         await clicks.flush()
    ...         return [stored.size async for stored in lake.list()]
    >>> asyncio.run(main())
    [4]
    """

    __slots__ = {"sync": "The same delivery stream for threads."}

    def __init__(self, stream: SyncDeliveryStream) -> None:
        self.sync: SyncDeliveryStream = stream

    @property
    def name(self) -> str:
        """The name, unique in its account and region."""
        return self.sync.name

    @property
    def arn(self) -> str:
        """The ARN, by which rules, pipes, schedules and topics name it."""
        return self.sync.arn

    async def put(self, data: Body) -> None:
        """Put a record; return once it is as durable as the engine promises."""
        key, body = self.sync._entry(data)
        await begun(self.sync._core.begin_put, body, key)

    async def put_batch(self, records: Iterable[Body]) -> None:
        """Put records, in order, with one wait for the disk; all of them or none."""
        batch = [self.sync._entry(data) for data in records]
        if batch:
            await begun(self.sync._core.begin_put_batch, batch)

    async def flush(self, timeout: Seconds = 60.0) -> None:
        """Have what was put until now delivered at once; return when it is."""
        await asyncio.to_thread(self.sync.flush, timeout)

    def settings(self) -> dict[str, Any]:
        """What it was given, by the names that Firehose has."""
        return self.sync.settings()

    def statistics(self) -> dict[str, int]:
        """How it stands: records that are ``waiting`` to be delivered."""
        return self.sync.statistics()

    async def remove(self) -> None:
        """Remove it with what it has not delivered. Objects and files stay."""
        await asyncio.to_thread(self.sync.remove)

    def __repr__(self) -> str:
        return f"<aio {self.sync!r}>"
