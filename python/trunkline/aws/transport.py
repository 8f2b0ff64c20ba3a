"""A botocore HTTP session that is no HTTP: requests are answered by an engine in this process.

It takes the place of botocore's own session, after signing and before any socket, so everything
above it (parameters, serialisation, retries, parsing, exceptions, paginators) is botocore's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

try:
    from botocore.awsrequest import AWSResponse
    from botocore.session import get_session as get_session
except ModuleNotFoundError as error:
    text = "Clients of AWS in this process are botocore's: pip install 'trunkline[aws]'."
    raise ModuleNotFoundError(text, name=error.name) from error

if TYPE_CHECKING:
    from typing import Any

    from trunkline._core import WireDispatcher


class LocalSession:
    """What a botocore endpoint sends with."""

    def __init__(self, dispatcher: WireDispatcher) -> None:
        self._dispatcher = dispatcher

    def send(self, request: Any) -> AWSResponse:
        """Answers a prepared request."""
        status, headers, content = self._dispatcher.call(as_plain(request))
        return AWSResponse(request.url, status, Headers(headers), _Raw(content))

    def close(self) -> None:
        """Nothing is held open."""


def as_plain(request: Any) -> tuple[str, str, list[tuple[str, str]], bytes, str]:
    """A prepared request as the dispatcher takes it: method, target, headers, body, base."""
    parts = urlsplit(request.url)
    target = parts.path or "/"
    if parts.query:
        target = f"{target}?{parts.query}"
    headers = [(name, _text(value)) for name, value in request.headers.items()]
    if not any(name.lower() == "host" for name, _ in headers):
        headers.append(("host", parts.netloc))
    base = f"{parts.scheme}://{parts.netloc}"
    return request.method, target, headers, _bytes(request.body), base


class Headers(dict[str, str]):
    """Headers, found in any case of their letters."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        super().__init__((name.lower(), value) for name, value in pairs)

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        """The header `name`, or `default`."""
        return super().get(name.lower(), default)


class _Raw:
    """A body that is there already, read as botocore reads one from a socket."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_arguments: object, **_options: object) -> list[bytes]:
        """The body, in one piece."""
        content, self._content = self._content, b""
        return [content] if content else []

    def read(self, amount: int | None = None) -> bytes:
        """The rest of the body, or `amount` bytes of it."""
        amount = len(self._content) if amount is None else amount
        head, self._content = self._content[:amount], self._content[amount:]
        return head

    def close(self) -> None:
        """What was not read is dropped."""
        self._content = b""


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _bytes(body: object) -> bytes:
    if body is None:
        return b""
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, (bytearray, memoryview)):
        return bytes(body)
    read = getattr(body, "read", None)
    if read is None:
        raise TypeError(f"a request's body must be bytes, not {type(body).__name__}")
    return _bytes(read())
