"""Item readers: objects of buckets as CSV, JSON, JSON lines or Parquet, lists of objects, and
manifests. Items come in parts, so that their number does not matter."""

from __future__ import annotations

import itertools
import json
import zlib
from tempfile import TemporaryFile

from trunkline._core import Buckets
from trunkline.errors import NotFound
from trunkline.machines.map_runs.request import (
    READER_FAILED,
    MapRunFailed,
    arguments_of,
    inputs_of,
    made,
    text_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from trunkline._core import Bucket, MapInputs, StatesProgram
    from trunkline._core import Engine as CoreEngine
    from trunkline.machines.task import Owner

PIECE_BYTES = 256 * 1024
"""How much of an object is held at once."""

PAGE_ITEMS = 1_000
"""How many items are made at once where they come one by one."""

Inputs = "Iterator[tuple[str, int]]"
"""The inputs of children as JSON texts, each with its number of items."""


def failure(cause: str) -> MapRunFailed:
    """A reader that cannot read."""
    return MapRunFailed(READER_FAILED, cause)


def read(
    core: CoreEngine, owner: Owner, program: StatesProgram, told: dict[str, Any]
) -> Iterator[tuple[str, int]]:
    """The inputs of the children of a map run; raises MapRunFailed."""
    try:
        yield from _Reading(core, owner, program, told).inputs()
    except ValueError as problem:
        raise made(problem) from None


class _Reading:
    """The items of one map run."""

    def __init__(
        self, core: CoreEngine, owner: Owner, program: StatesProgram, told: dict[str, Any]
    ) -> None:
        self._core = core
        self._owner = owner
        self._program = program
        self._told = told
        self._now = round(core.now() * 1_000)
        self._config: dict[str, Any] = {}

    def inputs(self) -> Iterator[tuple[str, int]]:
        """The inputs, from the items that are given or that the reader reads."""
        reader = self._told["reader"]
        if reader is None:
            maker = inputs_of(self._program, self._told)
            yield from maker.take(text_of(self._told["items"]), self._now)
            yield from maker.finish(self._now)
            return
        self._config = reader.get("ReaderConfig") or {}
        given = arguments_of(reader)
        bucket = self._bucket(str(given.get("Bucket", "")))
        if reader.get("Resource", "").endswith(":listObjectsV2"):
            yield from self._listed(bucket, given)
        elif self._config.get("ManifestType") == "ATHENA_DATA":
            keys = self._athena(bucket, str(given.get("Key", "")))
            yield from self._objects(keys, self._config.get("InputType", "CSV"))
        elif self._config.get("InputType") == "MANIFEST":
            yield from self._inventory(bucket, str(given.get("Key", "")))
        else:
            key, version = str(given.get("Key", "")), given.get("VersionId")
            kind = self._config.get("InputType", "JSON")
            yield from self._objects([(bucket, key, version)], kind)

    def _bucket(self, name: str) -> Bucket:
        found = Buckets(self._core).find(name)
        if found is None:
            raise failure(f"The specified bucket does not exist: {name}")
        if found.account != self._owner.account:
            raise failure(f"Access to bucket {name} is denied: it is of another account.")
        return found

    def _pieces(self, bucket: Bucket, key: str, version: str | None = None) -> Iterator[bytes]:
        try:
            _, content = bucket.get(key, version, None, None)
        except NotFound:
            raise failure(f"The specified key does not exist: {key}") from None
        while piece := content.read(PIECE_BYTES):
            yield piece

    def _objects(
        self, objects: Iterable[tuple[Bucket, str, str | None]], kind: str
    ) -> Iterator[tuple[str, int]]:
        """The items in objects, one object after another."""
        if kind in ("CSV", "JSONL"):
            yield from self._streamed(objects, kind)
        elif kind == "JSON":
            yield from self._documents(objects)
        elif kind == "PARQUET":
            rows = (self._rows(*one) for one in objects)
            yield from self._taken(itertools.chain.from_iterable(rows))
        else:
            raise failure(f"The InputType {kind} is not supported.")

    def _streamed(
        self, objects: Iterable[tuple[Bucket, str, str | None]], kind: str
    ) -> Iterator[tuple[str, int]]:
        maker = inputs_of(self._program, self._told, {**self._config, "InputType": kind})
        has_header = kind == "CSV" and self._config.get("CSVHeaderLocation") == "FIRST_ROW"
        for number, one in enumerate(objects):
            pieces = self._pieces(*one)
            if number > 0:
                yield from maker.feed(b"\n", self._now)
                pieces = _without_first_line(pieces) if has_header else pieces
            for piece in pieces:
                yield from maker.feed(piece, self._now)
                if maker.is_full:
                    break
        yield from maker.finish(self._now)

    def _documents(
        self, objects: Iterable[tuple[Bucket, str, str | None]]
    ) -> Iterator[tuple[str, int]]:
        listed = list(itertools.islice(objects, 2))
        if len(listed) == 1:
            maker = inputs_of(self._program, self._told, {**self._config, "InputType": "JSON"})
            for piece in self._pieces(*listed[0]):
                yield from maker.feed(piece, self._now)
                if maker.is_full:
                    break
            yield from maker.finish(self._now)
            return
        documents = (self._document(*one) for one in itertools.chain(listed, objects))
        yield from self._taken(itertools.chain.from_iterable(documents))

    def _document(self, bucket: Bucket, key: str, version: str | None) -> list[Any]:
        try:
            found = json.loads(b"".join(self._pieces(bucket, key, version)))
        except ValueError as problem:
            raise failure(f"The object {key} is not JSON: {problem}") from None
        except RecursionError:
            raise failure(f"The object {key} is nested too deeply.") from None
        if not isinstance(found, list):
            raise failure("Attempting to map over non-iterable node.")
        return found

    def _taken(self, items: Iterable[Any]) -> Iterator[tuple[str, int]]:
        """The inputs for items that are made here."""
        maker: MapInputs = inputs_of(self._program, self._told)
        most = int(self._config.get("MaxItems") or 0)
        left = iter(items) if most == 0 else itertools.islice(items, most)
        while page := list(itertools.islice(left, PAGE_ITEMS)):
            yield from maker.take(json.dumps(page, separators=(",", ":"), default=str), self._now)
        yield from maker.finish(self._now)

    def _listed(self, bucket: Bucket, given: dict[str, Any]) -> Iterator[tuple[str, int]]:
        prefix = str(given.get("Prefix") or "")
        after = given.get("StartAfter")
        objects = _objects_of(bucket, prefix, None if after is None else str(after))
        if self._config.get("Transformation") == "LOAD_AND_FLATTEN":
            keys = ((bucket, one.key, None) for one in objects)
            yield from self._objects(keys, self._config.get("InputType", "JSON"))
            return
        yield from self._taken(_listing(one) for one in objects)

    def _rows(self, bucket: Bucket, key: str, version: str | None) -> Iterator[Any]:
        """The rows of a Parquet object, a group of rows at a time."""
        from trunkline.machines.map_runs import parquet

        with TemporaryFile() as file:
            for piece in self._pieces(bucket, key, version):
                file.write(piece)
            file.seek(0)
            yield from parquet.rows(file, key, PAGE_ITEMS)

    def _inventory(self, bucket: Bucket, key: str) -> Iterator[tuple[str, int]]:
        """The objects that an S3 inventory lists in files of CSV."""
        text = b"".join(self._pieces(bucket, key))
        try:
            manifest = json.loads(text)
            kind, schema = manifest["fileFormat"], manifest["fileSchema"]
            files = [str(file["key"]) for file in manifest["files"]]
            source = str(manifest["destinationBucket"]).rpartition(":")[2]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise failure(f"The object {key} is no manifest of an S3 inventory.") from None
        if kind != "CSV":
            raise failure(f"An S3 inventory in {kind} is not supported: it has to be CSV.")
        names = [name.strip() for name in str(schema).split(",")]
        config = {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": names}
        if self._config.get("MaxItems"):
            config["MaxItems"] = self._config["MaxItems"]
        maker = inputs_of(self._program, self._told, config)
        target = self._bucket(source)
        for name in files:
            for piece in _plain(name, self._pieces(target, name)):
                yield from maker.feed(piece, self._now)
            yield from maker.feed(b"\n", self._now)
        yield from maker.finish(self._now)

    def _athena(self, bucket: Bucket, key: str) -> Iterator[tuple[Bucket, str, None]]:
        """The objects that a manifest of Athena names, an address a line."""
        try:
            text = b"".join(self._pieces(bucket, key)).decode()
        except UnicodeDecodeError:
            raise failure(f"The manifest {key} is not encoded in UTF-8.") from None
        for line in text.splitlines():
            address = line.strip().strip('"')
            if not address:
                continue
            name, _, path = address.removeprefix("s3://").partition("/")
            if not address.startswith("s3://") or not path:
                raise failure(f"The manifest {key} names no object: {address}")
            yield self._bucket(name), path, None


def _objects_of(bucket: Bucket, prefix: str, after: str | None) -> Iterator[Any]:
    while True:
        entries, after = bucket.list(prefix, None, after, PAGE_ITEMS)
        yield from entries
        if after is None:
            return


def _listing(one: Any) -> dict[str, Any]:
    """An object as `listObjectsV2` gives it to a map."""
    return {
        "Etag": f'"{one.etag}"',
        "Key": one.key,
        "LastModified": int(one.modified_at),
        "Size": one.size,
        "StorageClass": "STANDARD",
    }


def _without_first_line(pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        _, found, rest = piece.partition(b"\n")
        if found:
            yield rest
            break
    yield from pieces


def _plain(name: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The bytes of a file that may be compressed."""
    if not name.endswith(".gz"):
        yield from pieces
        return
    unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        for piece in pieces:
            left = piece
            while left:
                if unpack.eof:
                    # A file of gzip may have several members, with zeros behind them.
                    if not (left := left.lstrip(b"\0")):
                        break
                    unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
                yield unpack.decompress(left, PIECE_BYTES)
                left = unpack.unused_data if unpack.eof else unpack.unconsumed_tail
        while data := unpack.decompress(b"", PIECE_BYTES):
            yield data
        if not unpack.eof:
            raise zlib.error("it is cut off")
    except zlib.error as problem:
        raise failure(f"The file {name} is not compressed as its name says: {problem}") from None
