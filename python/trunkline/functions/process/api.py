"""The Lambda runtime API of one execution environment, served on the local machine.

A runtime asks for the next invocation, and posts how it ended. The API has one port for each
environment: what connects to it is that environment.
"""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from threading import Event, Thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BODY_BYTES_MAX = 16_777_216
"""The largest answer that is read; one that is larger than Lambda's bound is a failure."""

_ROOT = "/2018-06-01/runtime/"


class Ended:
    """How an invocation ended: ``"response"``, ``"error"``, ``"init"`` or ``"exit"``."""

    def __init__(self, how: str, body: bytes) -> None:
        self.how = how
        self.body = body


class RuntimeApi:
    """The runtime API of one environment."""

    def __init__(self) -> None:
        self._next: SimpleQueue[tuple[dict[str, str], bytes] | None] = SimpleQueue()
        self.ended: SimpleQueue[Ended] = SimpleQueue()
        """How invocations ended, one for each."""
        self.asked: Event = Event()
        """Set once the runtime has asked for work: its code is loaded."""
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        serve = self._server.serve_forever
        Thread(target=serve, name="trunkline-runtime-api", daemon=True).start()

    @property
    def address(self) -> str:
        """What the environment finds in ``AWS_LAMBDA_RUNTIME_API``."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def give(self, headers: dict[str, str], payload: bytes) -> None:
        """Has the runtime get an invocation."""
        self._next.put((headers, payload))

    def take(self) -> tuple[dict[str, str], bytes] | None:
        """What the runtime gets next; None once the API is closed."""
        self.asked.set()
        return self._next.get()

    def close(self) -> None:
        """Answers no more."""
        self._next.put(None)
        Thread(target=self._shut, daemon=True).start()

    def _shut(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    api: RuntimeApi

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A runtime that was ended has broken its connection."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *arguments: object) -> None:
        """Requests of a runtime are not logged."""

    def do_GET(self) -> None:
        """The next invocation."""
        if self.path != f"{_ROOT}invocation/next":
            self.send_error(404)
            return
        given = self.server.api.take()
        if given is None:
            self.close_connection = True
            return
        headers, payload = given
        self._answer(200, payload, headers)

    def do_POST(self) -> None:
        """How an invocation, or the start of the runtime, ended."""
        length = int(self.headers.get("Content-Length", "0"))
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = self._chunks()
        elif length > BODY_BYTES_MAX:
            self.send_error(413)
            return
        else:
            body = self.rfile.read(length)
        how = self.path.removeprefix(_ROOT).rpartition("/")[2]
        if self.path == f"{_ROOT}init/error":
            how = "init"
        if how in ("response", "error", "init"):
            self.server.api.ended.put(Ended(how, body))
            self._answer(202, b'{"status":"OK"}\n', {})
        else:
            self.send_error(404)

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            if len(body) + size > BODY_BYTES_MAX:
                raise ConnectionError("the answer is too large")
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)
