"""A server around an engine, as a context manager."""

from __future__ import annotations

from trunkline._core import WireServer
from trunkline.aws.dispatcher import make_dispatcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType
    from typing import Self

    from trunkline.aws.dispatcher import Credential
    from trunkline.engine import Engine

PORT = 4566
"""The port that tools for local AWS services look for."""

READ_TIMEOUT = 30.0
"""Seconds in which the head of a request has to arrive, and then its body."""

PATIENCE = 10.0
"""Seconds that requests which have begun get to finish when a server stops."""


class Server:
    """Serves the AWS protocols from threads of its own. The engine stays the caller's to close."""

    def __init__(
        self,
        engine: Engine,
        *,
        host: str = "127.0.0.1",
        port: int = PORT,
        services: Iterable[str] | None = None,
        auth: str = "parse",
        credentials: Sequence[Credential] = (),
        certificate: tuple[str, str] | None = None,
        origins: Sequence[str] = (),
        read_timeout: float = READ_TIMEOUT,
    ) -> None:
        """Starts to serve; raises OSError if the address cannot be used.

        `port` 0 takes any that is free. `certificate` is a chain and a key in PEM; `origins` are
        web pages that may call beside those of this machine. A request that does not arrive within
        `read_timeout` seconds is let go.
        """
        dispatcher = make_dispatcher(engine, services=services, auth=auth, credentials=credentials)
        self._core = WireServer.start(
            dispatcher, host, port, certificate, list(origins), read_timeout
        )
        self._scheme = "https" if certificate else "http"

    @property
    def address(self) -> tuple[str, int]:
        """The IP address and port."""
        return self._core.address

    @property
    def url(self) -> str:
        """What to set ``AWS_ENDPOINT_URL`` to."""
        host, port = self.address
        if host in ("0.0.0.0", "::"):
            host = "localhost"
        return f"{self._scheme}://{f'[{host}]' if ':' in host else host}:{port}"

    def stop(self, patience: float = PATIENCE) -> bool:
        """Finishes what has begun, for at most `patience` seconds; whether all of it was."""
        return self._core.stop(patience)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
