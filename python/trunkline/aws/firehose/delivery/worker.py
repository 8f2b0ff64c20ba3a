"""One delivery stream at work: processes what is in a buffer, and delivers it."""

from __future__ import annotations

import asyncio
import logging
import random

from trunkline.aws.arns import read_resource
from trunkline.aws.firehose.delivery.buffering import BufferWorker
from trunkline.aws.firehose.delivery.endpoint import EndpointError, EndpointRequest
from trunkline.aws.firehose.delivery.items import Failure
from trunkline.aws.firehose.delivery.objects import ObjectFormat
from trunkline.aws.firehose.delivery.processing import Processing, unpacked
from trunkline.aws.firehose.destinations import HTTP
from trunkline.aws.firehose.documents import buffer_of, name_of
from trunkline.aws.limits import FIREHOSE_BACKOFF_SECONDS, MIB

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from trunkline._core import Record, Stream
    from trunkline.aws.firehose.delivery.items import Item
    from trunkline.aws.firehose.documents import Document
    from trunkline.aws.invoker import ServiceInvoker
    from trunkline.aws.store import Store

TRIM_BYTES = 8_388_608
"""So much is delivered before what was delivered is removed from the buffer."""

_TOPIC_KEY_CHARS = 36

_log = logging.getLogger("trunkline")


class Worker(BufferWorker):
    """Delivers what is put into one delivery stream, until that is removed."""

    def __init__(self, store: Store, clients: ServiceInvoker, document: Document) -> None:
        self._name = name_of(document)
        name = self._name.name
        super().__init__(
            store, self._name.key, document, f"firehose-{name}", f"delivery stream {name}"
        )
        self._clients = clients
        self._untrimmed = 0

    def _source(self, document: Document) -> Stream | None:
        arn = document["source"].get("arn")
        if arn is None:
            return buffer_of(self._store.core, self._name)
        resource = read_resource(arn)
        assert resource is not None
        return self._store.core.find_stream((resource.account, resource.region, resource.name))

    def _start(self, document: Document) -> str | int:
        start: str | int = document["source"].get("started", "earliest")
        return start

    def _bounds(self, document: Document) -> tuple[int, float]:
        hints = document["destination"]["config"]["BufferingHints"]
        return hints["SizeInMBs"] * MIB, hints["IntervalInSeconds"]

    def _data(self, record: Record) -> bytes:
        # SNS ends each notification with a line feed: its key is the message's id.
        is_notification = len(record.key) == _TOPIC_KEY_CHARS
        return record.data + b"\n" if is_notification else record.data

    async def _delivered(self, source: Stream, document: Document, items: Sequence[Item]) -> None:
        if document["type"] != "DirectPut":
            return
        self._untrimmed += sum(len(item.data) for item in items)
        if self._untrimmed >= TRIM_BYTES:
            self._untrimmed = 0
            await asyncio.to_thread(source.trim, int(items[-1].arrived * 1_000))

    async def _deliver(self, document: Document, items: list[Item]) -> bool:
        """Whether all records of a buffer are where they belong."""
        destination = document["destination"]
        config = destination["config"]
        if document["type"] != "DirectPut":
            items = unpacked(items)
        is_http = destination["kind"] == HTTP
        backup = config["S3Configuration"] if is_http else config.get("S3BackupConfiguration")
        if config["S3BackupMode"] in ("AllData", "Enabled"):
            whole = ObjectFormat(document, {**backup})
            made, _ = await asyncio.to_thread(whole.objects, items, self._store.now())
            if not await self._write(made):
                return False
        processing = Processing(self._clients, document, config)
        arn, now = self._name.arn, self._store.now()
        done, failures = await asyncio.to_thread(processing.apply, items, arn, now)
        format = ObjectFormat(document, {**backup} if is_http else config)
        made = []
        if is_http:
            given_up = await self._post(document, done)
            if given_up is None:
                return False
            failures += given_up
        else:
            made, failed = await asyncio.to_thread(format.objects, done, now)
            failures += failed
        made += await asyncio.to_thread(format.failed, failures)
        return await self._write(made)

    async def _post(self, document: Document, items: Sequence[Item]) -> list[Failure] | None:
        """Sends records to an endpoint, for as long as it says; tells what it did not take. None
        if the worker was stopped before."""
        if not items:
            return []
        config, begun = document["destination"]["config"], self._store.now()
        until = begun + config["RetryOptions"]["DurationInSeconds"]
        request = EndpointRequest(config, self._name.arn, items, begun)
        pause, most = FIREHOSE_BACKOFF_SECONDS
        attempts = 0
        while True:
            attempts += 1
            try:
                await asyncio.to_thread(request.send, self._store.core)
                return []
            except EndpointError as error:
                _log.warning("delivery stream %s: %s", self._name.name, error.message)
                now = self._store.now()
                if error.is_final or now >= until:
                    kind, code = "http-endpoint-failed", error.code
                    return [
                        Failure(kind, item, code, error.message, attempts, now) for item in items
                    ]
            if not await self._wait(document, min(pause * random.uniform(1.0, 1.15), until - now)):
                return None
            pause = min(2 * pause, most)
