"""Buckets of a server: what is known of objects by calls, their content by HTTP as S3 has it."""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode

from trunkline.buckets import attributes
from trunkline.buckets.bucket import stretch
from trunkline.buckets.content import ObjectReader
from trunkline.errors import InvalidParameterValue
from trunkline.remote.client import HTTP_ERROR
from trunkline.remote.noun import Remote
from trunkline.remote.transport import native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, BinaryIO

PIECE_BYTES = 1 << 20
"""How much of a content is asked for at once, if it is read in pieces."""


class RemoteBucket(Remote, kind="bucket"):
    """A bucket of a server; :meth:`RemoteEngine.bucket` makes it."""

    __slots__ = ()

    def put(
        self,
        key: str,
        data: bytes | str | BinaryIO,
        *,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        tags: Mapping[str, str] | None = None,
        if_absent: bool = False,
        if_match: str | None = None,
    ) -> Any:
        """Put an object: bytes, text or a binary file, which is sent in pieces.

        Raises as :meth:`trunkline.Bucket.put` does.
        """
        headers = dict(attributes.headers(metadata, content_type))
        if pairs := attributes.tags(tags):
            headers["x-amz-tagging"] = urlencode(pairs)
        if if_absent and if_match is not None:
            raise InvalidParameterValue("Give if_absent or if_match, and not both.")
        if if_absent:
            headers["if-none-match"] = "*"
        if if_match is not None:
            headers["if-match"] = '"' + if_match.strip('"') + '"'
        body = data.encode() if isinstance(data, str) else data
        told, _ = self._http("PUT", key, None, _sized(body, headers), headers)
        version = told.get("x-amz-version-id")
        return self._ask("head", key, version=version if version != "null" else None)

    def get(
        self,
        key: str,
        *,
        range: tuple[int | None, int | None] | None = None,
        version: str | None = None,
    ) -> ObjectReader:
        """Open an object to be read: in pieces, or what is left at once.

        An object that is replaced while it is read in an unversioned bucket raises
        PreconditionFailed. The rest is as :meth:`trunkline.Bucket.get` has it.
        """
        of: Any = self._ask("head", key, version=version)
        start, end, _ = slice(*stretch(range)).indices(of.size)
        content: Any = _Content(self, of, version, start, end)
        return ObjectReader(of, content)

    def list(self, prefix: str = "", delimiter: str | None = None) -> Iterator[Any]:
        """The objects whose key starts with `prefix`, and common prefixes, a page at a time."""
        after: str | None = None
        while True:
            entries, after = self._ask("list", prefix, delimiter, after, 1_000)
            yield from entries
            if after is None:
                return

    def _http(
        self, method: str, key: str, version: str | None, body: Any, headers: dict[str, str]
    ) -> tuple[Mapping[str, str], bytes]:
        query = "" if version is None else f"?versionId={quote(version, safe='')}"
        path = f"/{self.name}/{quote(key, safe='/')}{query}"
        status, told, answer = self._transport.http(method, path, body, headers)
        if status >= HTTP_ERROR:
            code = re.search(rb"<Code>([^<]*)</Code>", answer)
            message = re.search(rb"<Message>([^<]*)</Message>", answer)
            named = code[1].decode() if code else f"Status{status}"
            raise native(named, message[1].decode() if message else f"{method} {path} failed")
        return told, answer


def _sized(data: Any, headers: dict[str, str]) -> Any:
    """Data as HTTP sends it: a file with its length, or bytes."""
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    if not hasattr(data, "read"):
        raise TypeError(f"data must be bytes, str or a binary file, not {type(data).__name__}")
    if not (hasattr(data, "seekable") and data.seekable()):
        return data.read()
    start = data.tell()
    headers["content-length"] = str(data.seek(0, 2) - start)
    data.seek(start)
    return data


class _Content:
    """What an :class:`trunkline.ObjectReader` reads, asked for as it is read."""

    def __init__(
        self, bucket: RemoteBucket, of: Any, version: str | None, start: int, end: int
    ) -> None:
        self._bucket = bucket
        self._of = of
        self._version = version
        self._position = start
        self._end = end
        self._ahead = b""

    def read(self, count: int | None) -> bytes:
        """Up to `count` bytes, or all that are left."""
        left = self._end - self._position + len(self._ahead)
        wanted = left if count is None else min(count, left)
        if wanted > len(self._ahead):
            ask = wanted - len(self._ahead)
            self._ahead += self._fetch(ask if count is None else max(ask, PIECE_BYTES))
        piece, self._ahead = self._ahead[:wanted], self._ahead[wanted:]
        return piece

    def _fetch(self, count: int) -> bytes:
        last = min(self._position + count, self._end) - 1
        headers = {"range": f"bytes={self._position}-{last}", "if-match": f'"{self._of.etag}"'}
        _, data = self._bucket._http("GET", self._of.key, self._version, b"", headers)
        self._position += len(data)
        return data
