"""Verbs that list resources."""

from __future__ import annotations

from trunkline.cli.backend import add_at, given, open_at
from trunkline.cli.output import is_json, line, rows, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from typing import Any

PAGE = 1_000


def _listing(parser: argparse.ArgumentParser, columns: Sequence[str]) -> None:
    parser.add_argument("prefix", nargs="?", default="", help="list names that start so")
    add_at(parser)
    parser.set_defaults(run=_run, columns=columns)


def _run(options: argparse.Namespace) -> int:
    arguments = given(options, "prefix")
    if options.command == "functions":
        arguments = {"prefix": options.prefix}
    elif options.command == "buckets":
        arguments.pop("region", None)
    with open_at(options) as at:

        def pages() -> Iterator[dict[str, Any]]:
            after = None
            while True:
                more: dict[str, str] = {} if after is None else {"after": after}
                page = at.call(options.command, **arguments, **more, limit=PAGE)
                yield from page["items"]
                after = page.get("next")
                if after is None:
                    return

        found = pages() if is_json(options) else list(pages())
        owners = (
            {(one["account"], one["region"]) for one in found} if isinstance(found, list) else ()
        )
        # Where one account in one region has everything, their names say nothing.
        shown = [name for name in options.columns if len(owners) != 1 or name not in _OWNER]
        rows(options, found, shown)
    return 0


_OWNER = ("account", "region")


def queues(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    depths = ("fifo", "visible", "in_flight", "delayed", "oldest_age", "dead_letter")
    _listing(parser, ("name", *_OWNER, *depths))


def topics(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    counters = ("subscriptions", "published", "delivered", "dead_lettered", "failed")
    _listing(parser, ("name", *_OWNER, *counters))


def buses(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    counters = ("rules", "events", "matched", "delivered", "dead_lettered", "failed")
    _listing(parser, ("name", *_OWNER, *counters))


def streams(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    _listing(parser, ("name", *_OWNER, "records", "open_shards", "closed_shards", "readers"))


def machines(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    _listing(parser, ("name", *_OWNER, "type", "executions"))


def functions(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    _listing(parser, ("name", *_OWNER, "invocations", "failures", "waiting"))


def buckets(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    _listing(parser, ("name", *_OWNER, "objects", "bytes", "uploads"))


def stats(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    add_at(parser)
    parser.set_defaults(run=_stats)


def _stats(options: argparse.Namespace) -> int:
    with open_at(options) as at:
        found = at.call("stats")
    if is_json(options):
        line(found)
        return 0
    flat = []
    for name, value in found.items():
        if isinstance(value, dict):
            flat += [
                [f"{name} {inner}".replace("_", " "), str(one)] for inner, one in value.items()
            ]
        else:
            flat.append([name.replace("_", " "), "-" if value is None else str(value)])
    table(flat, ("what", "value"))
    return 0
