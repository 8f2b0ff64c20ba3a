"""A small HTTP client for servers of Trunkline: connections are kept open and used again."""

from __future__ import annotations

import io
import json
import os
from functools import partial
from http.client import (
    BadStatusLine,
    HTTPConnection,
    HTTPException,
    HTTPResponse,
    HTTPSConnection,
    RemoteDisconnected,
)
from select import POLLIN, poll
from time import monotonic
from urllib.parse import SplitResult, urlsplit

from trunkline.errors import InvalidParameterValue, ServerUnreachable, from_code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from socket import socket
    from ssl import SSLContext
    from typing import Any, BinaryIO

HTTP_OK = range(200, 300)
HTTP_ERROR = 400

TIMEOUT = 60.0
"""Seconds that an answer may take, to its last byte; a long poll takes 20 at most."""


def is_url(text: str) -> bool:
    """Whether `text` is the address of a server.

    >>> is_url("http://127.0.0.1:4566"), is_url("data/")
    (True, False)
    """
    return text.lower().startswith(("http://", "https://"))


def json_of(url: str, status: int, answer: bytes) -> Any:
    """The JSON of an answer. A failure without a JSON object has an empty one.

    Raises ServerUnreachable for an answer without a failure that has no JSON object or array:
    another program serves there.
    """
    try:
        told = json.loads(answer)
    except (ValueError, RecursionError):
        told = None
    if status >= HTTP_ERROR:
        return told if isinstance(told, dict) else {}
    if status not in HTTP_OK or not isinstance(told, (dict, list)):
        raise ServerUnreachable(
            f"{url} is no server of Trunkline: its answer (status {status}) is no JSON object."
        )
    return told


class _Timed(io.RawIOBase):
    """What a socket receives until a moment; reading beyond it raises TimeoutError.

    The time-out of a socket is for each piece: a server that sends a byte now and then would hold
    its caller for ever.
    """

    def __init__(self, sock: socket, file: io.IOBase, end: float) -> None:
        self._sock = sock
        # A socket that its connection closed stays open for as long as its file is.
        self._file = file
        self._end = end

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Reads what is there, or waits for it."""
        left = self._end - monotonic()
        if left <= 0:
            raise TimeoutError("its answer takes too long")
        self._sock.settimeout(left)
        return self._sock.recv_into(buffer)

    def close(self) -> None:
        """Closes the file of the socket, too."""
        self._file.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket, *values: Any, end: float, **named: Any) -> None:
        super().__init__(sock, *values, **named)
        self.fp = io.BufferedReader(_Timed(sock, self.fp, end))


def _is_address(url: str, parts: SplitResult) -> bool:
    try:
        # Reading the port proves it; names are encoded for the wire as the resolver does it.
        named = parts.port != 0 and bool((parts.hostname or "").encode("idna"))
    except ValueError:
        return False
    is_visible = url.isprintable() and " " not in url
    return is_url(url) and is_visible and named and not parts.path.strip("/") and not parts.query


def _why(error: Exception) -> str:
    if isinstance(error, BadStatusLine) and not isinstance(error, RemoteDisconnected):
        return "what came back is no HTTP; a server with --tls is at https://"
    if said := getattr(error, "verify_message", None):
        return f"{said}; set AWS_CA_BUNDLE to the certificate that it names when it starts"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _trusting() -> SSLContext:
    """What proves a server: the certificates of the system, and those of the variable of AWS."""
    import ssl

    context = ssl.create_default_context()
    bundle = os.environ.get("AWS_CA_BUNDLE")
    if bundle:
        try:
            context.load_verify_locations(bundle)
        except OSError as error:
            why = error.strerror or "it has no certificates in PEM"
            raise InvalidParameterValue(f"AWS_CA_BUNDLE names {bundle!r}: {why}.") from error
    return context


class HttpClient:
    """Requests to one server. Safe to use from many threads."""

    def __init__(self, url: str, *, timeout: float = TIMEOUT) -> None:
        if "@" in url:
            # Not repeated: a password must not come into a log.
            raise ValueError("The address of a server has no user and password; give a token")
        parts = urlsplit(url)
        if not _is_address(url, parts):
            raise ValueError(f"{url!r} is no address of a server; use http://HOST:PORT")
        self.url: str = f"{parts.scheme}://{parts.netloc}"
        self._parts = parts
        self._timeout = timeout
        self._idle: list[HTTPConnection] = []
        self._trusted: SSLContext | None = None

    def send(
        self, method: str, path: str, body: bytes | BinaryIO, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        """The status, the headers and the body of the answer."""
        connection = self._take()
        try:
            answer = self._exchange(connection, method, path, body, headers)
        except (OSError, HTTPException) as error:
            connection.close()
            raise ServerUnreachable(f"{self.url} does not answer: {_why(error)}.") from error
        self._idle.append(connection)
        return answer

    def _take(self) -> HTTPConnection:
        # The server closes connections that idle. That is seen before a request is sent on one, so
        # that no request is sent twice.
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:
                break
            if not _is_dropped(connection):
                return connection
            connection.close()
        return self._connect()

    def _exchange(
        self,
        connection: HTTPConnection,
        method: str,
        path: str,
        body: bytes | BinaryIO,
        headers: Mapping[str, str],
    ) -> tuple[int, Mapping[str, str], bytes]:
        end = monotonic() + self._timeout
        connection.response_class = partial(_Response, end=end)  # type: ignore[assignment]
        if connection.sock is not None:
            connection.sock.settimeout(self._timeout)
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, answer.read()

    def _connect(self) -> HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme != "https":
            return HTTPConnection(host, port, timeout=self._timeout)
        if self._trusted is None:
            self._trusted = _trusting()
        return HTTPSConnection(host, port, timeout=self._timeout, context=self._trusted)

    def close(self) -> None:
        """Closes the connections that are idle; the next request makes one anew."""
        while self._idle:
            self._idle.pop().close()

    def __del__(self) -> None:
        # A client that failed to come up has no list yet.
        if hasattr(self, "_idle"):
            self.close()


def _is_dropped(connection: HTTPConnection) -> bool:
    if connection.sock is None:
        return True
    # Nothing is asked at this moment, so there is something to read only at the end.
    look = poll()
    look.register(connection.sock, POLLIN)
    return bool(look.poll(0))


class AdminClient:
    """The operator's paths of a server."""

    def __init__(self, url: str, token: str | None = None) -> None:
        try:
            self._http = HttpClient(url)
        except ValueError as error:
            raise InvalidParameterValue(f"{error}.") from error
        self._headers = {"content-type": "application/json"}
        if token:
            if not (token.isascii() and token.isprintable()):
                raise InvalidParameterValue("The token must be of visible ASCII characters.")
            self._headers["authorization"] = f"Bearer {token}"

    def verb(self, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """What a verb of ``trunkline.admin`` answers there."""
        answer = self.request("POST", f"/_trunkline/api/{name}", arguments)
        if not isinstance(answer, dict):
            raise ServerUnreachable(f"{self._http.url} is no server of Trunkline.")
        return answer

    def request(self, method: str, path: str, body: object = None) -> Any:
        """The JSON that a path answers; raises the error of a code."""
        text = b"" if body is None else json.dumps(body).encode()
        status, _, answer = self._http.send(method, path, text, self._headers)
        told = json_of(self._http.url, status, answer)
        if status >= HTTP_ERROR:
            code = told.get("error") or told.get("__type") or f"Status{status}"
            raise from_code(str(code), str(told.get("message") or f"{method} {path} failed"))
        return told

    def close(self) -> None:
        """Closes the connections that are idle."""
        self._http.close()
