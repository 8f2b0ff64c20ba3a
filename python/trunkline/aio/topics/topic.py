"""A topic whose waiting verbs are coroutines. Names and validation are those of `sync`."""

from __future__ import annotations

import asyncio
import functools
import inspect

from trunkline.aio.handlers import on_loop
from trunkline.aio.topics.subscription import Subscription

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from trunkline._core import PublishBatchResult, PublishResult
    from trunkline._resource_types import AsyncTopicTarget
    from trunkline._types import (
        Attributes,
        Body,
        FilterScope,
        PublishEntry,
        RetryPolicy,
        Seconds,
        TopicDedupScope,
    )
    from trunkline.aio.queues.queue import Queue as AsyncQueue
    from trunkline.queues.queue import Queue
    from trunkline.topics.topic import Topic as SyncTopic


class Topic:
    """A topic for asyncio; :meth:`trunkline.aio.Engine.topic` makes it. The twin is `sync`.

    >>> import asyncio, trunkline
    >>> async def main():
    ...     engine = trunkline.aio.open()
    ...     topic, kitchen = engine.topic("orders"), engine.queue("kitchen")
    ...     await topic.subscribe(kitchen)
    ...     await topic.publish("one coffee")
    ...     return (await kitchen.receive(wait=20))[0].text()
    >>> asyncio.run(main())
    'one coffee'
    """

    __slots__ = {"sync": "The same topic for threads."}

    sync: SyncTopic

    def __init__(self, topic: SyncTopic) -> None:
        self.sync = topic

    @property
    def name(self) -> str:
        """The name, unique in its account and region."""
        return self.sync.name

    @property
    def arn(self) -> str:
        """The ARN, as envelopes name the topic."""
        return self.sync.arn

    @property
    def fifo(self) -> bool:
        """Whether it keeps order by group and deduplicates."""
        return self.sync.fifo

    def settings(self) -> dict[str, Any]:
        """What the topic is."""
        return self.sync.settings()

    def statistics(self) -> dict[str, int]:
        """How the topic stands, as :meth:`trunkline.Topic.statistics` says."""
        return self.sync.statistics()

    def subscriptions(self) -> list[Subscription]:
        """The subscriptions, in the order of their creation."""
        return [Subscription(one) for one in self.sync.subscriptions()]

    async def publish(
        self,
        body: Body,
        *,
        subject: str | None = None,
        attributes: Attributes | None = None,
        group: str | None = None,
        dedup_id: str | None = None,
    ) -> PublishResult:
        """Publish a message; return once all its deliveries are as durable as the engine promises.

        Cancelling it does not take the message back. See :meth:`trunkline.Topic.publish`.
        """
        publish = functools.partial(
            self.sync.publish,
            body,
            subject=subject,
            attributes=attributes,
            group=group,
            dedup_id=dedup_id,
        )
        if self.sync._engine.durability == "memory":
            return publish()
        return await asyncio.to_thread(publish)

    async def publish_batch(self, entries: Iterable[Body | PublishEntry]) -> PublishBatchResult:
        """Publish many messages in order, with one wait for the disk; each succeeds for itself.

        >>> import asyncio, trunkline
        >>> asyncio.run(trunkline.aio.open().topic("orders").publish_batch([]))
        <PublishBatchResult: 0 successful, 0 failed>
        """
        if self.sync._engine.durability == "memory":
            return self.sync.publish_batch(entries)
        return await asyncio.to_thread(self.sync.publish_batch, entries)

    async def subscribe(
        self,
        target: AsyncTopicTarget,
        *,
        filter: str | Mapping[str, Any] | None = None,
        filter_scope: FilterScope = "attributes",
        raw: bool = True,
        dead_letter: Queue | AsyncQueue | None = None,
        retry: RetryPolicy | None = None,
        name: str | None = None,
    ) -> Subscription:
        """Let `target` have what is published. It may be a coroutine function, too.

        A coroutine function runs on the loop that is running now. On a virtual clock advance the
        time from another thread: the clock waits for functions that have something to do. See
        :meth:`trunkline.Topic.subscribe`.

        >>> import asyncio, trunkline
        >>> async def main():
        ...     got = asyncio.get_running_loop().create_future()
        ...     async def handle(message):
        ...         got.set_result(message.text())
        ...     async with trunkline.aio.open() as engine:
        ...         topic = engine.topic("orders")
        ...         await topic.subscribe(handle)
        ...         await topic.publish("one coffee")
        ...         return await got
        >>> asyncio.run(main())
        'one coffee'
        """
        if inspect.iscoroutinefunction(target):
            target = on_loop(target)
        subscribe = functools.partial(
            self.sync.subscribe,
            target,
            filter=filter,
            filter_scope=filter_scope,
            raw=raw,
            dead_letter=dead_letter,
            retry=retry,
            name=name,
        )
        return Subscription(await asyncio.to_thread(subscribe))

    async def configure(
        self,
        *,
        content_based_dedup: bool | None = None,
        dedup_scope: TopicDedupScope | None = None,
    ) -> None:
        """Change what is given of a FIFO topic; the rest stays as it is."""
        configure = functools.partial(
            self.sync.configure,
            content_based_dedup=content_based_dedup,
            dedup_scope=dedup_scope,
        )
        await asyncio.to_thread(configure)

    async def archive(self, retention: Seconds | None) -> None:
        """Keep what the FIFO topic publishes, as :meth:`trunkline.Topic.archive` says."""
        await asyncio.to_thread(self.sync.archive, retention)

    async def remove(self) -> None:
        """Remove the topic with its subscriptions. What was delivered stays where it is."""
        await asyncio.to_thread(self.sync.remove)

    def __repr__(self) -> str:
        return f"<aio {self.sync!r}>"
