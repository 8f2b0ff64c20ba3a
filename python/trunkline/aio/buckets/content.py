"""Content of objects that is read by coroutines."""

from __future__ import annotations

import asyncio

from trunkline.buckets.content import PIECE_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from types import TracebackType
    from typing import TypeAlias

    from trunkline._core import StoredObject
    from trunkline.buckets.content import ObjectReader as SyncReader

    # Below, `bytes` is the verb.
    _Bytes: TypeAlias = bytes


class ObjectReader:
    """An object that is being read, for asyncio. The twin is `sync`.

    >>> import asyncio, trunkline
    >>> async def main():
    ...     uploads = trunkline.aio.open().bucket("uploads")
    ...     await uploads.put("a", "one coffee")
    ...     async with await uploads.get("a") as reader:
    ...         return await reader.read(3), await reader.bytes(), reader.size
    >>> asyncio.run(main())
    (b'one', b' coffee', 10)
    """

    __slots__ = {"sync": "The same reader for threads."}

    sync: SyncReader

    def __init__(self, reader: SyncReader) -> None:
        self.sync = reader

    @property
    def object(self) -> StoredObject:
        """What is known of the object."""
        return self.sync.object

    @property
    def key(self) -> str:
        """The key."""
        return self.sync.key

    @property
    def size(self) -> int:
        """Bytes of the whole object, also if a range of it is read."""
        return self.sync.size

    @property
    def etag(self) -> str:
        """The entity tag without quotes."""
        return self.sync.etag

    @property
    def metadata(self) -> Mapping[str, str]:
        """The caller's metadata by name, in lower case."""
        return self.sync.metadata

    @property
    def content_type(self) -> str:
        """The type of the content; S3's default if none was given."""
        return self.sync.content_type

    async def read(self, n: int | None = -1) -> _Bytes:
        """Read up to `n` bytes, or all that are left if it is -1 or None; none at the end."""
        return await asyncio.to_thread(self.sync.read, n)

    async def bytes(self) -> _Bytes:
        """All that is left, at once."""
        return await asyncio.to_thread(self.sync.bytes)

    async def text(self) -> str:
        """All that is left as UTF-8 text."""
        return await asyncio.to_thread(self.sync.text)

    def close(self) -> None:
        """Let go of the content. A second call does nothing."""
        self.sync.close()

    async def __aiter__(self) -> AsyncIterator[_Bytes]:
        while piece := await self.read(PIECE_BYTES):
            yield piece

    async def __aenter__(self) -> ObjectReader:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<aio {self.sync!r}>"
