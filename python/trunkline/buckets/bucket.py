"""A bucket: put, get, list, copy and delete objects."""

from __future__ import annotations

from trunkline import validation
from trunkline.buckets import attributes
from trunkline.buckets.content import ObjectReader, write
from trunkline.errors import InvalidParameterValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import BinaryIO, overload

    from trunkline._core import Bucket as CoreBucket
    from trunkline._core import StoredObject
    from trunkline._types import Body
    from trunkline.engine import Engine

    Range = tuple[int | None, int | None]

PAGE_ENTRIES = 1_000
"""How many entries of a list are held at once: the most that S3 puts on a page."""

_PLACE_MAX = 2**63 - 1


def _place(value: int | None) -> int | None:
    if value is None:
        return None
    return validation.count(value, "range", -_PLACE_MAX, _PLACE_MAX)


def _text(value: str, field: str) -> str:
    """A text that UTF-8 can say."""
    try:
        validation.text(value, field).encode()
    except UnicodeEncodeError:
        raise InvalidParameterValue(
            f"Value for parameter {field} is invalid. Reason: It holds a lone surrogate, which is "
            "no character; remove it."
        ) from None
    return value


def stretch(range: Range | None) -> Range:
    """Where a range starts and ends."""
    if range is None:
        return None, None
    try:
        start, end = range
    except (TypeError, ValueError):
        raise TypeError("range must be a pair (start, end) of int or None") from None
    return _place(start), _place(end)


class Bucket:
    """A bucket of an engine; :meth:`Engine.bucket` makes it. Any thread may call every method.

    >>> import trunkline
    >>> uploads = trunkline.open().bucket("uploads")
    >>> uploads.put("notes/1.txt", "one coffee", metadata={"by": "ann"}).size
    10
    >>> uploads.get("notes/1.txt").bytes()
    b'one coffee'
    >>> [entry.key for entry in uploads.list("notes/")]
    ['notes/1.txt']
    """

    __slots__ = ("_core", "_engine")

    def __init__(self, engine: Engine, core: CoreBucket) -> None:
        self._engine = engine
        self._core = core

    @property
    def name(self) -> str:
        """The name, unique in the engine."""
        return self._core.name

    @property
    def account(self) -> str:
        """The account, 12 digits."""
        return self._core.account

    @property
    def region(self) -> str:
        """The region."""
        return self._core.region

    @property
    def arn(self) -> str:
        """The ARN, which has neither account nor region.

        >>> import trunkline
        >>> trunkline.open().bucket("uploads").arn
        'arn:aws:s3:::uploads'
        """
        return f"arn:aws:s3:::{self._core.name}"

    @property
    def created_at(self) -> float:
        """When the bucket was created, in seconds since the epoch."""
        return self._core.created_at

    @property
    def versioned(self) -> bool:
        """Whether earlier versions of objects are kept."""
        return self._core.versioned

    def configure(self, *, versioned: bool) -> None:
        """Keep earlier versions of objects from now on, or no longer. Those that are there stay.

        >>> import trunkline
        >>> uploads = trunkline.open().bucket("uploads")
        >>> uploads.configure(versioned=True)
        >>> first = uploads.put("a", "one coffee")
        >>> second = uploads.put("a", "one tea")
        >>> uploads.get("a", version=first.version_id).bytes()
        b'one coffee'
        """
        self._core.configure(validation.flag(versioned, "versioned"))

    def put(
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

        `data` is bytes, text, which is put as UTF-8, or a binary file, which is read in pieces to
        its end. The object is there as a whole or not at all. With `if_absent` it is put only if
        the key has no object, with `if_match` only if its object has that entity tag.

        Raises PreconditionFailed if the condition does not hold, NoSuchKey if there is nothing that
        could match, NoSuchBucket, InvalidParameterValue for a key of more than 1,024 bytes and for
        metadata or tags that S3 does not take.

        >>> import io, trunkline
        >>> uploads = trunkline.open().bucket("uploads")
        >>> uploads.put("a", io.BytesIO(b"one coffee"), content_type="text/plain").content_type
        'text/plain'
        >>> uploads.put("a", "one tea", if_absent=True)
        Traceback (most recent call last):
        trunkline.errors.PreconditionFailed: Object "a" is not as the condition of the call says.
        """
        _text(key, "key")
        headers, pairs = attributes.headers(metadata, content_type), attributes.tags(tags)
        if validation.flag(if_absent, "if_absent") and if_match is not None:
            raise InvalidParameterValue(
                "Value True for parameter if_absent is invalid. Reason: An object that is absent "
                "has no entity tag; give if_absent or if_match."
            )
        if if_match is not None:
            _text(if_match, "if_match")
            # With the quotes of HTTP it is the same tag.
            if_match = if_match.strip('"')
        writer = self._core.writer()
        try:
            write(writer, data)
            return self._core.put(key, writer, headers, pairs, if_absent, if_match)
        finally:
            writer.discard()

    def get(
        self, key: str, *, range: Range | None = None, version: str | None = None
    ) -> ObjectReader:
        """Open an object to be read.

        `range` is ``(start, end)``, with the meaning of a slice: either may be None, and a negative
        one counts from the end. `version` names an earlier version.

        Raises NoSuchKey, NoSuchBucket.

        >>> import trunkline
        >>> uploads = trunkline.open().bucket("uploads")
        >>> stored = uploads.put("a", "one coffee")
        >>> uploads.get("a", range=(4, None)).bytes(), uploads.get("a", range=(-6, -3)).bytes()
        (b'coffee', b'cof')
        """
        _text(key, "key")
        start, end = stretch(range)
        return ObjectReader(*self._core.get(key, _version(version), start, end))

    def head(self, key: str, *, version: str | None = None) -> StoredObject:
        """What is known of an object, without its content. Raises NoSuchKey, NoSuchBucket.

        >>> import trunkline
        >>> uploads = trunkline.open().bucket("uploads")
        >>> stored = uploads.put("a", "one coffee", tags={"state": "paid"})
        >>> uploads.head("a").tags
        {'state': 'paid'}
        """
        return self._core.head(_text(key, "key"), _version(version))

    if TYPE_CHECKING:

        @overload
        def list(self, prefix: str = "", delimiter: None = None) -> Iterator[StoredObject]: ...
        @overload
        def list(self, prefix: str = "", *, delimiter: str) -> Iterator[StoredObject | str]: ...
        @overload
        def list(self, prefix: str, delimiter: str) -> Iterator[StoredObject | str]: ...

    def list(self, prefix: str = "", delimiter: str | None = None) -> Iterator[StoredObject | str]:
        """The objects whose key starts with `prefix`, in the order of the bytes of their keys.

        With a `delimiter`, keys that are alike up to the first one behind the prefix are one entry,
        a str: their common prefix. The iterator holds one page at a time; what is put or deleted
        meanwhile may be among what comes.

        >>> import trunkline
        >>> uploads = trunkline.open().bucket("uploads")
        >>> for key in ("a/1", "a/2", "b"):
        ...     stored = uploads.put(key, "one coffee")
        >>> list(uploads.list(delimiter="/"))
        ['a/', <StoredObject 'b', 10 bytes>]
        """
        return self._list(prefix, delimiter)

    def _list(self, prefix: str, delimiter: str | None) -> Iterator[StoredObject | str]:
        _text(prefix, "prefix")
        if delimiter is not None and not _text(delimiter, "delimiter"):
            raise InvalidParameterValue(
                "Value '' for parameter delimiter is invalid. Reason: It is empty; leave it out to "
                "list every key."
            )
        return self._entries(prefix, delimiter)

    def _entries(self, prefix: str, delimiter: str | None) -> Iterator[StoredObject | str]:
        after: str | None = None
        while True:
            entries, after = self._core.list(prefix, delimiter, after, PAGE_ENTRIES)
            yield from entries
            if after is None:
                return

    def copy(
        self, source: str, key: str, *, to: Bucket | None = None, version: str | None = None
    ) -> StoredObject:
        """Copy the object `source` to `key`, here or in the bucket `to`, with metadata and tags.

        The copy shares the content, so that its size does not matter. Raises NoSuchKey,
        NoSuchBucket.

        >>> import trunkline
        >>> engine = trunkline.open()
        >>> uploads, archive = engine.bucket("uploads"), engine.bucket("archive")
        >>> stored = uploads.put("a", "one coffee")
        >>> uploads.copy("a", "b", to=archive).etag == stored.etag
        True
        """
        if to is not None and not isinstance(to, Bucket):
            raise TypeError(f"to must be a Bucket, not {type(to).__name__}")
        _text(source, "source")
        target = (to or self)._core
        return target.copy(_text(key, "key"), self._core, source, _version(version))

    def delete(self, key: str, *, version: str | None = None) -> None:
        """Delete an object, or a version of it for good. What is not there is deleted already.

        In a versioned bucket an object is hidden by a delete marker, and its versions stay.

        >>> import trunkline
        >>> uploads = trunkline.open().bucket("uploads")
        >>> uploads.delete("a")
        """
        self._core.delete(_text(key, "key"), _version(version))

    def statistics(self) -> dict[str, int]:
        """How the bucket stands: ``objects`` (versions count), ``bytes`` of content, and
        ``uploads`` in parts that are not complete.

        >>> import trunkline
        >>> trunkline.open().bucket("uploads").statistics()
        {'objects': 0, 'bytes': 0, 'uploads': 0}
        """
        objects, size, uploads = self._core.statistics()
        return {"objects": objects, "bytes": size, "uploads": uploads}

    def remove(self) -> None:
        """Remove the bucket. Raises BucketNotEmpty while it has objects or versions."""
        self._core.remove()

    def __repr__(self) -> str:
        return f"<Bucket {self.name!r}>"


def _version(version: str | None) -> str | None:
    return None if version is None else _text(version, "version")
