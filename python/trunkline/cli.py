"""The command ``trunkline``: parse, call one public function, print."""

from __future__ import annotations

import argparse
import json
import sys

import trunkline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments`; return the status to exit with.

    >>> main(["verify", "no/such/folder"]) != 0
    True
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["bench"]:
        # The benchmarks have options of their own.
        from trunkline import bench

        return int(bench.main(list(arguments[1:])) or 0)
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except trunkline.TrunklineError as error:
        print(f"trunkline: {error.code}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trunkline", description="Queues in your process, durable on your disk."
    )
    parser.add_argument("--version", action="version", version=f"trunkline {trunkline.__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")

    inspect = commands.add_parser("inspect", help="show what a data folder holds")
    inspect.add_argument("folder", help="the data folder")
    inspect.add_argument("--json", action="store_true", help="print everything as JSON")
    inspect.set_defaults(run=_inspect)

    verify = commands.add_parser("verify", help="check every record of a data folder")
    verify.add_argument("folder", help="the data folder")
    verify.set_defaults(run=_verify)

    repair = commands.add_parser(
        "repair", help="make the control file of a data folder again, if it was lost or damaged"
    )
    repair.add_argument("folder", help="the data folder; take a copy of it first")
    repair.set_defaults(run=_repair)

    from trunkline import cli_match, cli_states, cli_tail
    from trunkline.server.command import add_arguments

    match = commands.add_parser("match", help="match events against a pattern")
    cli_match.add_arguments(match)

    tail = commands.add_parser("tail", help="print the records of a stream of a server")
    cli_tail.add_arguments(tail)

    machines = commands.add_parser("states", help="check or run a state machine's definition")
    cli_states.add_arguments(machines)

    serve = commands.add_parser("serve", help="serve the AWS protocols to any AWS SDK")
    add_arguments(serve)

    # Listed for the help alone; see main().
    commands.add_parser("bench", help="measure this machine beside other queues", add_help=False)
    return parser


def _inspect(options: argparse.Namespace) -> int:
    report = trunkline.inspect(options.folder)
    if options.json:
        print(json.dumps(report.as_dict()))
    else:
        _show(report)
    return 0


def _verify(options: argparse.Namespace) -> int:
    report = trunkline.verify(options.folder)
    print(f"ok: {report.records} records, {len(report.queues)} queues")
    return 0


def _repair(options: argparse.Namespace) -> int:
    report = trunkline.repair(options.folder)
    if report.repaired:
        print("made a new control file from what the segments prove; not proven is")
        for unproven in report.unproven:
            print(f"- {unproven}")
    else:
        print("the control file is whole, nothing was changed")
    _show(report.folder)
    return 0


_NAMES = ("kind", "name", "account", "region")


def _show(report: trunkline.FolderReport) -> None:
    size = sum(used for _, used in report.segments)
    opened = "once" if report.runs == 1 else f"{report.runs} times"
    segments = _count(len(report.segments), "segment")
    print(f"opened {opened}; {_count(report.records, 'record')} in {segments} of {_bytes(size)}")
    print(_count(len(report.documents), "document"))
    for other in report.others:
        counters = [f"{name} {value}" for name, value in other.items() if name not in _NAMES]
        print(f"{other['kind']} {other['name']}: {', '.join(counters) or 'nothing to count'}")
    if not report.queues:
        print("no queues")
        return
    heading = ("queue", "account", "region", "kind", "messages", "in flight", "delayed", "bytes")
    rows = [
        (
            queue.name,
            queue.account,
            queue.region,
            "fifo" if queue.fifo else "standard",
            str(queue.messages),
            str(queue.in_flight),
            str(queue.delayed),
            _bytes(queue.bytes),
        )
        for queue in report.queues
    ]
    # Where one account in one region has all queues, its name says nothing.
    is_one = len({row[1:3] for row in rows}) == 1
    table = [row[:1] + row[3:] if is_one else row for row in (heading, *rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _bytes(number: int) -> str:
    """A number of bytes for people.

    >>> _bytes(129_638)
    '126.6 KiB'
    """
    if number < 1_024:
        return f"{number} B"
    units = ("KiB", "MiB", "GiB", "TiB")
    power = min((number.bit_length() - 1) // 10, len(units))
    return f"{number / 1_024**power:.1f} {units[power - 1]}"
