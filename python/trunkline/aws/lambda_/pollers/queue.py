"""A queue as an event source: one reader gathers batches, and as many run as are allowed."""

from __future__ import annotations

import asyncio
import logging

from trunkline.aws.calls import Failed
from trunkline.aws.lambda_.pollers.invoker import (
    LOOK_SECONDS,
    Invoker,
    failed_items,
    in_thread,
    parts_of,
)
from trunkline.aws.pipes.filters import Filters
from trunkline.aws.pipes.sqs_source import SqsSource
from trunkline.errors import EngineUnavailable, TrunklineError
from trunkline.functions.definition import CONCURRENCY_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline.aws.arns import Resource
    from trunkline.aws.invoker import ServiceInvoker

    Record = dict[str, Any]


class QueuePoller:
    """Hands the messages of one queue to a function."""

    def __init__(
        self,
        core: CoreEngine,
        services: ServiceInvoker,
        queue: Resource,
        settings: dict[str, Any],
        invoker: Invoker,
    ) -> None:
        self._core = core
        self._invoker = invoker
        self._source = SqsSource(core, services, queue, settings)
        self._filters = Filters(settings.get("FilterCriteria", {}))
        # Lambda's reader with a window names the digest of attributes that are not there; that
        # without one does not.
        self._digests = bool(settings["MaximumBatchingWindowInSeconds"])
        self._reports = "ReportBatchItemFailures" in settings["FunctionResponseTypes"]
        most = settings.get("ScalingConfig", {}).get("MaximumConcurrency", CONCURRENCY_MAX)
        self._most: int = most
        self._running: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Works until it is stopped; then what was begun is ended."""
        try:
            while not stop.is_set():
                await self._turn(stop)
        finally:
            if self._running:
                await asyncio.wait(set(self._running))

    async def _turn(self, stop: asyncio.Event) -> None:
        function = await self._invoker.wait_for_function(stop)
        if function is None:
            return
        most = min(self._most, function.definition.slots)
        if len(self._running) >= most or function.slots.used >= function.definition.slots:
            # A message that nothing can handle now stays visible for others.
            waits = {asyncio.ensure_future(asyncio.sleep(LOOK_SECONDS)), *self._running}
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            return
        try:
            batch = await until(self._source.gather(), stop)
        except (Failed, TrunklineError):
            self._core.check_open()
            await asyncio.sleep(LOOK_SECONDS)
            return
        if batch and not self._invoker.is_current():
            await in_thread(self._invoker.functions.threads.run, lambda: self._release(batch))
            stop.set()
            return
        for group in self._groups(batch or []):
            task = asyncio.ensure_future(self._handle(group))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    def _release(self, batch: list[Record]) -> None:
        try:
            self._source.release(batch)
        except Failed:
            # The queue has gone too; and leases end by themselves.
            return

    def _groups(self, batch: list[Record]) -> list[list[Record]]:
        """What is handled apart: each group of a FIFO queue."""
        if not self._source.is_ordered:
            return [batch] if batch else []
        groups: dict[str, list[Record]] = {}
        for record in batch:
            groups.setdefault(record["attributes"].get("MessageGroupId", ""), []).append(record)
        return list(groups.values())

    async def _handle(self, batch: list[Record]) -> None:
        try:
            kept = [record for record in batch if self._filters(record)]
            if len(kept) < len(batch):
                ids = {record["messageId"] for record in kept}
                await self._done([one for one in batch if one["messageId"] not in ids])
            for part in parts_of(kept):
                if not await self._deliver(part) and self._source.is_ordered:
                    # Nothing passes what failed in its group.
                    return
        except EngineUnavailable:
            return
        except Exception:
            logging.getLogger("trunkline").exception("a batch of an event source failed")

    async def _deliver(self, records: list[Record]) -> bool:
        """Calls the function; whether it handled all. What failed is visible again in time."""
        if self._digests:
            records = [{"md5OfMessageAttributes": None, **record} for record in records]
        outcome = await self._invoker.call({"Records": records})
        if outcome is None or outcome.error is not None:
            return False
        failed: set[str] | None = set()
        if self._reports:
            failed = failed_items(outcome.payload, [one["messageId"] for one in records])
            if failed is None:
                return False
        await self._done([one for one in records if one["messageId"] not in (failed or ())])
        return not failed

    async def _done(self, records: list[Record]) -> None:
        if records:
            run = self._invoker.functions.threads.run
            await in_thread(run, lambda: self._source.done(records))


async def until(awaited: Any, stop: asyncio.Event) -> Any:
    """What is awaited; None if it was stopped before."""
    task, stopped = asyncio.ensure_future(awaited), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        task.cancel()
        await asyncio.wait({task})
        return None
    finally:
        stopped.cancel()
