"""``trunkline match``: which events match a pattern, in the manner of grep."""

from __future__ import annotations

import argparse
import json
import sys
from io import StringIO
from pathlib import Path

from trunkline import patterns
from trunkline.cli.backend import add_at, given, open_at
from trunkline.cli.errors import CommandError
from trunkline.cli.output import rows
from trunkline.errors import InvalidArgument, InvalidEvent, TrunklineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, TextIO

MATCHED, NOTHING_MATCHED, BAD_INPUT = 0, 1, 2

SCOPES = ("Event", "MessageBody", "MessageAttributes")

DESCRIPTION = """
Print the events that match a pattern. PATTERN and EVENT are JSON that begins with a brace, or names
of files. A file holds one event, on as many lines as it likes, or one event a line; - is the
standard input. With --bus, which takes no PATTERN, one event is held against the rules of a bus.

Exit status: 0 if an event matched, 1 if none did, 2 if the pattern or an event could not be read.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes.

    >>> parser = argparse.ArgumentParser()
    >>> add_arguments(parser)
    >>> parser.parse_args(["pattern.json", "-"]).event
    '-'
    """
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    pattern = "the pattern as JSON, or a file with it"
    parser.add_argument("pattern", metavar="PATTERN", nargs="?", help=pattern)
    parser.add_argument("event", metavar="EVENT", help="an event as JSON, a file with events, or -")
    parser.add_argument("--explain", action="store_true", help="say why, for each event")
    parser.add_argument("--quiet", action="store_true", help="print nothing: the status is enough")
    parser.add_argument(
        "--scope",
        choices=SCOPES,
        default="Event",
        help="Event: an event pattern (default); the others: a filter policy of Amazon SNS. "
        'Attributes are written {"name": {"Type": "String", "Value": "x"}}',
    )
    parser.add_argument("--bus", help="instead of PATTERN: the rules of this event bus")
    add_at(parser)
    parser.set_defaults(run=run, usual_at=parser.get_default("at"))


def run(options: argparse.Namespace) -> int:
    """Match; print; return the status to exit with."""
    try:
        if (options.pattern is None) == (options.bus is None):
            raise InvalidArgument(_USAGE)
        if options.bus is None and options.at != options.usual_at:
            raise InvalidArgument("match asks no engine, unless it is for the rules of a --bus.")
        if options.bus is not None:
            return _match_rules(options)
        pattern = _pattern(options)
        with _opened(options.event) as stream:
            return _match_all(pattern, stream, options)
    except (OSError, UnicodeDecodeError, TrunklineError, CommandError) as error:
        return _complain(options, error)


_USAGE = "match takes PATTERN and EVENT, or EVENT with --bus NAME."


def _match_rules(options: argparse.Namespace) -> int:
    """Which rules of a bus one event would match, and why not the others."""
    with _opened(options.event) as stream:
        text = stream.read()
    try:
        event = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidEvent(f"The event is not JSON: {error}.") from error
    with open_at(options) as at:
        rules = at.call("explain", event=event, **given(options, "bus"))["rules"]
    found = [{"rule": name, **why} for name, why in rules.items()]
    if not options.quiet:
        rows(options, found, ("rule", "matched", "path", "wanted", "found"))
    return MATCHED if any(one["matched"] for one in found) else NOTHING_MATCHED


def _pattern(options: argparse.Namespace) -> patterns.Pattern:
    text = options.pattern
    if not _is_json(text):
        text = Path(text).read_text(encoding="utf-8")
    if options.scope == "Event":
        return patterns.compile(text)
    return patterns.filter_policy(text, scope=options.scope)


def _is_json(text: str) -> bool:
    return text.lstrip().startswith("{")


def _opened(name: str) -> TextIO:
    if _is_json(name):
        return StringIO(name)
    # A descriptor of its own for the standard input, which is not ours to close.
    source: Any = sys.stdin.fileno() if name == "-" else name
    return open(source, encoding="utf-8", closefd=name != "-")


def _match_all(pattern: patterns.Pattern, stream: TextIO, options: argparse.Namespace) -> int:
    status = NOTHING_MATCHED
    for number, text in _events(stream):
        try:
            event = json.loads(text) if pattern.scope == "MessageAttributes" else text
            why = pattern.explain(event) if options.explain else None
            matched = why.matched if why else pattern.matches(event)
        except (TrunklineError, ValueError, TypeError, RecursionError) as error:
            _complain(options, error, number)
            status = BAD_INPUT
            continue
        if matched and status == NOTHING_MATCHED:
            status = MATCHED
        if why and not options.quiet:
            print(f"{number}: {why}", flush=True)
        elif matched and not options.quiet:
            print(text, flush=True)
    return status


def _events(stream: TextIO) -> Iterator[tuple[int, str]]:
    """The events with the lines on which they begin."""
    for number, line in enumerate(stream, 1):
        text = line.strip()
        if not text:
            continue
        if number == 1 and not _is_whole(text):
            # The beginning of one event that is written over many lines.
            yield 1, (line + stream.read()).strip()
            return
        yield number, text


def _is_whole(text: str) -> bool:
    """Whether a line is JSON, or at least does not merely end too early."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return error.pos < len(text)
    except RecursionError:
        pass  # Deeper than is read; the event is refused where it is matched.
    return True


def _complain(options: argparse.Namespace, error: Exception, number: int | None = None) -> int:
    source = "the event" if _is_json(options.event) else options.event
    place = f"{source}:{number}: " if number else ""
    code = f"{error.code}: " if isinstance(error, (TrunklineError, CommandError)) else ""
    print(f"trunkline: {place}{code}{error}", file=sys.stderr)
    return BAD_INPUT
