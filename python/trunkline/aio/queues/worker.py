"""The worker of an event loop: it keeps leases alive, and cancelling loses no message.

One task per unit of concurrency receives, handles and settles; one more extends the leases of
the messages in hand. The rules are those of `trunkline.queues.consumer`.
"""

from __future__ import annotations

import asyncio

from trunkline._core import NotAdmitted
from trunkline.aio.loop import begun, resumed
from trunkline.errors import EngineClosed, OverLimit, QueueDoesNotExist, TrunklineError
from trunkline.queues import consumer
from trunkline.queues.consumer import ConsumeReport

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from trunkline._core import PendingWrite
    from trunkline.aio.queues.message import Message
    from trunkline.aio.queues.queue import Queue
    from trunkline.queues.consumer import ConsumerConfig

LOOK_SECONDS = 0.1
"""How long a receive waits that has to see when there is nothing left to do."""

POLL_SECONDS = 20.0
"""How long every other receive waits: stopping cancels it, which loses nothing."""


class Consumption:
    """One run of :meth:`trunkline.aio.Queue.consume`. Belongs to one loop."""

    def __init__(
        self,
        queue: Queue,
        handler: Callable[[Any], Any],
        config: ConsumerConfig,
        stop: asyncio.Event | None,
    ) -> None:
        if not callable(handler):
            raise TypeError(f"handler must be callable, not {type(handler).__name__}")
        self._queue = queue
        self._handler = handler
        self._config = config
        self._stop = stop
        self._stopping = False
        self._receiving: set[asyncio.Task[Any]] = set()
        self._running: dict[int, Message] = {}
        self._report = ConsumeReport(0, 0)

    async def run(self) -> ConsumeReport:
        """Returns when it was stopped, or at the end of the queue if that is asked for."""
        # A queue that is gone before the first receive is a mistake, later it is a way to stop.
        self._queue.statistics()
        helpers = [asyncio.create_task(self._heartbeat())]
        if self._stop is not None:
            helpers.append(asyncio.create_task(self._watch(self._stop)))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._config.concurrency):
                    group.create_task(self._work())
        except BaseExceptionGroup as failures:
            # One that failed has cancelled the others; more than one failure is the same one.
            failure: BaseException = failures
            while isinstance(failure, BaseExceptionGroup):
                failure = failure.exceptions[0]
            raise failure from None
        finally:
            for helper in helpers:
                helper.cancel()
        return self._report

    async def _watch(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._stopping = True
        for task in self._receiving:
            task.cancel()

    async def _work(self) -> None:
        try:
            while not self._stopping:
                messages = await self._receive()
                if messages:
                    await self._handle(messages)
                elif messages is not None and self._config.until_empty and not self._running:
                    # Nothing there, and nothing in hand that could come back.
                    return
        except (EngineClosed, QueueDoesNotExist):
            # Closing the engine or removing the queue is a way to stop.
            return

    async def _receive(self) -> list[Message] | None:
        """The next messages; None if the limit of messages in flight is reached."""
        config, task = self._config, asyncio.current_task()
        assert task is not None
        self._receiving.add(task)
        try:
            lease = config.lease / 1_000
            wait = LOOK_SECONDS if config.until_empty else POLL_SECONDS
            found = await self._queue.receive(
                config.batch_size, wait=wait, visibility_timeout=lease
            )
            if found or not config.until_empty:
                return found
            # At the limit of messages in flight a receive that waits finds nothing either. One
            # that does not wait tells the difference.
            return await self._queue.receive(config.batch_size, wait=0, visibility_timeout=lease)
        except OverLimit:
            # The limit is reached no longer when other leases end.
            await asyncio.sleep(LOOK_SECONDS)
            return None
        finally:
            self._receiving.discard(task)

    async def _handle(self, messages: list[Message]) -> None:
        self._running.update((id(message), message) for message in messages)
        failed: list[Message] = messages
        batches = self._config.batch_size > 1
        try:
            answer = self._handler(messages if batches else messages[0])
            if hasattr(answer, "__await__"):
                answer = await answer
                failed = consumer.failed_of(messages, answer) if batches else []
            else:
                self._release_now(messages)
                raise _NoCoroutineError(answer)
        except _NoCoroutineError:
            raise
        except Exception:
            self._config.log(messages)
        except BaseException:
            # Cancelled: the task that cancelled does not wait for the disk.
            self._release_now(messages)
            raise
        finally:
            for message in messages:
                del self._running[id(message)]
        await self._settle(messages, failed)

    def _release_now(self, messages: list[Message]) -> None:
        try:
            delays = [0] * len(messages)
            plain = self._queue._plain(messages)
            self._queue._core.begin_release_unsettled(plain, delays)
        except (TrunklineError, NotAdmitted):
            # A lease that cannot be given back at once ends by itself.
            return

    async def _settle(self, messages: list[Message], failed: list[Message]) -> None:
        good, report = consumer.partition(messages, failed)
        refused = 0
        pending: PendingWrite | None = None
        refusal: NotAdmitted | None = None
        core, delays = self._queue._core, self._config.delays(failed)
        given_back = self._queue._plain(failed)
        try:
            if good:
                refused = len((await self._queue.delete_batch(good)).failed)
        finally:
            # Also when cancelled in between.
            if failed:
                try:
                    _, pending = core.begin_release_unsettled(given_back, delays)
                except NotAdmitted as held:
                    refusal = held
        total = self._report
        total.handled += report.handled + len(good) - refused
        total.failed += report.failed + refused
        total.released += report.released
        if refusal is not None:
            await resumed(refusal, core.begin_release_unsettled, given_back, delays)
        elif pending is not None:
            await pending

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(self._config.heartbeat_seconds)
            if not self._running:
                continue
            try:
                # Skips what was settled since: a late heartbeat must not undo a release.
                running = list(self._running.values())
                queue, lease = self._queue, self._config.lease
                await begun(queue._core.begin_extend_unsettled, queue._plain(running), lease)
            except TrunklineError:
                # The engine is closed or broken: the tasks will meet the same error and say so.
                continue


class _NoCoroutineError(TypeError):
    """The handler has returned something that cannot be awaited."""

    def __init__(self, answer: object) -> None:
        super().__init__(
            f"handler must be a coroutine function, its answer cannot be awaited "
            f"({type(answer).__name__}); use trunkline.Queue.consume for plain functions"
        )
