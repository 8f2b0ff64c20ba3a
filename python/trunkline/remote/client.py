"""A small HTTP client for servers of Trunkline: connections are kept open and used again."""

from __future__ import annotations

import json
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from select import POLLIN, poll
from urllib.parse import urlsplit

from trunkline.errors import InvalidParameterValue, ServerUnreachable, from_code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

HTTP_ERROR = 400

TIMEOUT = 60.0
"""Seconds that an answer may take; a long poll takes 20 at most."""


def is_url(text: str) -> bool:
    """Whether `text` is the address of a server.

    >>> is_url("http://127.0.0.1:4566"), is_url("data/")
    (True, False)
    """
    return text.startswith(("http://", "https://"))


class HttpClient:
    """Requests to one server. Safe to use from many threads."""

    def __init__(self, url: str, *, timeout: float = TIMEOUT) -> None:
        parts = urlsplit(url)
        if not is_url(url) or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError(f"{url!r} is no address of a server; use http://HOST:PORT")
        self.url = f"{parts.scheme}://{parts.netloc}"
        self._parts = parts
        self._timeout = timeout
        self._idle: list[HTTPConnection] = []

    def send(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        """The status, the headers and the body of the answer."""
        connection = self._take()
        try:
            answer = self._exchange(connection, method, path, body, headers)
        except (OSError, HTTPException) as error:
            connection.close()
            why = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise ServerUnreachable(f"{self.url} does not answer: {why}.") from error
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
        body: bytes,
        headers: Mapping[str, str],
    ) -> tuple[int, Mapping[str, str], bytes]:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, answer.read()

    def _connect(self) -> HTTPConnection:
        kind = HTTPSConnection if self._parts.scheme == "https" else HTTPConnection
        return kind(self._parts.hostname or "", self._parts.port, timeout=self._timeout)

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
            self._headers["authorization"] = f"Bearer {token}"

    def verb(self, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """What a verb of ``trunkline.admin`` answers there."""
        answer: dict[str, Any] = self.request("POST", f"/_trunkline/api/{name}", arguments)
        return answer

    def request(self, method: str, path: str, body: object = None) -> Any:
        """The JSON that a path answers; raises the error of a code."""
        text = b"" if body is None else json.dumps(body).encode()
        status, _, answer = self._http.send(method, path, text, self._headers)
        try:
            told = json.loads(answer or b"{}")
        except ValueError:
            told = {}
        if status >= HTTP_ERROR:
            code = told.get("error") or told.get("__type") or f"Status{status}"
            raise from_code(str(code), str(told.get("message") or f"{method} {path} failed"))
        return told

    def close(self) -> None:
        """Closes the connections that are idle."""
        self._http.close()
