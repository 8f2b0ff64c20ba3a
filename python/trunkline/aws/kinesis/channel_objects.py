"""The objects of a channel: what they are called, and what is in them."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from importlib.util import find_spec
from uuid import uuid4

from trunkline.aws.errors import ServiceError
from trunkline.aws.firehose.delivery.items import Failure
from trunkline.aws.firehose.delivery.objects import PreparedObject
from trunkline.aws.firehose.places import read_place
from trunkline.aws.firehose.prefixes import Moment, Prefix
from trunkline.aws.kinesis.errors import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from trunkline.aws.firehose.delivery.items import Item
    from trunkline.aws.kinesis.channel_store import Document

TEMPLATE = "!{timestamp:yyyy/MM/dd/HH/}"
"""The template of a channel that has none; the name of the channel comes before it."""

_EXTENSIONS = {"NONE": "", "GZIP": ".gz", "ZSTD": ".zst"}
_SUFFIX = "%Y-%m-%d-%H-%M-%S"


def check_template(storage: Mapping[str, str]) -> None:
    """Raises for a template or a compression that there is not."""
    try:
        names = Prefix(storage.get("OutputKeyTemplate", TEMPLATE)).names
    except ServiceError as error:
        raise invalid(error.message) from None
    if any(name[0] != "timestamp" and name != ("firehose", "random-string") for name in names):
        raise invalid("OutputKeyTemplate may have !{timestamp:...} and !{firehose:random-string}.")
    if storage["CompressionType"] == "ZSTD" and find_spec("cramjam") is None:
        raise invalid("ZSTD needs cramjam: pip install 'trunkline[firehose]'.")


def objects(document: Document, items: Sequence[Item], now: float) -> list[PreparedObject]:
    """The object of a buffer, and that of the records in it which are not of the channel's
    format."""
    check = _FORMATS[document["records"]["RecordFormatType"]]
    parts: list[bytes] = []
    failures: list[Failure] = []
    for item in items:
        try:
            parts.append(check(item.data))
        except (ValueError, RecursionError) as error:
            kind, code = "format-error", "InvalidRecordFormat"
            failures.append(Failure(kind, item, code, str(error), 1, now))
    at = datetime.fromtimestamp(min(item.arrived for item in items), UTC)
    storage = document["destination"]["StorageConfiguration"]
    found = []
    if parts:
        template = storage.get("OutputKeyTemplate", f"{document['name']}/{TEMPLATE}")
        key = Prefix(template).evaluate(Moment(at, {})) + _name(document, at)
        found.append(_object(storage, key, b"".join(parts)))
    if failures:
        letters = document["destination"]["DeadLetterQueueS3Configuration"]
        place = {**storage, "BucketARN": letters["BucketARN"]}
        key = letters["ErrorOutputPrefix"] + _name(document, at)
        found.append(_object(place, key, b"".join(one.line() for one in failures)))
    return found


def _name(document: Document, at: datetime) -> str:
    return f"{document['name']}-{at:{_SUFFIX}}-{uuid4()}"


def _object(storage: Mapping[str, str], key: str, data: bytes) -> PreparedObject:
    place = read_place(storage["BucketARN"])
    assert place is not None
    compression = storage["CompressionType"]
    return PreparedObject(place, key + _EXTENSIONS[compression], _compress(data, compression))


def _compress(data: bytes, compression: str) -> bytes:
    if compression == "GZIP":
        return gzip.compress(data, mtime=0)
    if compression == "ZSTD":
        from cramjam import zstd

        return bytes(zstd.compress(data))
    return data


def _json(data: bytes) -> bytes:
    """A record of JSON is a line, whatever line ends are in it.

    >>> _json(b'{"a":\\n1}')
    b'{"a":1}\\n'
    """
    value = json.loads(data)
    if b"\n" not in data.strip():
        return data.strip() + b"\n"
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def _string(data: bytes) -> bytes:
    """A record of text is a line."""
    data.decode()
    return data if data.endswith(b"\n") else data + b"\n"


_FORMATS: Mapping[str, Callable[[bytes], bytes]] = {
    "JSON": _json,
    "STRING": _string,
    # One behind the other, unchanged.
    "BYTE_ARRAY": bytes,
}
