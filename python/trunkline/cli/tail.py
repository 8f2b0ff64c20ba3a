"""``trunkline tail``: the records of a stream, as they are put."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime

from trunkline.cli.backend import add_at, given, open_at
from trunkline.cli.output import Progress, is_json, line

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from typing import Any

    from trunkline.cli.backend import Folder, Remote

DESCRIPTION = """
Print the records of a stream, one a line. With --follow it goes on with what is put from now on,
until it is interrupted.
"""
PAUSE_SECONDS = 0.2
"""Between two looks at shards that had nothing new."""
PAGE = 1_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes.

    >>> import argparse
    >>> parser = argparse.ArgumentParser()
    >>> add_arguments(parser)
    >>> parser.parse_args(["clicks", "--follow"]).follow
    True
    """
    parser.description = DESCRIPTION
    add = parser.add_argument
    add("stream", metavar="STREAM", help="the name of the stream")
    add("--follow", action="store_true", help="begin at the end, and go on until interrupted")
    add("--all", action="store_true", help="with --follow: begin with the oldest record")
    add_at(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print records; return the status to exit with."""
    as_json = is_json(options)
    with open_at(options) as at:
        # On a terminal the records themselves show how far it is.
        progress, total = None, None
        if not options.follow and not sys.stdout.isatty():
            told = at.call("shards", **given(options, "stream"))["statistics"]
            progress, total = Progress("printed"), told["records"]
        try:
            for count, record in enumerate(_records(at, options), 1):
                if as_json:
                    line(record)
                else:
                    print(_text(record), flush=True)
                if progress is not None:
                    progress(count, total)
        except KeyboardInterrupt:
            return 0
        finally:
            if progress is not None:
                progress.end()
    return 0


def _records(at: Folder | Remote, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The records of all shards; shards that come later are read from their beginning."""
    stream = given(options, "stream")
    begin: str | float = "earliest"
    if options.follow and not options.all:
        begin = at.call("stats")["now"]
    cursors: dict[str, dict[str, Any]] = {}
    is_first = True
    while True:
        for shard in at.call("shards", **stream)["shards"]:
            start = begin if is_first else "earliest"
            cursors.setdefault(shard["id"], {"start": start})
        is_first, is_idle = False, True
        for shard, cursor in cursors.items():
            found = at.call("records", **stream, shard=shard, **cursor, max=PAGE)["records"]
            yield from found
            if found:
                is_idle = False
                cursors[shard] = {"after": found[-1]["sequence"]}
        if is_idle and not options.follow:
            return
        if is_idle:
            time.sleep(PAUSE_SECONDS)


def _text(record: dict[str, Any]) -> str:
    moment = datetime.fromtimestamp(record["timestamp"], UTC).isoformat(timespec="milliseconds")
    data = record.get("data", record.get("data_base64"))
    return f"{moment.replace('+00:00', 'Z')} {record['key']} {data}"
