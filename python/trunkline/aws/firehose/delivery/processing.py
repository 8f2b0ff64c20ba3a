"""What is done to records before they are delivered, in the order that Firehose has."""

from __future__ import annotations

import gzip
import json
import zlib

from trunkline._dataclasses import replace
from trunkline.aws.firehose.delivery.items import Failure, Item
from trunkline.aws.firehose.delivery.transformation import Transformation
from trunkline.aws.firehose.processors import processors_of, sub_record_delimiter
from trunkline.aws.firehose.queries import QueryProcess
from trunkline.aws.limits import FIREHOSE_DECOMPRESSED_BYTES_MAX
from trunkline.streams.aggregation import deaggregate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from trunkline.aws.firehose.documents import Document
    from trunkline.aws.invoker import ServiceInvoker

    Step = Callable[[Item], list[Item]]

_KIND = "processing-failed"
_ESCAPES = {"\\n": "\n", "\\r": "\r", "\\t": "\t", "\\0": "\0", "\\\\": "\\"}


def unpacked(items: Sequence[Item]) -> list[Item]:
    """Records of a Kinesis stream as their producers put them: those of the KPL come apart."""
    return [
        Item(record.data, item.source) for item in items for record in deaggregate([item.source])
    ]


class Processing:
    """The processors of one delivery stream."""

    def __init__(self, clients: ServiceInvoker, document: Document, config: dict[str, Any]) -> None:
        found = processors_of(config.get("ProcessingConfiguration"))
        self._before: list[tuple[str, Step]] = []
        self._after: list[tuple[str, Step]] = []
        self._transformation = None
        self._query: QueryProcess | None = None
        if "Decompression" in found:
            self._before.append(("Decompression", _decompressed))
        if found.get("CloudWatchLogProcessing", {}).get("DataMessageExtraction") == "true":
            self._before.append(("CloudWatchLogProcessing", _messages))
        if "RecordDeAggregation" in found:
            self._before.append(("RecordDeAggregation", _parts(found["RecordDeAggregation"])))
        if "Lambda" in found:
            self._transformation = Transformation(clients, document, found["Lambda"])
        if "MetadataExtraction" in found:
            self._query = QueryProcess(found["MetadataExtraction"]["MetadataExtractionQuery"])
            self._after.append(("DynamicPartitioning.MetadataExtraction", _keys(self._query)))
        if "AppendDelimiterToRecord" in found:
            delimiter = _unescaped(found["AppendDelimiterToRecord"].get("Delimiter", "\\n"))
            self._after.append(("AppendDelimiterToRecord", _ended(delimiter)))

    def apply(self, items: list[Item], arn: str, now: float) -> tuple[list[Item], list[Failure]]:
        """The records as they are delivered, and those that failed."""
        failures: list[Failure] = []
        for code, step in self._before:
            items = list(_each(code, step, items, failures, now))
        if self._transformation is not None and items:
            items, failed = self._transformation.apply(items, arn, now)
            failures += failed
        try:
            for code, step in self._after:
                items = list(_each(code, step, items, failures, now))
        finally:
            if self._query is not None:
                self._query.close()
        return items, failures


def _each(
    code: str, step: Step, items: Sequence[Item], failures: list[Failure], now: float
) -> Iterator[Item]:
    for item in items:
        try:
            yield from step(item)
        except ValueError as error:
            failures.append(Failure(_KIND, item, f"{code}Failed", str(error), 1, now))


def _decompressed(item: Item) -> list[Item]:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        data = unpacker.decompress(item.data, FIREHOSE_DECOMPRESSED_BYTES_MAX)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if not unpacker.eof:
        raise ValueError("it is cut off, or larger than a record may be")
    return [replace(item, data=data)]


def _messages(item: Item) -> list[Item]:
    """The messages of a batch of CloudWatch Logs, each of which is a record."""
    try:
        batch = json.loads(item.data)
        if batch["messageType"] != "DATA_MESSAGE":
            return []
        messages = [event["message"].encode() for event in batch["logEvents"]]
    except (KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError("it is no batch of log events") from None
    return [replace(item, data=message + b"\n") for message in messages]


def _parts(given: dict[str, str]) -> Step:
    if given["SubRecordType"] == "JSON":
        return _objects
    delimiter = sub_record_delimiter(given)
    return lambda item: [replace(item, data=part) for part in item.data.split(delimiter) if part]


def _objects(item: Item) -> list[Item]:
    """The JSON objects of a record, which stand one behind the other or in an array."""
    text = item.data.decode()
    decoder, at, found = json.JSONDecoder(), 0, []
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        try:
            value, end = decoder.raw_decode(text, at)
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
        if isinstance(value, list):
            found += [json.dumps(one, separators=(",", ":")).encode() for one in value]
        else:
            found.append(text[at:end].encode())
        at = end
    return [replace(item, data=part) for part in found]


def _keys(query: QueryProcess) -> Step:
    def step(item: Item) -> list[Item]:
        named = {
            f"partitionKeyFromQuery:{name}": text for name, text in query.keys(item.data).items()
        }
        return [replace(item, keys={**item.keys, **named})]

    return step


def _ended(delimiter: bytes) -> Step:
    return lambda item: [replace(item, data=item.data + delimiter)]


def _unescaped(text: str) -> bytes:
    for escape, meant in _ESCAPES.items():
        text = text.replace(escape, meant)
    return text.encode()


def gzipped(data: bytes) -> bytes:
    """Data as an endpoint gets it that wants gzip."""
    return gzip.compress(data, mtime=0)
