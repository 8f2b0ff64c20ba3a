"""A subscription whose waiting verbs are coroutines."""

from __future__ import annotations

import asyncio
import functools

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trunkline._types import FilterScope, RetryPolicy
    from trunkline.aio.queues.queue import Queue as AsyncQueue
    from trunkline.queues.queue import Queue
    from trunkline.topics.subscription import Subscription as SyncSubscription


class Subscription:
    """A subscription; :meth:`trunkline.aio.Topic.subscribe` makes it. The twin is `sync`.

    >>> import asyncio, trunkline
    >>> async def main():
    ...     engine = trunkline.aio.open()
    ...     subscription = await engine.topic("orders").subscribe(engine.queue("kitchen"))
    ...     await subscription.configure(raw=False)
    ...     return subscription.sync.raw
    >>> asyncio.run(main())
    False
    """

    __slots__ = {"sync": "The same subscription for threads, which reads the truth when asked."}

    sync: SyncSubscription

    def __init__(self, subscription: SyncSubscription) -> None:
        self.sync = subscription

    async def configure(
        self,
        *,
        filter: str | Mapping[str, Any] | None = None,
        filter_scope: FilterScope | None = None,
        raw: bool | None = None,
        dead_letter: Queue | AsyncQueue | None = None,
        retry: RetryPolicy | None = None,
    ) -> None:
        """Change what is given, from the next message on; the rest stays as it is."""
        configure = functools.partial(
            self.sync.configure,
            filter=filter,
            filter_scope=filter_scope,
            raw=raw,
            dead_letter=dead_letter,
            retry=retry,
        )
        await asyncio.to_thread(configure)

    async def remove(self) -> None:
        """Remove the subscription, and what waits for a URL or a function."""
        await asyncio.to_thread(self.sync.remove)

    def __repr__(self) -> str:
        return f"<aio {self.sync!r}>"
