"""A stream as the source of a pipe: a reader of its own, which commits what the target has."""

from __future__ import annotations

import asyncio
import json
import zlib

from trunkline.aio.streams.waiting import records as read
from trunkline.aws.calls import Failed, Request, send
from trunkline.aws.defaults import BASE
from trunkline.aws.limits import PIPE_WAIT_SECONDS
from trunkline.aws.pipes.resources import known
from trunkline.aws.stream_records import (
    EXHAUSTED,
    TOO_OLD,
    batch_info,
    content_of,
    envelope_of,
    pause,
)
from trunkline.functions.results import iso

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline._core import Member, RecordBatch, Stream
    from trunkline._core import Record as StreamRecord
    from trunkline.aws.arns import Resource
    from trunkline.aws.invoker import ServiceInvoker
    from trunkline.aws.pipes.documents import PipeName

    Record = dict[str, Any]

LEASE_MS = 600_000
"""How long the shards are held by a worker that neither fetches nor commits."""

RETRY_SECONDS_MAX = 60.0
"""The longest time between two attempts."""

_STARTS = {"TRIM_HORIZON": "earliest", "LATEST": "latest"}


class StreamSource:
    """The records of one stream. Those that are not committed are read again after a restart."""

    is_ordered = False

    def __init__(
        self,
        core: CoreEngine,
        invoker: ServiceInvoker,
        owner: tuple[PipeName, str],
        stream: Resource,
        parameters: dict[str, Any],
    ) -> None:
        self._core = core
        self._invoker = invoker
        self._pipe, self._role = owner
        self._name = stream
        self._parameters = parameters
        self._reader = f"pipe-{self._pipe.name}"
        self._member: Member | None = None
        self._batch: RecordBatch | None = None

    def _stream(self) -> Stream:
        name = self._name
        stream = self._core.find_stream((name.account, name.region, name.name))
        if stream is None:
            text = f"Kinesis stream {name.name} does not exist."
            raise Failed("NotFoundException", text, is_final=True)
        return stream

    def open(self) -> None:
        """Joins the reader of the pipe, which begins where the pipe says when it is made."""
        position = self._parameters["StartingPosition"]
        start: str | int
        if position in _STARTS:
            start = _STARTS[position]
        else:
            start = int(self._parameters.get("StartingPositionTimestamp", 0) * 1_000)
        self._member = self._stream().reader(self._reader, start, LEASE_MS)

    def close(self) -> None:
        """Leaves the reader; what was not committed is read again."""
        if self._member is not None:
            self._member.leave()

    def forget(self) -> None:
        """Removes the reader with its positions."""
        self._stream().remove_reader(self._reader)

    async def gather(self) -> list[Record]:
        """The records of one batch; none if no record came for a while."""
        member = self._member
        if member is None:
            return []
        size, window = (
            self._parameters["BatchSize"],
            self._parameters["MaximumBatchingWindowInSeconds"],
        )
        self._batch = batch = await read(member.begin_fetch, size, PIPE_WAIT_SECONDS * 1_000)
        found = [self._record(record) for record in batch]
        until = self._core.now() + window
        while found and len(found) < size and (left := until - self._core.now()) > 0:
            batch = await read(member.begin_fetch, size - len(found), max(1, int(left * 1_000)))
            if not batch:
                break
            # A commit of the last batch commits those before it.
            self._batch = batch
            found += [self._record(record) for record in batch]
        return found

    def _record(self, record: StreamRecord) -> Record:
        return {**envelope_of(record, self._name, self._role), **content_of(record)}

    def release(self, records: Sequence[Record]) -> None:
        """They are read again, because they are not committed."""

    async def handle(
        self,
        batch: list[Record],
        wanted: Callable[[Record], bool],
        send: Callable[[list[Record]], dict[int, str]],
        stop: asyncio.Event,
    ) -> None:
        """Sends a batch until the target has it all, or the pipe gives up; then commits it.

        Shards go side by side, and within a shard as many parts as the pipe says. Records of one
        partition key are in one part, so they keep their order.
        """
        parts = self._parts([record for record in batch if wanted(record)])
        ends = await asyncio.gather(*(self._send_part(part, send, stop) for part in parts))
        if not all(ends):
            # The pipe was stopped: what the target has is read again with the rest.
            return
        if self._member is not None and self._batch is not None:
            pending = self._member.begin_commit(self._batch)
            if pending is not None:
                await pending

    def _parts(self, records: Sequence[Record]) -> list[list[Record]]:
        factor = self._parameters.get("ParallelizationFactor", 1)
        parts: dict[tuple[str, int], list[Record]] = {}
        for record in records:
            shard = record["eventID"].partition(":")[0]
            part = zlib.crc32(record["partitionKey"].encode()) % factor
            parts.setdefault((shard, part), []).append(record)
        return list(parts.values())

    async def _send_part(
        self,
        records: list[Record],
        send: Callable[[list[Record]], dict[int, str]],
        stop: asyncio.Event,
    ) -> bool:
        """Sends records until the target has them, or they are given up; False if the pipe was
        stopped before. A batch that fails as a whole is halved, if the pipe says so, until what
        fails is alone."""
        halves = self._parameters.get("OnPartialBatchItemFailure") == "AUTOMATIC_BISECT"
        waiting = [records]
        while waiting:
            left, attempts = waiting.pop(), 0
            while left:
                failures = await asyncio.to_thread(send, left)
                if halves and len(left) > 1 and len(failures) == len(left):
                    middle = len(left) // 2
                    waiting += [left[middle:], left[:middle]]
                    break
                left = [record for place, record in enumerate(left) if place in failures]
                attempts += 1
                condition = self._exhausted(left, attempts)
                if condition is not None:
                    await asyncio.to_thread(self._dead_letter, left, condition, attempts)
                    break
                if left:
                    await self._pause(min(2.0 ** (attempts - 1), RETRY_SECONDS_MAX), stop)
                    if stop.is_set():
                        return False
        return True

    async def _pause(self, seconds: float, stop: asyncio.Event) -> None:
        """Lets time pass on the engine's clock, unless the pipe is stopped."""
        await pause(self._stream(), self._core.now, seconds, stop)

    def _exhausted(self, left: Sequence[Record], attempts: int) -> str | None:
        """Why records are given up; None while they are tried again."""
        if not left:
            return None
        retries = self._parameters.get("MaximumRetryAttempts", -1)
        if retries >= 0 and attempts > retries:
            return EXHAUSTED
        age = self._parameters.get("MaximumRecordAgeInSeconds", -1)
        oldest = min(record["approximateArrivalTimestamp"] for record in left)
        return TOO_OLD if 0 <= age <= self._core.now() - oldest else None

    def _dead_letter(self, left: Sequence[Record], condition: str, attempts: int) -> None:
        """Tells a queue or a topic which records were given up; they stay in the stream."""
        arn = self._parameters.get("DeadLetterConfig", {}).get("Arn")
        if arn is None:
            return
        shard = left[0]["eventID"].partition(":")[0]
        told = {
            "context": {
                "partnerResourceArn": self._pipe.arn,
                "condition": condition,
                "approximateInvokeCount": attempts,
            },
            "version": "1.0",
            "timestamp": iso(self._core.now()),
            "KinesisBatchInfo": batch_info(shard, list(left), self._name),
        }
        send(self._invoker, _letter(known(arn), json.dumps(told)), self._pipe.account)


def _letter(target: Resource, text: str) -> Request:
    if target.service == "sns":
        params = {"TopicArn": target.arn, "Message": text}
        return Request("sns", "Publish", target.region, params)
    url = f"{BASE}/queue/{target.region}/{target.account}/{target.name}"
    params = {"QueueUrl": url, "MessageBody": text}
    return Request("sqs", "SendMessage", target.region, params)
