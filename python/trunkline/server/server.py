"""A server around an engine, as a context manager."""

from __future__ import annotations

import re

from trunkline._core import WireServer
from trunkline.aws.dispatcher import make_dispatcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from typing import Self

    from trunkline.aws.dispatcher import Credential
    from trunkline.aws.sns.mail import MailSender
    from trunkline.engine import Engine

PORT = 4566
"""The port that tools for local AWS services look for."""

READ_TIMEOUT = 30.0
"""Seconds in which the first request of a connection has to arrive, and the body of every one."""

IDLE_TIMEOUT = 60.0
"""Seconds that a connection may wait for its next request."""

WRITE_TIMEOUT = 30.0
"""Seconds in which an answer has to be read; a long one gets more, by its size."""

_PORT_MAX = 65_535
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+|[0-9a-fA-F:]*:[0-9a-fA-F:.]*")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[a-z0-9._~%:\[\]-]+")

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
        hosts: Sequence[str] = (),
        trusted_proxies: Sequence[str] = (),
        admin_token: str | None = None,
        request_log: str | None = None,
        log_level: str = "info",
        allow_code: bool = False,
        firehose_folders: Sequence[str | Path] = (),
        smtp: str | None = None,
        smtp_from: str | None = None,
        reach: str | None = None,
        read_timeout: float = READ_TIMEOUT,
        idle_timeout: float = IDLE_TIMEOUT,
        write_timeout: float = WRITE_TIMEOUT,
    ) -> None:
        """Starts to serve.

        Raises ValueError for an argument that cannot be used, and OSError if the address is taken.
        `host` is an IP address or a name; `port` 0 takes any that is free. `certificate` is a chain
        and a key in PEM. `origins` are web pages that may call beside those of this machine, and
        `hosts` names that the server answers to beside those of this machine. `trusted_proxies` are
        networks whose ``X-Forwarded-*`` headers count. `admin_token` is what callers of
        ``/_trunkline/*`` have to send; without one, those paths are for this machine only.
        `request_log` (``"text"`` or ``"json"``) writes a line for each request to standard output,
        from `log_level` on: ``"error"`` and ``"warning"`` are for requests that fail.
        `smtp` is an SMTP server, ``HOST:PORT`` or a URL, that mails of topics are handed to, as
        mails from `smtp_from`; without one they are kept to be looked at. With `allow_code` the
        code that CreateFunction brings is run, with the rights of this process. Delivery streams
        may write files below `firehose_folders`. `reach` says which addresses the engine's requests
        over HTTP may go to: ``"usual"`` for all but link-local ones and the metadata services of
        clouds, ``"public"`` or ``"everywhere"``; without it the engine keeps what it has.
        """
        if admin_token is not None:
            _check_token(admin_token)
        for origin in origins:
            _check_origin(origin)
        if not 0 <= port <= _PORT_MAX:
            raise ValueError(f"port {port} is out of range; use 0 to {_PORT_MAX}")
        if reach is not None:
            engine._core.outbox().set_reach(reach)
        mails = self._mails = None if smtp is None else _mails(engine, smtp, smtp_from)
        if allow_code:
            from trunkline.functions.registry import functions_of

            functions_of(engine._core).allows_code = True
        if firehose_folders:
            from pathlib import Path

            from trunkline.aws.firehose.places import allow_folder

            for folder in firehose_folders:
                allow_folder(engine._core, Path(folder))
        dispatcher = make_dispatcher(engine, services=services, auth=auth, credentials=credentials)
        settings = {
            "host": _resolve(host),
            "port": port,
            "certificate": certificate,
            "origins": list(origins),
            "hosts": [*hosts, host],
            "proxies": list(trusted_proxies),
            "admin_token": admin_token,
            "request_log": request_log,
            "log_level": log_level,
            "read_timeout": read_timeout,
            "idle_timeout": idle_timeout,
            "write_timeout": write_timeout,
        }
        # The dispatcher does not keep it.
        self._engine = engine
        self._core = WireServer.start(dispatcher, settings)
        if mails is not None:
            mails.start()
        self._scheme = "https" if certificate else "http"
        if allow_code:
            functions_of(engine._core).endpoint = self.url

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
        finished = self._core.stop(patience)
        if self._mails is not None:
            self._mails.stop()
        return finished

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _check_token(token: str) -> None:
    """Raises ValueError for a token that no caller can send in a header."""
    if not token:
        raise ValueError("admin_token must not be empty")
    if not (token.isascii() and token.isprintable()):
        raise ValueError("admin_token must be of visible ASCII characters")


def _check_origin(origin: str) -> None:
    """Raises ValueError for an origin that no browser sends."""
    if origin != "*" and not _ORIGIN.fullmatch(origin):
        raise ValueError(
            f"origin {origin!r} is none that a browser sends; use '*' or SCHEME://HOST[:PORT], "
            "as in https://app.example.com, in lower case"
        )


def _mails(engine: Engine, smtp: str, sender: str | None) -> MailSender:
    from trunkline.aws.sns.mail import SENDER, MailSender, SmtpServer
    from trunkline.aws.store import Store

    return MailSender(Store(engine._core), SmtpServer.parse(smtp, sender or SENDER))


def _resolve(host: str) -> str:
    """The IP address of a name; that of IPv4 if there are both, for that is what clients try."""
    if _ADDRESS.fullmatch(host):
        # The core says what is wrong with it.
        return host
    import socket

    try:
        # As bytes: a str is put through the codec of international names, whose tables cost more
        # than the look-up.
        name = host.encode("ascii" if host.isascii() else "idna")
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ValueError(f"host {host!r} is no IP address and no known name: {error}") from error
    addresses = sorted(found, key=lambda entry: entry[0] != socket.AF_INET)
    return str(addresses[0][4][0]).partition("%")[0]
