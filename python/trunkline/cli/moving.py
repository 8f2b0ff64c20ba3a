"""Verbs that move many messages: redrive, replay, export, import."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentTypeError

from trunkline.cli.backend import add_at, given, open_at
from trunkline.cli.output import Progress, is_json, line
from trunkline.errors import InvalidParameterValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from typing import Any, TextIO

PAUSE = 0.1
"""Seconds between two looks at a move."""

PEEK_MAX = 100_000
BATCH = 10
PAGE = 100
"""Messages in one request of an import."""


def redrive(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument("queue", metavar="QUEUE", help="the dead-letter queue")
    parser.add_argument("--to", metavar="QUEUE", help="the target (default: where each came from)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--rate", type=int, help="messages a second at most")
    which.add_argument("--message", metavar="ID", help="move this message alone; peek shows ids")
    add_at(parser)
    parser.set_defaults(run=_redrive)


def _redrive(options: argparse.Namespace) -> int:
    if options.message is not None:
        return _redrive_one(options)
    progress = Progress("moved")
    with open_at(options, writes=True) as at:
        task = at.call("redrive", **given(options, "queue", "to", "rate"))
        while task["status"] == "RUNNING":
            time.sleep(PAUSE)
            # The newest task comes first; an ended one is still listed.
            task = at.call("redrive-tasks", **given(options, "queue"))["tasks"][0]
            progress(task["moved"], task["total"])
    progress.end()
    if is_json(options):
        line(task)
    else:
        print(f"{task['status'].lower()}: {task['moved']} of {task['total']} moved")
    if task["status"] != "COMPLETED" and task.get("failure"):
        print(f"trunkline: {task['failure']}", file=sys.stderr)
    return 0 if task["status"] == "COMPLETED" else 1


def _redrive_one(options: argparse.Namespace) -> int:
    with open_at(options, writes=True) as at:
        told = at.call(
            "redrive-message", **given(options, "queue", "to"), message_id=options.message
        )
    if is_json(options):
        line(told)
    else:
        print(f"moved; it is {told['message_id']} now")
    return 0


def replay(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument("archive", metavar="ARCHIVE", help="the name of the archive")
    parser.add_argument("--bus", default="default", help="its bus (default: %(default)s)")
    parser.add_argument("--start", type=_moment, metavar="TIME", help="from then on, ISO 8601")
    parser.add_argument("--end", type=_moment, metavar="TIME", help="before then, ISO 8601")
    parser.add_argument("--rule", action="append", dest="rules", help="to this rule alone")
    add_at(parser)
    parser.set_defaults(run=_replay)


def _moment(text: str) -> float:
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no time in ISO 8601") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _replay(options: argparse.Namespace) -> int:
    with open_at(options, writes=True) as at:
        names = ("archive", "bus", "start", "end", "rules")
        started = at.call("replay", **given(options, *names))
    if is_json(options):
        line(started)
    else:
        print(f"{started['name']}: {started['status'].lower()}")
    return 0


def export(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument("queue", metavar="QUEUE", help="the name of the queue")
    parser.add_argument("file", nargs="?", default="-", help="where to write (default: the output)")
    drain = "receive and delete what was written, instead of looking at it"
    parser.add_argument("--drain", action="store_true", help=drain)
    add_at(parser)
    parser.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> int:
    progress = Progress("exported")
    with open_at(options, writes=options.drain) as at:
        # A file of an earlier export stays as it is where there is no such queue.
        at.call("settings", **given(options, "queue"))
        count = _write_all(at, options, progress)
    progress.end()
    print(f"{count} messages exported", file=sys.stderr)
    return 0


def _write_all(at: Any, options: argparse.Namespace, progress: Progress) -> int:
    count = 0
    with _writing(options.file) as out:
        for count, message in enumerate(_messages(at, options), 1):
            out.write(json.dumps(message, ensure_ascii=False, separators=(",", ":")) + "\n")
            if "receipt" in message:
                # Only what is written is deleted.
                out.flush()
                at.call("delete", **given(options, "queue"), receipt=message["receipt"])
            progress(count)
    return count


def _messages(at: Any, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    queue = given(options, "queue")
    if not options.drain:
        found = at.call("peek", **queue, max=PEEK_MAX, include_in_flight=True)["messages"]
        yield from found
        if len(found) == PEEK_MAX:
            text = f"The queue has more than {PEEK_MAX} messages; the rest needs --drain."
            raise InvalidParameterValue(text)
        return
    while found := at.call("receive", **queue, max=BATCH)["messages"]:
        yield from found


def _writing(file: str) -> TextIO:
    # A descriptor of its own for the standard output, which is not ours to close.
    target: Any = sys.stdout.fileno() if file == "-" else file
    return open(target, "w", encoding="utf-8", closefd=file != "-")


def _reading(file: str) -> TextIO:
    source: Any = sys.stdin.fileno() if file == "-" else file
    try:
        return open(source, encoding="utf-8", closefd=file != "-")
    except OSError as error:
        raise InvalidParameterValue(f"{file}: {error.strerror}.") from error


def import_(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument("queue", metavar="QUEUE", help="the name of the queue")
    parser.add_argument("file", nargs="?", default="-", help="what to read (default: the input)")
    parser.add_argument("--create", action="store_true", help="create the queue if need be")
    add_at(parser)
    parser.set_defaults(run=_import)


_SENT = ("body", "body_base64", "group", "dedup_id", "delay", "attributes")


def _import(options: argparse.Namespace) -> int:
    progress, count = Progress("imported"), 0
    queue = given(options, "queue") | ({"create": True} if options.create else {})
    with open_at(options, writes=True) as at, _reading(options.file) as stream:
        waiting: list[dict[str, Any]] = []
        for number, text in enumerate(_lines(options.file, stream), 1):
            if text.strip():
                waiting.append(_line(options.file, number, text))
            if len(waiting) == PAGE:
                count += len(at.call("send", **queue, messages=waiting)["message_ids"])
                waiting = []
                progress(count)
        if waiting:
            count += len(at.call("send", **queue, messages=waiting)["message_ids"])
    progress.end()
    if is_json(options):
        line({"imported": count})
    else:
        print(f"{count} messages imported")
    return 0


def _lines(file: str, stream: TextIO) -> Iterator[str]:
    try:
        yield from stream
    except UnicodeDecodeError as error:
        raise InvalidParameterValue(f"{file} is not UTF-8: {error.reason}.") from error


def _line(file: str, number: int, text: str) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidParameterValue(f"{file}:{number}: not JSON: {error}.") from error
    if not isinstance(told, dict):
        raise InvalidParameterValue(f"{file}:{number}: not a JSON object.")
    return {name: told[name] for name in _SENT if told.get(name) is not None}
