"""An HTTP endpoint that notes what it gets and answers as a test says."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class Request:
    """One request that came."""

    method: str
    target: str
    headers: dict[str, str]
    """By names in lower case."""
    body: bytes

    @property
    def path(self):
        return urlsplit(self.target).path

    @property
    def form(self):
        text = self.body.decode() if self.method != "GET" else urlsplit(self.target).query
        return {name: values[0] for name, values in parse_qs(text).items()}


class Endpoint:
    """Answers with what `answer(request)` returns: a status and a body."""

    def __init__(self, answer=lambda request: (200, b"")):
        self.got = []
        self.answer = answer
        self.came = threading.Semaphore(0)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def handle_one(self):
                length = int(self.headers.get("content-length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, self.path, headers, self.rfile.read(length))
                outer.got.append(request)
                status, body = outer.answer(request)
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                outer.came.release()

            do_GET = do_PUT = do_POST = handle_one  # noqa: N815

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def wait(self, count=1):
        """Waits until so many more requests were answered."""
        for _ in range(count):
            assert self.came.acquire(timeout=60), f"{len(self.got)} requests came"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
