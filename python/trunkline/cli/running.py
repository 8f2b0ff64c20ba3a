"""Verbs about what a server holds in memory: its clock, its faults, its trace."""

from __future__ import annotations

import sys

from trunkline.cli.backend import add_at, server_at
from trunkline.cli.output import is_json, line, rows, utc
from trunkline.errors import InvalidParameterValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


def advance(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument("time", metavar="SPAN", help='a span such as 900, "15m" or "2h"')
    parser.add_argument("--to", action="store_true", help="SPAN is a time, in ISO 8601")
    add_at(parser)
    parser.set_defaults(run=_advance)


def _advance(options: argparse.Namespace) -> int:
    try:
        span: str | float = float(options.time)
    except ValueError:
        span = options.time
    with server_at(options, "advance") as at:
        told = at.request("POST", "/_trunkline/clock", {"to" if options.to else "advance": span})
    if is_json(options):
        line(told)
    else:
        rows(options, [{"now_at": told["now"]}], ("now_at",))
    return 0


def faults(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    does = parser.add_mutually_exclusive_group()
    does.add_argument("--clear", action="store_true", help="take all of them back")
    effects = ("error", "delay", "duplicate", "crash")
    does.add_argument("--add", choices=effects, metavar="EFFECT", help=", ".join(effects))
    verbs = "the verb that it meets: send, receive, delete, extend, commit"
    parser.add_argument("--verb", default="send", help=f"{verbs} (default: %(default)s)")
    parser.add_argument("--queue", help="the queue that it meets (default: every one)")
    parser.add_argument("--message", help="the text of the error")
    parser.add_argument("--delay", type=float, help="seconds of a delay")
    parser.add_argument("--after", type=int, help="so many pass first")
    parser.add_argument("--times", type=int, help="so many are met")
    add_at(parser)
    parser.set_defaults(run=_faults)


def _faults(options: argparse.Namespace) -> int:
    path = "/_trunkline/faults"
    with server_at(options, "faults") as at:
        if options.clear:
            told = at.request("DELETE", path)
        elif options.add:
            names = ("verb", "queue", "account", "region", "message", "delay", "after", "times")
            fault = {name: getattr(options, name) for name in names}
            fault = {name: value for name, value in fault.items() if value is not None}
            told = at.request("POST", path, {"effect": options.add, **fault})
        else:
            told = at.request("GET", path)
    found = told.get("faults", []) if isinstance(told, dict) else told
    rows(options, found, ("verb", "effect", "queue", "after", "times"))
    return 0


def trace(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument("id", metavar="ID", nargs="?", help="a message, an event or a record")
    switch = "switch the trace: on, off, or a part such as 0.01"
    parser.add_argument("--set", metavar="MODE", help=switch)
    add_at(parser)
    parser.set_defaults(run=_trace)


def _trace(options: argparse.Namespace) -> int:
    with server_at(options, "trace") as at:
        if options.set is not None or options.id is None:
            mode: str | float | None = options.set
            if mode not in (None, "on", "off"):
                mode = _part(str(mode))
            method, body = ("GET", None) if mode is None else ("POST", {"mode": mode})
            line(at.request(method, "/_trunkline/trace", body))
            return 0
        told = at.call("trace", id=options.id)
        is_off = not told["entries"] and at.request("GET", "/_trunkline/trace")["rate"] == 0
    found = told["entries"]
    if not is_json(options):
        # Several things happen to a message within a second.
        found = [one | {"when": utc(one["at"], "milliseconds")} for one in found]
    rows(options, found, ("when", "what", "kind", "name", "id", "detail"))
    if not found:
        why = "the trace is off: trunkline trace --set on" if is_off else "no entry has this id"
        print(f"hint: nothing was noted; {why}", file=sys.stderr)
        return 1
    return 0


def _part(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InvalidParameterValue(
            f"--set {text!r} is no mode; use on, off, or 0 to 1."
        ) from error
