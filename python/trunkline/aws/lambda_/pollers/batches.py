"""Batches of a shard: a batch that fails is tried again, split in two, and given up at last."""

from __future__ import annotations

import asyncio
import json

from trunkline.aws.lambda_.pollers.invoker import LOOK_SECONDS, failed_items, in_thread
from trunkline.aws.lambda_.pollers.letters import bucket_of, keep_letter
from trunkline.aws.lambda_.running import target_of
from trunkline.aws.stream_records import EXHAUSTED, TOO_OLD, batch_info, pause
from trunkline.errors import TrunklineError
from trunkline.functions.results import iso, send

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trunkline.aws.lambda_.pollers.stream import StreamPoller
    from trunkline.functions.invocation import Outcome

    Record = dict[str, Any]

RETRY_SECONDS = (0.1, 60.0)
"""The shortest and the longest time between two attempts; it doubles."""


class Interrupted(Exception):
    """The mapping was stopped while a batch was tried again."""


class StreamBatches:
    """Delivers batches of one shard."""

    def __init__(self, owner: StreamPoller, shard: str, stop: asyncio.Event) -> None:
        self._owner = owner
        self._shard = shard
        self._stop = stop
        self._settings = owner.settings

    async def deliver(self, records: list[Record], members: dict[str, Any] | None = None) -> bytes:
        """Returns once the function has handled the records, or they were given up.

        `members` are beside the records in the event. The answer is that of the last invocation.
        """
        waiting, answer = [records], b""
        while waiting:
            batch, attempts = waiting.pop(0), 0
            while batch := await self._without_old(batch, attempts):
                outcome = await self._call({"Records": batch, **(members or {})})
                attempts += 1
                left = self._left(batch, outcome)
                if not left:
                    answer = outcome.payload
                    break
                batch = left
                if self._settings["BisectBatchOnFunctionError"] and len(batch) > 1:
                    # Splitting is no attempt: each half has all of its own.
                    half = len(batch) // 2
                    waiting[:0] = [batch[:half], batch[half:]]
                    break
                retries = self._settings["MaximumRetryAttempts"]
                if 0 <= retries < attempts:
                    await self._give_up(batch, EXHAUSTED, attempts, outcome)
                    break
                await self._pause(min(RETRY_SECONDS[0] * 2.0 ** (attempts - 1), RETRY_SECONDS[1]))
        return answer

    async def finish(self, members: dict[str, Any]) -> None:
        """Tells the function that a window is over; that has no records, and is not given up."""
        attempts = 0
        retries = self._settings["MaximumRetryAttempts"]
        while True:
            outcome = await self._call({"Records": [], **members})
            attempts += 1
            if outcome.error is None or 0 <= retries < attempts:
                return
            await self._pause(min(RETRY_SECONDS[0] * 2.0 ** (attempts - 1), RETRY_SECONDS[1]))

    async def _call(self, event: dict[str, Any]) -> Outcome:
        while True:
            if self._stop.is_set():
                raise Interrupted
            outcome = await self._owner.invoker.call(event)
            if outcome is not None:
                return outcome
            await asyncio.sleep(LOOK_SECONDS)

    def _left(self, batch: list[Record], outcome: Outcome) -> list[Record]:
        """What of a batch is to be tried again: all from the first record that failed."""
        if outcome.error is not None:
            return batch
        if "ReportBatchItemFailures" not in self._settings["FunctionResponseTypes"]:
            return []
        known = [record["kinesis"]["sequenceNumber"] for record in batch]
        failed = failed_items(outcome.payload, known)
        if failed is None:
            return batch
        first = next((place for place, one in enumerate(known) if one in failed), len(batch))
        return batch[first:]

    async def _without_old(self, batch: list[Record], attempts: int) -> list[Record]:
        age = self._settings["MaximumRecordAgeInSeconds"]
        if age < 0:
            return batch
        oldest = self._owner.store.now() - age
        times = [record["kinesis"]["approximateArrivalTimestamp"] for record in batch]
        old = [record for record, at in zip(batch, times, strict=True) if at < oldest]
        if old:
            await self._give_up(old, TOO_OLD, max(attempts, 1), None)
        return batch[len(old) :]

    async def _pause(self, seconds: float) -> None:
        """Lets time pass on the engine's clock, unless the mapping is stopped."""
        stream = self._owner.stream
        if stream is not None:
            await pause(stream, self._owner.store.now, seconds, self._stop)
        if stream is None or self._stop.is_set():
            raise Interrupted

    async def _give_up(
        self, batch: list[Record], condition: str, attempts: int, outcome: Outcome | None
    ) -> None:
        """Tells the destination which records were given up; they stay in the stream."""
        arn = self._settings["DestinationConfig"].get("OnFailure", {}).get("Destination")
        if arn is None:
            return
        told = self._letter(batch, condition, attempts, outcome)
        core, run = self._owner.store.core, self._owner.invoker.functions.threads.run
        bucket = bucket_of(arn)

        def tell() -> None:
            if bucket is not None:
                keep_letter(core, bucket, self._owner.uuid, self._shard, told, batch)
            elif (target := target_of(core, arn)) is not None:
                send(core, target, json.dumps(told))

        while True:
            try:
                await in_thread(run, tell)
            except TrunklineError:
                core.check_open()
                await self._pause(RETRY_SECONDS[0])
            else:
                return

    def _letter(
        self, batch: list[Record], condition: str, attempts: int, outcome: Outcome | None
    ) -> dict[str, Any]:
        owner, contents = self._owner, [record["kinesis"] for record in batch]
        told: dict[str, Any] = {
            "requestContext": {
                "requestId": owner.invoker.request_id,
                "functionArn": owner.invoker.arn,
                "condition": condition,
                "approximateInvokeCount": attempts,
            }
        }
        if outcome is not None:
            told["responseContext"] = {
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": outcome.error,
            }
        return told | {
            "version": "1.0",
            "timestamp": iso(owner.store.now()),
            "KinesisBatchInfo": batch_info(self._shard, contents, owner.resource),
        }
