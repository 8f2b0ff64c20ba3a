"""One channel at work: gathers what comes to its stream, and writes an object when it is due."""

from __future__ import annotations

import asyncio

from trunkline._per_engine import PerEngine
from trunkline.aws.calls import Failed, Request, send
from trunkline.aws.firehose.delivery.buffering import LEASE_MS, BufferWorker
from trunkline.aws.firehose.delivery.runner import Runner
from trunkline.aws.kinesis import channel_store
from trunkline.aws.kinesis.channel_objects import objects
from trunkline.aws.kinesis.channel_store import name_of, stream_of
from trunkline.aws.limits import CHANNEL_OBJECT_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from trunkline._core import Record, Stream
    from trunkline.aws.firehose.delivery.items import Item
    from trunkline.aws.invoker import ServiceInvoker
    from trunkline.aws.kinesis.channel_store import Document
    from trunkline.aws.store import Store

__all__ = ["LEASE_MS", "ChannelWorker", "resume", "runner_of"]


class ChannelWorker(BufferWorker):
    """Delivers what comes to the stream of one channel, until the channel is removed."""

    def __init__(self, store: Store, clients: ServiceInvoker, document: Document) -> None:
        self._name = name_of(document)
        label = f"channel {self._name.name}"
        super().__init__(store, self._name.key, document, self._name.reader, label)
        self._clients = clients

    def _source(self, document: Document) -> Stream | None:
        return self._store.core.find_stream(stream_of(document))

    def _start(self, document: Document) -> str | int:
        # It was given its position when the channel was created.
        return int(document["created"] * 1_000)

    def _bounds(self, document: Document) -> tuple[int, float]:
        return CHANNEL_OBJECT_BYTES, document["destination"]["DataFreshnessInSeconds"]

    def _data(self, record: Record) -> bytes:
        return record.data

    async def _deliver(self, document: Document, items: list[Item]) -> bool:
        made = await asyncio.to_thread(objects, document, items, self._store.now())
        return await self._write(made)

    async def _delivered(self, source: Stream, document: Document, items: Sequence[Item]) -> None:
        """The stream keeps its records."""

    async def _not_written(self, why: str) -> None:
        document = self._document()
        if document is not None and document["log"]["Enabled"]:
            await asyncio.to_thread(self._log, document["log"], why)

    def _log(self, log: dict[str, str], why: str) -> None:
        """Tells the log group of the channel, which is created when it is not there."""
        where = {"logGroupName": log["LogGroupName"]}
        stream = {**where, "logStreamName": log["LogStreamName"]}
        event = {"timestamp": int(self._store.now() * 1_000), "message": why}
        for operation, params in (
            ("CreateLogGroup", where),
            ("CreateLogStream", stream),
            ("PutLogEvents", {**stream, "logEvents": [event]}),
        ):
            request = Request("logs", operation, self._name.region, params)
            try:
                send(self._clients, request, self._name.account)
            except Failed as failed:
                if failed.code != "ResourceAlreadyExistsException":
                    return


def runner_of(store: Store) -> Runner:
    """The one runner of an engine, whichever dispatcher asks."""
    return _RUNNERS.of(store.core)


def resume(store: Store) -> None:
    """Goes on with what waits from an earlier opening."""
    for document in list(channel_store.all_of(store)):
        if "gone" not in document and "failed" not in document:
            runner_of(store).start(document)


_RUNNERS = PerEngine(lambda core: Runner(core, ChannelWorker), Runner.close)
