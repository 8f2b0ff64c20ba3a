"""One application at work: a query for each pump, made anew after an error."""

from __future__ import annotations

from contextlib import suppress

from trunkline._core import Buckets
from trunkline.analytics.continuous import PREFIX as STATES
from trunkline.aws.arns import read_resource
from trunkline.aws.kinesisanalyticsv2.configuration import compiled
from trunkline.aws.kinesisanalyticsv2.documents import inner_stream
from trunkline.aws.kinesisanalyticsv2.running.pump import query_of
from trunkline.aws.kinesisanalyticsv2.running.sinks import (
    Sinks,
    Undelivered,
    formatted,
    to_delivery_stream,
    to_stream,
)
from trunkline.aws.kinesisanalyticsv2.sql import schema
from trunkline.aws.kinesisanalyticsv2.sql.plan import connect
from trunkline.aws.store import Store
from trunkline.buckets.content import ObjectReader
from trunkline.errors import TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline._core import Stream as CoreStream
    from trunkline._types import StreamStart
    from trunkline.analytics.continuous import Query
    from trunkline.aws.invoker import ServiceInvoker
    from trunkline.aws.kinesisanalyticsv2.documents import Document
    from trunkline.aws.kinesisanalyticsv2.sql.plan import Step


class Application:
    """What a running application does. One thread at a time uses it."""

    def __init__(
        self, core: CoreEngine, clients: ServiceInvoker | None, document: Document
    ) -> None:
        self.name: str = document["name"]
        self._core = core
        self._clients = clients
        self._document = document
        self._queries: list[Query] = []

    def process(self) -> None:
        """Works off the records that are there, pump by pump, those that others feed last."""
        if not self._queries:
            self._open()
        for query in self._queries:
            query.process()

    def close(self) -> None:
        """Leaves the streams to the next run."""
        queries, self._queries = self._queries, []
        for query in queries:
            with suppress(TrunklineError):
                query.stop()

    def forget(self) -> None:
        """Forgets how far pumps read, where the application is told to begin elsewhere."""
        positions = set(self._document["positions"].values())
        if positions == {"LAST_STOPPED_POINT"}:
            return
        self.remove()

    def remove(self) -> None:
        """Removes all that the application keeps besides its document."""
        store = Store(self._core)
        code, steps = compiled(self._document)
        for step in steps:
            store.put(f"{STATES}{self._query_name(step)}", None)
            source = self._stream_of(step.source)
            if source is not None:
                with suppress(TrunklineError):
                    source.remove_reader(f"analytics-{self._query_name(step)}")
        for name in code.streams:
            stream = self._core.find_stream(inner_stream(self._document, name))
            if stream is not None:
                stream.remove()
        store.flush()

    # --- opening ---------------------------------------------------------------------------------

    def _query_name(self, step: Step) -> str:
        return f"{self._document['number']}.{step.name}"[:100]

    def _stream_of(self, name: str) -> CoreStream | None:
        """The stream of the engine behind an input or an in-application stream."""
        for one in self._document["inputs"]:
            if name == f"{one['NamePrefix']}_001":
                found = read_resource(one["KinesisStreamsInput"]["ResourceARN"])
                assert found is not None, "the input was checked"
                return self._core.find_stream((found.account, found.region, found.name))
        return self._core.find_stream(inner_stream(self._document, name))

    def _start(self) -> StreamStart:
        positions = set(self._document["positions"].values())
        return "latest" if positions == {"NOW"} else "earliest"

    def _open(self) -> None:
        code, steps = compiled(self._document)
        sources = {step.source for step in steps}
        for name in code.streams:
            if name in sources and self._stream_of(name) is None:
                span = Store(self._core).limit("stream_retention_min")
                self._core.create_stream(inner_stream(self._document, name), 1, span)
        tables = self._tables()
        for step in _in_order(steps):
            source = self._stream_of(step.source)
            if source is None:
                raise Undelivered(f"the stream behind {step.source} is not there")
            is_inner = step.source in code.streams
            self._queries.append(
                query_of(
                    self._core,
                    self._query_name(step),
                    step,
                    source=source,
                    sinks=self._sinks(step.target, sources),
                    tables=tables,
                    start="earliest" if is_inner else self._start(),
                )
            )

    def _sinks(self, target: str, sources: set[str]) -> Sinks:
        """Where the rows of an in-application stream go."""
        sends: list[Callable[[Sequence[str]], None]] = []
        for output in self._document["outputs"]:
            if output["Name"] != target:
                continue
            format = output["DestinationSchema"]["RecordFormatType"]
            if "KinesisStreamsOutput" in output:
                found = read_resource(output["KinesisStreamsOutput"]["ResourceARN"])
                assert found is not None, "the output was checked"
                send = to_stream(self._core, (found.account, found.region, found.name))
            else:
                assert self._clients is not None, "an application that runs has clients"
                arn = output["KinesisFirehoseOutput"]["ResourceARN"]
                send = to_delivery_stream(self._clients, arn)
            sends.append(formatted(send, format))
        if target in sources:
            sends.append(to_stream(self._core, inner_stream(self._document, target)))
        return Sinks(sends)

    def _tables(self) -> dict[str, Any]:
        """Reference data, as it is in its bucket now."""
        import pyarrow

        found = {}
        for one in self._document["references"]:
            where = one["S3ReferenceDataSource"]
            bucket = Buckets(self._core).find(where["BucketARN"].rpartition(":")[2])
            if bucket is None or bucket.account != self._document["account"]:
                raise Undelivered(f"the bucket {where['BucketARN']} is not there")
            stored = ObjectReader(*bucket.get(where["FileKey"], None, None, None)).bytes()
            given = one["ReferenceSchema"]
            lines = [stored.decode("utf-8", "replace")]
            if given["RecordFormat"]["RecordFormatType"] == "JSON":
                lines = [line for line in lines[0].splitlines() if line.strip()]
            empty = [""] * len(lines)
            names = ("sequence", "key", "shard")
            raw: Any = dict.fromkeys(names, empty)
            raw["arrived"] = pyarrow.nulls(len(lines), pyarrow.timestamp("us"))
            raw["data"] = lines
            with connect() as connection:
                connection.register("records", pyarrow.table(raw))
                rows = schema.raw_select(given, "records")
                select = schema.select(given, f"({rows})", pseudo=False)
                found[one["TableName"]] = connection.sql(select).to_arrow_table()
        return found


def _in_order(steps: list[Step]) -> list[Step]:
    """The pumps, each behind those that feed its source; no stream feeds itself."""
    found: list[Step] = []
    left = list(steps)
    while left:
        fed = {step.target for step in left}
        ready = [step for step in left if step.source not in fed]
        found += ready
        left = [step for step in left if step.source in fed]
    return found
