"""Verbs about data folders."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

import trunkline
from trunkline.cli.backend import add_at, open_at
from trunkline.cli.elapsed import Elapsed, size_of
from trunkline.cli.errors import CommandError, UsageError
from trunkline.cli.output import is_json, line, size, table
from trunkline.remote.client import is_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


def inspect(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument("folder", nargs="?", help="the data folder, also while it is used")
    parser.add_argument("--at", metavar="FOLDER|URL", help="the same, or a server's address")
    parser.add_argument("--token", help="the admin token of the server")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.set_defaults(run=_inspect, table=False, account=None, region=None)


def _inspect(options: argparse.Namespace) -> int:
    where = options.folder or options.at
    if where is None:
        raise UsageError("MissingFolder", "inspect needs a folder.", "trunkline inspect data/")
    if is_url(where):
        options.at = where
        with open_at(options) as at:
            line(at.call("stats"))
        return 0
    report = trunkline.inspect(where, in_use=True)
    if options.json:
        print(json.dumps(report.as_dict()))
    else:
        _show(report)
    return 0


def _add_folder(parser: argparse.ArgumentParser, help: str) -> None:
    parser.add_argument("folder", nargs="?", help=help)
    parser.add_argument("--at", metavar="FOLDER", help="the same")


def _of_a_copy(verb: str, url: str) -> str:
    return f"trunkline snapshot copy/ --at {url} && trunkline {verb} copy/"


def _folder(options: argparse.Namespace) -> str:
    """The folder that an argument or `--at` names; a server's is refused, and why."""
    verb, where = options.command, options.folder or options.at
    if where is None:
        raise UsageError("MissingFolder", f"{verb} needs a folder.", f"trunkline {verb} data/")
    if is_url(where):
        text = f"{verb} reads the files of a folder at rest, and {where} writes to its own."
        raise UsageError("NeedsFolder", text, _of_a_copy(verb, where))
    return str(where)


def verify(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    _add_folder(parser, "the data folder")
    parser.add_argument("--contents", action="store_true", help="read the contents of objects, too")
    parser.set_defaults(run=_verify)


def _verify(options: argparse.Namespace) -> int:
    folder = _folder(options)
    with Elapsed(f"verifying {folder}, {size(size_of(folder))}"):
        report = trunkline.verify(folder, contents=options.contents)
    print(f"ok: {report.records} records, {len(report.queues)} queues")
    return 0


def repair(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    _add_folder(parser, "the data folder; take a copy of it first")
    parser.set_defaults(run=_repair)


def _repair(options: argparse.Namespace) -> int:
    report = trunkline.repair(_folder(options))
    if report.repaired:
        print("made a new control file from what the segments prove; not proven is")
        for unproven in report.unproven:
            print(f"- {unproven}")
    else:
        print("the control file is whole, nothing was changed")
    _show(report.folder)
    return 0


def snapshot(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument("path", metavar="FOLDER", help="the new folder, on the server's machine")
    add_at(parser)
    parser.set_defaults(run=_snapshot)


def _snapshot(options: argparse.Namespace) -> int:
    # A server has a working directory of its own.
    path = str(Path(options.path).absolute())
    # The folder grows here if the server is on this machine; elsewhere the time is shown alone.
    with open_at(options) as at, Elapsed(f"writing {path}", lambda: size_of(path)):
        told = at.call("snapshot", path=path)
    if is_json(options):
        line(told)
    else:
        print(f"wrote {told['path']}")
    return 0


def restore(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument("snapshot", metavar="SNAPSHOT", help="the folder of a snapshot")
    parser.add_argument("folder", metavar="FOLDER", nargs="?", help="the new data folder")
    parser.add_argument("--at", metavar="FOLDER", help="the same")
    parser.set_defaults(run=_restore)


def _restore(options: argparse.Namespace) -> int:
    where = options.folder or options.at
    if where is None or is_url(where):
        text = "restore makes a new folder, which a server opens when it starts."
        hint = f"trunkline restore {options.snapshot} data/ && trunkline serve --data data/"
        raise UsageError("NeedsFolder", text, hint)
    source, target = Path(options.snapshot), Path(where)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise CommandError(
            "FolderExists", f"{target} is there already; restore makes a new folder."
        )
    if target.resolve().is_relative_to(source.resolve()):
        raise CommandError(
            "FolderExists", f"{target} lies in the snapshot; restore makes a folder outside of it."
        )
    with Elapsed(f"verifying {source}, {size(size_of(source))}"):
        report = trunkline.verify(source, contents=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    # A copy that is cut short must not look like the data folder. The name of the draft is new.
    draft = Path(tempfile.mkdtemp(prefix=f"{target.name}.restoring-", dir=target.parent))
    try:
        with Elapsed(f"copying to {target}", lambda: size_of(draft)):
            shutil.copytree(source, draft, dirs_exist_ok=True)
            trunkline.verify(draft)
        if target.exists():
            target.rmdir()
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    print(f"restored {report.records} records, {len(report.queues)} queues", file=sys.stderr)
    return 0


_NAMES = ("kind", "name", "account", "region", "internal")
_MARK = ", internal"
"""Marks what the engine or a service keeps for its own use."""


def _show(report: trunkline.FolderReport) -> None:
    used = sum(used for _, used in report.segments)
    opened = "once" if report.runs == 1 else f"{report.runs} times"
    segments = _count(len(report.segments), "segment")
    print(f"opened {opened}; {_count(report.records, 'record')} in {segments} of {size(used)}")
    print(_count(len(report.documents), "document"))
    for other in report.others:
        counters = [f"{name} {value}" for name, value in other.items() if name not in _NAMES]
        mark = _MARK if other["internal"] else ""
        told = ", ".join(counters) or "nothing to count"
        print(f"{other['kind']} {other['name']}{mark}: {told}")
    if not report.queues:
        print("no queues")
        return
    heading = ("queue", "account", "region", "kind", "messages", "in flight", "delayed", "bytes")
    cells = [
        (
            queue.name,
            queue.account,
            queue.region,
            ("fifo" if queue.fifo else "standard") + (_MARK if queue.internal else ""),
            str(queue.messages),
            str(queue.in_flight),
            str(queue.delayed),
            size(queue.bytes),
        )
        for queue in report.queues
    ]
    # Where one account in one region has all queues, its name says nothing.
    is_one = len({row[1:3] for row in cells}) == 1
    shown = [row[:1] + row[3:] if is_one else row for row in (heading, *cells)]
    table(shown[1:], shown[0])


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
