"""An SQS queue as the source of a pipe: long polls, and deletes what the target has."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from trunkline.aws.aio_answer import answer
from trunkline.aws.calls import Failed, Request, send
from trunkline.aws.defaults import BASE
from trunkline.aws.limits import (
    PIPE_ENTRIES_MAX,
    PIPE_EXECUTION_SECONDS,
    PIPE_RECEIVE_MAX,
    PIPE_WAIT_SECONDS,
)
from trunkline.errors import TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline.aws.arns import Resource
    from trunkline.aws.invoker import ServiceInvoker

    Record = dict[str, Any]

EXTENSIONS = 3
"""How often the visibility timeout of a batch is extended within one of them."""

VISIBILITY_SECONDS = 30
"""How long a message is invisible in a queue whose visibility timeout is 0."""


_EXTENDER = ThreadPoolExecutor(1, "trunkline-pipes-extend")
"""Extends visibility timeouts, also when all threads wait for targets. It starts when needed."""


class SqsSource:
    """The messages of one queue, as records. Those that are not deleted come again when their
    visibility timeout ends, so the redrive policy of the queue holds."""

    def __init__(
        self, core: CoreEngine, invoker: ServiceInvoker, queue: Resource, parameters: dict[str, Any]
    ) -> None:
        self._core = core
        self._invoker = invoker
        self._queue = queue
        self._size = parameters["BatchSize"]
        self._window = parameters["MaximumBatchingWindowInSeconds"]
        self._url = f"{BASE}/queue/{queue.region}/{queue.account}/{queue.name}"
        self.is_ordered: bool = queue.name.endswith(".fifo")
        self._done: set[str] = set()

    def open(self) -> None:
        """Raises Failed if there is no such queue."""
        name = (self._queue.account, self._queue.region, self._queue.name)
        if self._core.find_queue(name) is None:
            text = f"SQS queue {self._queue.name} does not exist."
            raise Failed("NotFoundException", text, is_final=True)

    async def gather(self) -> list[Record]:
        """The messages of one batch; none if no message came for a while.

        Cancelled, it holds no message.
        """
        found = await self._receive(self._size, PIPE_WAIT_SECONDS)
        if not found or not self._window:
            return found
        until = self._core.now() + self._window
        try:
            while len(found) < self._size and (left := until - self._core.now()) > 0:
                wait = min(math.ceil(left), PIPE_WAIT_SECONDS)
                found += await self._receive(self._size - len(found), wait)
        except asyncio.CancelledError:
            self.release(found)
            raise
        return found

    async def _receive(self, most: int, wait: int) -> list[Record]:
        given = {
            "QueueUrl": self._url,
            "MaxNumberOfMessages": min(most, PIPE_RECEIVE_MAX),
            "WaitTimeSeconds": wait,
            "MessageSystemAttributeNames": ["All"],
            "MessageAttributeNames": ["All"],
        }
        visibility = self._visibility()
        if self._window or not visibility:
            # A message that waits for others shall not become visible meanwhile, and one that
            # failed shall not come again at once.
            given["VisibilityTimeout"] = (visibility or VISIBILITY_SECONDS) + self._window
        # The dispatcher of calls in the engine reads who calls, and proves nothing.
        credential = f"{self._queue.account}/20230101/{self._queue.region}/sqs/aws4_request"
        headers = [
            ("host", "trunkline.local"),
            ("content-type", "application/x-amz-json-1.0"),
            ("x-amz-target", "AmazonSQS.ReceiveMessage"),
            ("x-amz-date", "20230101T000000Z"),
            (
                "authorization",
                f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0",
            ),
        ]
        request = ("POST", "/", headers, json.dumps(given).encode(), BASE)
        status, _, content = await answer(self._invoker.dispatcher, request)
        told = json.loads(content or b"{}")
        if status != 200:
            code = str(told.get("__type", "InternalFailure")).rpartition("#")[2]
            message = told.get("message", told.get("Message", ""))
            is_final = status < 500 and "Throttl" not in code
            raise Failed(code, message, is_final=is_final)
        return [self._record(message) for message in told.get("Messages", ())]

    def _visibility(self) -> int:
        name = (self._queue.account, self._queue.region, self._queue.name)
        queue = self._core.find_queue(name)
        return 0 if queue is None else queue.settings.visibility_timeout // 1_000

    def _record(self, message: dict[str, Any]) -> Record:
        given = message.get("MessageAttributes", {})
        digest = message.get("MD5OfMessageAttributes")
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": {name: _attribute(value) for name, value in given.items()},
            "md5OfBody": message["MD5OfBody"],
            **({"md5OfMessageAttributes": digest} if digest else {}),
            "eventSource": "aws:sqs",
            "eventSourceARN": self._queue.arn,
            "awsRegion": self._queue.region,
        }

    async def handle(
        self,
        batch: list[Record],
        wanted: Callable[[Record], bool],
        send: Callable[[list[Record]], dict[int, str]],
        stop: asyncio.Event,
    ) -> None:
        """Sends a batch; deletes what no filter wants, and what the target has.

        A batch that takes long stays invisible: its messages must not be received twice.
        """
        work = asyncio.ensure_future(asyncio.to_thread(self._handle, batch, wanted, send))
        seconds = (self._visibility() or VISIBILITY_SECONDS) + self._window
        end = time.monotonic() + PIPE_EXECUTION_SECONDS
        while time.monotonic() < end:
            done, _ = await asyncio.wait({work}, timeout=seconds / EXTENSIONS)
            if done:
                break
            with contextlib.suppress(Failed, TrunklineError):
                extend = partial(self._extend, batch, seconds)
                await asyncio.get_running_loop().run_in_executor(_EXTENDER, extend)
        await work

    def _extend(self, batch: list[Record], seconds: int) -> None:
        """Keeps messages invisible that are not done."""
        left = [record for record in batch if record["messageId"] not in self._done]
        self._in_batches("ChangeMessageVisibilityBatch", left, VisibilityTimeout=seconds)

    def _handle(
        self,
        batch: list[Record],
        wanted: Callable[[Record], bool],
        send: Callable[[list[Record]], dict[int, str]],
    ) -> None:
        self._done.clear()
        kept = [record for record in batch if wanted(record)]
        kept_ids = {record["messageId"] for record in kept}
        self._finish([record for record in batch if record["messageId"] not in kept_ids])
        if self.is_ordered:
            self._in_order(kept, send)
        elif kept:
            failures = send(kept)
            self._finish([record for place, record in enumerate(kept) if place not in failures])

    def _in_order(
        self, records: list[Record], send: Callable[[list[Record]], dict[int, str]]
    ) -> None:
        """Nothing passes a message of its group that failed."""
        blocked: set[str] = set()
        for record in records:
            group = record["attributes"].get("MessageGroupId", "")
            if group in blocked:
                continue
            if send([record]):
                blocked.add(group)
            else:
                self._finish([record])

    def _finish(self, records: Sequence[Record]) -> None:
        """Deletes messages of the batch at hand, and extends them no more."""
        # Noted first: a message that is extended meanwhile is only kept away for longer.
        self._done.update(record["messageId"] for record in records)
        self.done(records)

    def forget(self) -> None:
        """A queue keeps nothing of a pipe."""

    def close(self) -> None:
        """Nothing is held open."""

    def done(self, records: Sequence[Record]) -> None:
        """Deletes messages: the target has them, or no filter wants them."""
        self._in_batches("DeleteMessageBatch", records)

    def release(self, records: Sequence[Record]) -> None:
        """Makes messages visible again at once."""
        self._in_batches("ChangeMessageVisibilityBatch", records, VisibilityTimeout=0)

    def _in_batches(self, operation: str, records: Sequence[Record], **more: int) -> None:
        for start in range(0, len(records), PIPE_ENTRIES_MAX):
            entries = [
                {"Id": str(number), "ReceiptHandle": record["receiptHandle"], **more}
                for number, record in enumerate(records[start : start + PIPE_ENTRIES_MAX])
            ]
            params = {"QueueUrl": self._url, "Entries": entries}
            request = Request("sqs", operation, self._queue.region, params)
            send(self._invoker, request, self._queue.account)


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    names = {"StringValue": "stringValue", "BinaryValue": "binaryValue", "DataType": "dataType"}
    told = {names[name]: part for name, part in value.items() if name in names}
    return {"stringListValues": [], "binaryListValues": [], **told}
