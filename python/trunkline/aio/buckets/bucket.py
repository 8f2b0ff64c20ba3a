"""A bucket whose verbs are coroutines. Names and validation are those of `sync`.

Contents are files, so that every verb which touches one runs in a thread.
"""

from __future__ import annotations

import asyncio
import functools
from itertools import islice

from trunkline.aio.buckets.content import ObjectReader
from trunkline.buckets.bucket import PAGE_ENTRIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from typing import BinaryIO, overload

    from trunkline._core import StoredObject
    from trunkline._types import Body
    from trunkline.buckets.bucket import Bucket as SyncBucket
    from trunkline.buckets.bucket import Range


class Bucket:
    """A bucket for asyncio; :meth:`trunkline.aio.Engine.bucket` makes it. The twin is `sync`.

    >>> import asyncio, trunkline
    >>> async def main():
    ...     uploads = trunkline.aio.open().bucket("uploads")
    ...     await uploads.put("notes/1.txt", "one coffee")
    ...     return [entry.key async for entry in uploads.list("notes/")]
    >>> asyncio.run(main())
    ['notes/1.txt']
    """

    __slots__ = {"sync": "The same bucket for threads."}

    sync: SyncBucket

    def __init__(self, bucket: SyncBucket) -> None:
        self.sync = bucket

    @property
    def name(self) -> str:
        """The name, unique in the engine."""
        return self.sync.name

    @property
    def arn(self) -> str:
        """The ARN, which has neither account nor region."""
        return self.sync.arn

    @property
    def versioned(self) -> bool:
        """Whether earlier versions of objects are kept."""
        return self.sync.versioned

    async def configure(self, *, versioned: bool) -> None:
        """Keep earlier versions of objects from now on, or no longer. Those that are there stay."""
        await asyncio.to_thread(functools.partial(self.sync.configure, versioned=versioned))

    async def put(
        self,
        key: str,
        data: Body | BinaryIO,
        *,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        tags: Mapping[str, str] | None = None,
        if_absent: bool = False,
        if_match: str | None = None,
    ) -> StoredObject:
        """Put an object; return once it is as durable as the engine promises.

        A file is read in a thread. Cancelling it does not take the object back. See
        :meth:`trunkline.Bucket.put`.
        """
        put = functools.partial(
            self.sync.put,
            key,
            data,
            metadata=metadata,
            content_type=content_type,
            tags=tags,
            if_absent=if_absent,
            if_match=if_match,
        )
        return await asyncio.to_thread(put)

    async def get(
        self, key: str, *, range: Range | None = None, version: str | None = None
    ) -> ObjectReader:
        """Open an object to be read. See :meth:`trunkline.Bucket.get`."""
        get = functools.partial(self.sync.get, key, range=range, version=version)
        return ObjectReader(await asyncio.to_thread(get))

    async def head(self, key: str, *, version: str | None = None) -> StoredObject:
        """What is known of an object, without its content."""
        return await asyncio.to_thread(functools.partial(self.sync.head, key, version=version))

    if TYPE_CHECKING:

        @overload
        def list(self, prefix: str = "", delimiter: None = None) -> AsyncIterator[StoredObject]: ...
        @overload
        def list(
            self, prefix: str = "", *, delimiter: str
        ) -> AsyncIterator[StoredObject | str]: ...
        @overload
        def list(self, prefix: str, delimiter: str) -> AsyncIterator[StoredObject | str]: ...

    def list(
        self, prefix: str = "", delimiter: str | None = None
    ) -> AsyncIterator[StoredObject | str]:
        """The objects whose key starts with `prefix`, in the order of the bytes of their keys.

        With a `delimiter` also common prefixes, each a str. See :meth:`trunkline.Bucket.list`.

        >>> import asyncio, trunkline
        >>> async def main():
        ...     uploads = trunkline.aio.open().bucket("uploads")
        ...     await uploads.put("a/1", "one coffee")
        ...     return [entry async for entry in uploads.list(delimiter="/")]
        >>> asyncio.run(main())
        ['a/']
        """
        return _pages(self.sync._list(prefix, delimiter))

    async def copy(
        self, source: str, key: str, *, to: Bucket | None = None, version: str | None = None
    ) -> StoredObject:
        """Copy the object `source` to `key`, here or in the bucket `to`, with metadata and tags."""
        if to is not None and not isinstance(to, Bucket):
            raise TypeError(f"to must be a Bucket of trunkline.aio, not {type(to).__name__}")
        target = None if to is None else to.sync
        copy = functools.partial(self.sync.copy, source, key, to=target, version=version)
        return await asyncio.to_thread(copy)

    async def delete(self, key: str, *, version: str | None = None) -> None:
        """Delete an object, or a version of it for good. What is not there is deleted already."""
        await asyncio.to_thread(functools.partial(self.sync.delete, key, version=version))

    def statistics(self) -> dict[str, int]:
        """How the bucket stands, as :meth:`trunkline.Bucket.statistics` says."""
        return self.sync.statistics()

    async def remove(self) -> None:
        """Remove the bucket. Raises BucketNotEmpty while it has objects or versions."""
        await asyncio.to_thread(self.sync.remove)

    def __repr__(self) -> str:
        return f"<aio {self.sync!r}>"


async def _pages(found: Iterator[StoredObject | str]) -> AsyncIterator[StoredObject | str]:
    """The entries of a list, a page of which is looked up in a thread."""

    def page() -> tuple[StoredObject | str, ...]:
        return tuple(islice(found, PAGE_ENTRIES))

    while entries := await asyncio.to_thread(page):
        for entry in entries:
            yield entry
