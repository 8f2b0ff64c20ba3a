"""The content of objects: written from bytes or a file, and read in pieces."""

from __future__ import annotations

from trunkline import validation
from trunkline.errors import UnsupportedOperation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType
    from typing import BinaryIO, TypeAlias

    from trunkline._core import ObjectContent, ObjectWriter, StoredObject
    from trunkline._types import Body

    # Below, `bytes` is the verb.
    _Bytes: TypeAlias = bytes

PIECE_BYTES = 256 * 1024
"""How much of a content is held at once."""

READ_MAX = 2**63 - 1


def write(writer: ObjectWriter, data: Body | BinaryIO) -> None:
    """Write what `data` is or reads, a piece at a time."""
    if isinstance(data, str):
        data = data.encode()
    if isinstance(data, bytes):
        writer.write(data)
    elif isinstance(data, bytearray | memoryview):
        with memoryview(data) as view:
            # A view of another layout has no bytes in order to cut pieces from.
            flat = view.cast("B") if view.c_contiguous else memoryview(view.tobytes())
            for start in range(0, len(flat), PIECE_BYTES):
                writer.write(bytes(flat[start : start + PIECE_BYTES]))
    else:
        _write_file(writer, data)


def _write_file(writer: ObjectWriter, file: BinaryIO) -> None:
    read = getattr(file, "read", None)
    if read is None:
        raise TypeError(f"data must be bytes, str or a binary file, not {type(file).__name__}")
    while True:
        piece = read(PIECE_BYTES)
        if not isinstance(piece, bytes | bytearray | memoryview):
            raise TypeError(
                f"the file that is put returned {type(piece).__name__}, not bytes; open it with "
                "mode 'rb', and let its reads block"
            )
        if not piece:
            return
        writer.write(bytes(piece))


class ObjectReader:
    """An object that is being read; :meth:`Bucket.get` makes it. A context manager.

    It reads the version that it was opened with to the end, whatever happens to the key.

    >>> import trunkline
    >>> uploads = trunkline.open().bucket("uploads")
    >>> stored = uploads.put("a", "one coffee", metadata={"by": "ann"})
    >>> with uploads.get("a") as reader:
    ...     reader.read(3), reader.bytes(), reader.size, reader.metadata
    (b'one', b' coffee', 10, {'by': 'ann'})
    """

    __slots__ = {"_content": "", "object": "What is known of the object."}

    object: StoredObject

    def __init__(self, object: StoredObject, content: ObjectContent) -> None:
        self.object = object
        self._content: ObjectContent | None = content

    @property
    def key(self) -> str:
        """The key."""
        return self.object.key

    @property
    def size(self) -> int:
        """Bytes of the whole object, also if a range of it is read."""
        return self.object.size

    @property
    def etag(self) -> str:
        """The entity tag without quotes."""
        return self.object.etag

    @property
    def metadata(self) -> Mapping[str, str]:
        """The caller's metadata by name, in lower case."""
        return self.object.metadata

    @property
    def content_type(self) -> str:
        """The type of the content; S3's default if none was given."""
        return self.object.content_type

    def read(self, n: int | None = -1) -> _Bytes:
        """Read up to `n` bytes, or all that are left if it is -1 or None; none at the end.

        Raises UnsupportedOperation after :meth:`close`.
        """
        if self._content is None:
            raise UnsupportedOperation("The reader is closed. Get the object again.")
        if n is None or n == -1:
            return self._content.read(None)
        return self._content.read(validation.count(n, "n", 0, READ_MAX))

    def bytes(self) -> _Bytes:
        """All that is left, at once."""
        return self.read()

    def text(self) -> str:
        """All that is left as UTF-8 text."""
        return self.read().decode()

    def close(self) -> None:
        """Let go of the content. A second call does nothing."""
        self._content = None

    def __iter__(self) -> Iterator[_Bytes]:
        while piece := self.read(PIECE_BYTES):
            yield piece

    def __enter__(self) -> ObjectReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<ObjectReader {self.key!r}, {self.size} bytes>"
