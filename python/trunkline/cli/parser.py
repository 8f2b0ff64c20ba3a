"""The parser of the command, with its table of verbs.

It is argparse: the plain wheel depends on the standard library alone, and a parser in the core
could not see the verbs, which are Python's. The modules of verbs are imported when they are asked
for, so that the command starts at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module

import trunkline
from trunkline.validation import unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

VERBS: dict[str, tuple[str, str]] = {
    "serve": ("trunkline.server.command:add_arguments", "serve the AWS protocols to any AWS SDK"),
    "queues": ("trunkline.cli.listing:queues", "list the queues with their depths"),
    "topics": ("trunkline.cli.listing:topics", "list the topics"),
    "buses": ("trunkline.cli.listing:buses", "list the event buses"),
    "streams": ("trunkline.cli.listing:streams", "list the streams"),
    "machines": ("trunkline.cli.listing:machines", "list the state machines"),
    "functions": ("trunkline.cli.listing:functions", "list the functions of a server"),
    "buckets": ("trunkline.cli.listing:buckets", "list the buckets"),
    "stats": ("trunkline.cli.listing:stats", "show how the engine stands"),
    "peek": ("trunkline.cli.messages:peek", "show messages without leasing them"),
    "send": ("trunkline.cli.messages:send", "send a message to a queue"),
    "receive": ("trunkline.cli.messages:receive", "receive messages, and delete them if told to"),
    "publish": ("trunkline.cli.messages:publish", "publish a message to a topic"),
    "put": ("trunkline.cli.messages:put", "put an event on a bus, or a record into a stream"),
    "tail": ("trunkline.cli.tail:add_arguments", "print the records of a stream"),
    "purge": ("trunkline.cli.messages:purge", "remove all messages of a queue"),
    "redrive": ("trunkline.cli.moving:redrive", "move dead letters back"),
    "replay": ("trunkline.cli.moving:replay", "put archived events on their bus again"),
    "export": ("trunkline.cli.moving:export", "write the messages of a queue as JSON lines"),
    "import": ("trunkline.cli.moving:import_", "send messages that were exported"),
    "snapshot": ("trunkline.cli.folders:snapshot", "copy a data folder, also while it is used"),
    "restore": ("trunkline.cli.folders:restore", "make a data folder from a snapshot"),
    "advance": ("trunkline.cli.running:advance", "let time pass on a server's virtual clock"),
    "faults": ("trunkline.cli.running:faults", "show, set or clear faults of a server"),
    "trace": ("trunkline.cli.running:trace", "show what happened to a message or an event"),
    "requests": ("trunkline.cli.requests:add_arguments", "show the latest requests of a server"),
    "inspect": ("trunkline.cli.folders:inspect", "show what a data folder holds"),
    "verify": ("trunkline.cli.folders:verify", "check every record of a data folder"),
    "repair": ("trunkline.cli.folders:repair", "make the lost control file of a folder again"),
    "match": ("trunkline.cli.match:add_arguments", "match events against a pattern"),
    "states": ("trunkline.cli.states:add_arguments", "check or run a state machine's definition"),
    "bench": ("", "measure this machine beside other queues"),
    "completion": ("trunkline.cli.completion:add_arguments", "print completions for a shell"),
}
"""The verbs, where their arguments are, and what they do."""


class _Formatter(argparse.HelpFormatter):
    """A formatter that knows its width: argparse makes one for each option, and asks shutil."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_width() - 2)


def _width() -> int:
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or _USUAL_WIDTH
    except (AttributeError, ValueError, OSError):
        return _USUAL_WIDTH


_USUAL_WIDTH = 80


NO_AT = {
    "serve": "serve opens a folder itself: use --data FOLDER",
    "states": "states check and run ask no engine; states graph takes --at",
    "bench": "bench measures engines that it opens itself",
    "completion": "completion asks no engine",
}
"""Why a verb has no --at."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors say what may have been meant."""

    verb: str | None = None
    """The verb whose arguments are parsed."""
    verb_parser: Parser | None = None
    """The parser of its arguments."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"formatter_class": _Formatter, **settings})

    def error(self, message: str) -> NoReturn:
        """Says what is wrong, and where to look."""
        hint = f"hint: {self.prog} --help"
        if "invalid choice: " in message:
            asked = message.split("invalid choice: ")[1].split("'")[1]
            if message.startswith("argument command"):
                message = f"there is no command {unknown(asked, list(VERBS))}"
        if message.startswith("unrecognized arguments: "):
            of = self.verb_parser or self
            hint = f"hint: {of.prog} --help"
            message = of._unrecognized(message)
        self.exit(2, f"trunkline: {message}\n{hint}\n")

    def _unrecognized(self, message: str) -> str:
        from difflib import get_close_matches

        option = message.split(": ")[1].split()[0].partition("=")[0]
        if option == "--at":
            return NO_AT.get(self.prog.split()[-1], message)
        near = get_close_matches(option, list(self._option_string_actions), n=1)
        return f"{message}; did you mean {near[0]}?" if near else message


def parser_of(verbs: Sequence[str], *, alone: bool = False) -> Parser:
    """The parser; of `verbs` with their arguments, of the others with their names.

    With `alone` there are no others: a command that begins with its verb needs none of them, and
    they take ten times as long to make.
    """
    parser = Parser(prog="trunkline", description="Queues in your process, durable on your disk.")
    parser.verb = verbs[0] if verbs else None
    parser.add_argument("--version", action="version", version=f"trunkline {trunkline.__version__}")
    # With its name: argparse would ask a formatter of help for it, which imports half of shutil.
    commands = parser.add_subparsers(
        prog="trunkline", required=True, metavar="command", dest="command"
    )
    for name in verbs if alone else VERBS:
        place, help = VERBS[name]
        one = commands.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.")
        if name == parser.verb:
            parser.verb_parser = one
        if name in verbs and place:
            module, function = place.split(":")
            add: Callable[[argparse.ArgumentParser], None]
            add = getattr(import_module(module), function)
            add(one)
    return parser
