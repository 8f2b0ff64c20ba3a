"""Objects: what they are called, what is in them, and how they come into a bucket or a folder."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime
from uuid import uuid4

from trunkline._core import Buckets
from trunkline._dataclasses import dataclass, field
from trunkline.aws.firehose import prefixes
from trunkline.aws.firehose.delivery.compression import EXTENSIONS, compress
from trunkline.aws.firehose.delivery.items import Failure, groups
from trunkline.aws.firehose.delivery.rows import Converter
from trunkline.aws.firehose.destinations import is_on
from trunkline.aws.firehose.places import Place, is_allowed, read_place
from trunkline.aws.limits import FIREHOSE_PREFIX_CHARS_MAX, MIB
from trunkline.buckets.content import write
from trunkline.errors import TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from trunkline._core import Engine as CoreEngine
    from trunkline.aws.firehose.delivery.items import Item
    from trunkline.aws.firehose.documents import Document

_SUFFIX = "%Y-%m-%d-%H-%M-%S"
_PROCESSING = "processing-failed"
_CONTENT_TYPE = ("content-type", "application/octet-stream")


class NotWritten(Exception):
    """An object could not be written now; it is tried again."""


@dataclass(slots=True)
class PreparedObject:
    """An object that is to be written."""

    place: Place
    key: str
    data: bytes


@dataclass(slots=True)
class ObjectFormat:
    """How the objects of one destination in S3 look."""

    document: Document
    config: dict[str, Any]
    _prefix: prefixes.Prefix = field(init=False)
    _errors: prefixes.Prefix = field(init=False)
    _converter: Converter | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        text, errors = self.config.get("Prefix", ""), self.config.get("ErrorOutputPrefix")
        self._prefix = prefixes.compiled(text)
        self._errors = prefixes.compiled_errors(text, errors)
        if is_on(self.config, "DataFormatConversionConfiguration"):
            self._converter = Converter(self.config["DataFormatConversionConfiguration"])

    @property
    def size(self) -> int:
        """The bytes after which an object is written."""
        return int(self.config["BufferingHints"]["SizeInMBs"] * MIB)

    def objects(
        self, items: Sequence[Item], now: float
    ) -> tuple[list[PreparedObject], list[Failure]]:
        """The objects of records: one for each partition, more if they hold too much."""
        parted: dict[tuple[tuple[str, str], ...], list[Item]] = {}
        failures: list[Failure] = []
        wanted = [
            f"{namespace}:{value}"
            for namespace, value in self._prefix.names
            if namespace.startswith("partitionKey")
        ]
        for item in items:
            lacking = next((key for key in wanted if key not in item.keys), None)
            if lacking is not None:
                code = "DynamicPartitioning.MissingPartitionKey"
                message = f"The record has no partition key {lacking}."
                failures.append(Failure(_PROCESSING, item, code, message, 1, now))
                continue
            parted.setdefault(tuple((key, item.keys[key]) for key in wanted), []).append(item)
        found: list[PreparedObject] = []
        for keys, part in parted.items():
            for group in groups(part, self.size):
                made, failed = self._object(group, dict(keys), now)
                failures += failed
                if made is not None:
                    found.append(made)
        return found, failures

    def _object(
        self, items: Sequence[Item], keys: dict[str, str], now: float
    ) -> tuple[PreparedObject | None, list[Failure]]:
        at = self._moment(min(item.arrived for item in items))
        prefix = self._prefix.evaluate(prefixes.Moment(at, keys))
        if not self._is_usable(prefix, has_values=bool(keys)):
            code, why = "DynamicPartitioning.InvalidPrefix", "The evaluated prefix is no key."
            return None, [Failure(_PROCESSING, item, code, why, 1, now) for item in items]
        if self._converter is None:
            whole = b"".join(item.data for item in items)
            return self._named(prefix, at, whole), []
        rows: list[dict[str, Any]] = []
        failures = []
        for item in items:
            try:
                rows += self._converter.rows(item.data)
            except ValueError as error:
                failures.append(self._not_converted(item, str(error), now))
        if not rows:
            return None, failures
        whole = self._converter.file(rows)
        return self._named(prefix, at, whole, self._converter.extension), failures

    def _not_converted(self, item: Item, why: str, now: float) -> Failure:
        given = self.config["DataFormatConversionConfiguration"]["SchemaConfiguration"]
        table = {
            name: given.get(name[0].upper() + name[1:])
            for name in ("catalogId", "databaseName", "tableName", "region", "versionId")
        }
        details: dict[str, object] = {
            "sequenceNumber": item.source.sequence,
            "subSequenceNumber": None,
            "dataCatalogTable": table,
        }
        code = "DataFormatConversion.ParseError"
        return Failure("format-conversion-failed", item, code, why, 1, now, details)

    def failed(self, failures: Sequence[Failure]) -> list[PreparedObject]:
        """The objects that tell of failures: one for each kind."""
        by_kind: dict[str, list[Failure]] = {}
        for failure in failures:
            by_kind.setdefault(failure.kind, []).append(failure)
        found = []
        for kind, some in by_kind.items():
            at = self._moment(min(failure.item.arrived for failure in some))
            prefix = self._errors.evaluate(prefixes.Moment(at, {}, kind))
            whole = b"".join(failure.line() for failure in some)
            found.append(self._named(prefix, at, whole, is_error=True))
        return found

    def _is_usable(self, prefix: str, *, has_values: bool) -> bool:
        """Whether a prefix, perhaps with values from records, can begin a key, or be a path."""
        if has_values and not (
            len(prefix) <= FIREHOSE_PREFIX_CHARS_MAX and prefixes.is_key(prefix)
        ):
            return False
        place = read_place(self.config["BucketARN"])
        return place is None or place.folder is None or prefixes.is_path(prefix)

    def _moment(self, seconds: float) -> datetime:
        zone = prefixes.zone_of(self.config.get("CustomTimeZone", ""))
        return datetime.fromtimestamp(seconds, UTC).astimezone(zone)

    def _named(
        self,
        prefix: str,
        at: datetime,
        data: bytes,
        extension: str = "",
        *,
        is_error: bool = False,
    ) -> PreparedObject:
        name = f"{self.document['name']}-{self.document['version']}-{at:{_SUFFIX}}-{uuid4()}"
        format = self.config["CompressionFormat"]
        extension = extension or EXTENSIONS[format]
        if not is_error:
            extension = self.config.get("FileExtension") or extension
        place = read_place(self.config["BucketARN"])
        assert place is not None
        return PreparedObject(place, f"{prefix}{name}{extension}", compress(data, format, name))


def write_object(core: CoreEngine, made: PreparedObject) -> None:
    """Writes an object, as durable as the engine is; raises NotWritten."""
    if made.place.folder is not None:
        if not is_allowed(core, made.place.folder):
            raise NotWritten(f"the folder {made.place.folder} is not allowed")
        try:
            _write_file(core, made)
        except OSError as error:
            raise NotWritten(str(error)) from None
        return
    bucket = Buckets(core).find(made.place.bucket)
    if bucket is None:
        raise NotWritten(f"the bucket {made.place.bucket} does not exist")
    writer = bucket.writer()
    try:
        write(writer, made.data)
        bucket.put(made.key, writer, [_CONTENT_TYPE], [], False, None)
    except TrunklineError as error:
        core.check_open()
        raise NotWritten(str(error)) from None
    finally:
        writer.discard()


def _write_file(core: CoreEngine, made: PreparedObject) -> None:
    folder = made.place.folder
    assert folder is not None
    target = folder.joinpath(*_parts(made.key))
    # A folder below may be a link.
    if not is_allowed(core, target.parent):
        raise NotWritten(f"the folder {target.parent} is not allowed")
    target.parent.mkdir(parents=True, exist_ok=True)
    # What has its name is whole and on the disk.
    handle, draft = tempfile.mkstemp(prefix=".", suffix=".part", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(made.data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, target)
    except BaseException:
        os.unlink(draft)
        raise
    directory = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _parts(key: str) -> list[str]:
    """The names of folders and of the file. A key may hold text from records: it leads nowhere
    but below.

    >>> _parts("a/../b//c")
    ['a', '%2E%2E', 'b', 'c']
    """
    escaped = {".": "%2E", "..": "%2E%2E"}
    parts = [part for part in key.replace("\0", "%00").split("/") if part]
    return [escaped.get(part, part) for part in parts]
