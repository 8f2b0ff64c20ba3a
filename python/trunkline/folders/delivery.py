"""How a file is delivered: a message, an event or an object, with the note that it was."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime

from trunkline._core import WireStore
from trunkline._targets import resource_id
from trunkline.errors import InvalidParameterValue, NoSuchKey
from trunkline.folders.scan import identity_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any, BinaryIO

    from trunkline.buckets.bucket import Bucket
    from trunkline.engine import Engine
    from trunkline.folders.scan import FoundFile

SOURCE, DETAIL_TYPE = "trunkline.folder", "File Created"
"""What the event of a new file says of itself."""

KEY_BYTES_MAX = 1_024
"""The longest key of an object in UTF-8."""

_MARK = "watched-file"
"""The metadata of an object that says which file it was."""

_KINDS = "a Queue, a Topic, a Bus, a Stream, a Function or a Bucket"


class FileChangedError(Exception):
    """A file was written while it was read: it is delivered later, as what it is then."""


class UndeliverableError(Exception):
    """A file has a name that its target never takes: others need not wait for it."""


class Delivery:
    """Delivers the files of one folder."""

    def __init__(self, engine: Engine, target: object, name: str, folder: Path, prefix: str):
        from trunkline.buckets.bucket import Bucket

        plain: Any = getattr(target, "sync", target)
        self._store = WireStore(engine._core)
        self._name, self._folder, self._prefix = name, folder, prefix
        self._bucket: Bucket | None = plain if isinstance(plain, Bucket) else None
        self._kind = self._group = None
        self._id = 0
        if self._bucket is not None and self._bucket._engine is not engine:
            raise InvalidParameterValue(
                f"Value {target!r} for parameter target is invalid. Reason: It belongs to another "
                "engine. Name a resource of this engine."
            )
        if self._bucket is None:
            id = resource_id(engine, target, "target")
            if id is None:
                raise TypeError(f"target must be {_KINDS}, not {type(target).__name__}")
            self._id = id
            self._kind = (engine._core.name_of(id) or ("",))[0]
            is_ordered = self._kind == "stream" or getattr(plain, "fifo", False)
            self._group = name[-128:] if is_ordered else None

    def deliver(self, file: FoundFile, key: str, note: bytes) -> None:
        """Delivers a file, and notes under `key` that it was: a crash leaves both or neither."""
        if self._bucket is not None:
            self._put(self._bucket, file)
            self._store.put_document(key, note)
            return
        body = json.dumps(self._event(file) if self._kind == "bus" else self._told(file))
        self._store.deliver(self._id, body.encode(), key, note, self._group)

    def _told(self, file: FoundFile) -> dict[str, Any]:
        modified = datetime.fromtimestamp(file.mtime_ns / 1e9, UTC)
        return {
            "folder": self._name,
            "path": file.path,
            "file": str(self._folder / file.path),
            "size": file.size,
            "modified": modified.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }

    def _event(self, file: FoundFile) -> dict[str, Any]:
        return {
            "source": SOURCE,
            "detail-type": DETAIL_TYPE,
            "resources": [str(self._folder / file.path)],
            "detail": self._told(file),
        }

    def _put(self, bucket: Bucket, file: FoundFile) -> None:
        key = self._prefix + file.path
        if not _is_key(key):
            raise UndeliverableError(f"{key!r} is no key of an object; rename the file")
        try:
            # A crash may have come behind the object and before the note.
            if bucket.head(key).metadata.get(_MARK) == file.identity:
                return
        except NoSuchKey:
            pass
        with open(self._folder / file.path, "rb") as content:
            unchanged: Any = _Unchanged(content, file)
            bucket.put(key, unchanged, metadata={_MARK: file.identity})


def _is_key(key: str) -> bool:
    try:
        return 0 < len(key.encode()) <= KEY_BYTES_MAX
    except UnicodeEncodeError:
        # The name of the file is not UTF-8.
        return False


class _Unchanged:
    """The content of a file, which fails at its end if the file was changed meanwhile."""

    def __init__(self, content: BinaryIO, file: FoundFile) -> None:
        self._content = content
        self._file = file

    def read(self, size: int = -1) -> bytes:
        """Some bytes; none at the end."""
        piece = self._content.read(size)
        if not piece and identity_of(os.fstat(self._content.fileno())) != self._file.identity:
            raise FileChangedError(self._file.path)
        return piece
