"""``trunkline requests``: the latest requests of a server."""

from __future__ import annotations

import sys
import time

from trunkline.cli.backend import add_at, server_at
from trunkline.cli.output import is_json, line, rows, utc

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from typing import Any

    from trunkline.cli.backend import Remote

DESCRIPTION = """
Show the latest requests of a server, 1,000 at most, the oldest first: what was asked, how it ended
and how long it took. Bodies are not kept. With --follow it goes on until it is interrupted.
"""
PAUSE_SECONDS = 0.5
"""Between two looks."""

COLUMNS = ("ended_at", "request", "resource", "status", "duration", "error", "request_id")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes.

    >>> import argparse
    >>> parser = argparse.ArgumentParser()
    >>> add_arguments(parser)
    >>> parser.parse_args(["--errors"]).errors
    True
    """
    parser.description = DESCRIPTION
    add = parser.add_argument
    add("--follow", action="store_true", help="go on with those that come, until interrupted")
    add("--errors", action="store_true", help="only those that were refused or failed")
    add("--service", help="only those of this service")
    add_at(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print requests; return the status to exit with."""
    with server_at(options, "requests") as at:
        if not options.follow:
            found, _ = _page(at, options, 0)
            rows(options, found if is_json(options) else map(_row, found), COLUMNS)
            return 0
        try:
            for request in _following(at, options):
                if is_json(options):
                    line(request)
                else:
                    print(_text(request), flush=True)
        except KeyboardInterrupt:
            return 0
    return 0


def _page(
    at: Remote, options: argparse.Namespace, after: int
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    told = at.request("GET", f"/_trunkline/requests?after={after}")
    wanted = [
        one
        for one in told["requests"]
        if (not options.errors or one["status"] >= 400)
        and options.service in (None, one["service"])
    ]
    return wanted, told


def _following(at: Remote, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    last = 0
    while True:
        found, told = _page(at, options, last)
        if last and told["left_out"]:
            text = f"{told['left_out']} requests came too fast and are left out"
            print(f"trunkline: {text}", file=sys.stderr)
        yield from found
        last = told["last"]
        time.sleep(PAUSE_SECONDS)


def _row(request: dict[str, Any]) -> dict[str, Any]:
    asked = (
        f"{request['service']}.{request['operation']}"
        if request["service"]
        else f"{request['method']} {request['path']}"
    )
    duration = f"{request['seconds'] * 1_000:.1f}ms"
    return request | {"ended_at": request["time"], "request": asked, "duration": duration}


def _text(request: dict[str, Any]) -> str:
    row = _row(request)
    names = ("request", "resource", "status", "duration", "error")
    told = " ".join(str(row[name]) for name in names if row[name] is not None)
    return f"{utc(row['ended_at'])} {told}"
