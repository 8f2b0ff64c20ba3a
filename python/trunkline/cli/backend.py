"""Where a verb acts: on the engine of a folder, which is opened, or on a server, which is asked.

Both answer the same verbs, those of ``trunkline.admin``.
"""

from __future__ import annotations

import os
from pathlib import Path

import trunkline
from trunkline import admin
from trunkline.cli.errors import CommandError, UsageError
from trunkline.remote.client import AdminClient, is_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any, Self

URL = "http://127.0.0.1:4566"


_WHERE = "--at takes a data folder, or the URL of a server: http://127.0.0.1:4566"
_START = "start one with `trunkline serve --data FOLDER`, and use --at http://127.0.0.1:4566"
_ASK = "ask the server that has it: --at http://127.0.0.1:4566"


def add_at(parser: argparse.ArgumentParser) -> None:
    """The options of every verb that acts on an engine."""
    group = parser.add_argument_group("where, and how to print")
    default = os.environ.get("TRUNKLINE_AT") or os.environ.get("AWS_ENDPOINT_URL") or URL
    where = "a data folder, or the URL of a server (default: %(default)s)"
    group.add_argument("--at", default=default, metavar="FOLDER|URL", help=where)
    token = "the admin token of the server (default: $TRUNKLINE_ADMIN_TOKEN)"
    group.add_argument("--token", default=os.environ.get("TRUNKLINE_ADMIN_TOKEN"), help=token)
    group.add_argument("--account", help="the account, 12 digits")
    group.add_argument("--region", help="the region")
    form = group.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON lines, as into a pipe")
    form.add_argument("--table", action="store_true", help="print a table, as on a terminal")


class Folder:
    """The engine of a data folder, open for as long as the verb takes."""

    def __init__(self, path: str, *, writes: bool) -> None:
        if not path or not Path(path).is_dir():
            raise CommandError("NoSuchFolder", f"There is no folder {path!r}.", _WHERE)
        try:
            self._engine = trunkline.open(path, read_only=not writes)
        except trunkline.DataFolderInUse as error:
            raise CommandError(error.code, str(error), _ASK) from error

    def call(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """What the verb answers."""
        return admin.run(self._engine, verb, arguments)

    def close(self) -> None:
        """Closes the engine."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Remote:
    """A server."""

    def __init__(self, url: str, token: str | None) -> None:
        self._client = AdminClient(url, token)

    def call(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """What the verb answers."""
        return self._client.verb(verb, arguments)

    def request(self, method: str, path: str, body: object = None) -> Any:
        """What a path beside the verbs answers."""
        return self._client.request(method, path, body)

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_at(options: argparse.Namespace, *, writes: bool = False) -> Folder | Remote:
    """What `--at` names; a folder is opened read-only unless the verb `writes`."""
    if is_url(options.at):
        return Remote(options.at, options.token)
    return Folder(options.at, writes=writes)


def server_at(options: argparse.Namespace, verb: str) -> Remote:
    """The server that `--at` names, for verbs about what a process holds in memory."""
    if not is_url(options.at):
        raise UsageError(
            "NeedsServer", f"{verb} is about a running server; --at names a folder.", _START
        )
    return Remote(options.at, options.token)


def given(options: argparse.Namespace, *names: str) -> dict[str, Any]:
    """Those of the arguments that were given, with the account and the region."""
    found = {name: getattr(options, name) for name in (*names, "account", "region")}
    return {name: value for name, value in found.items() if value is not None}
